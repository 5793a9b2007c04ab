/* SPDX-License-Identifier: BSD-3-Clause */
#include "ram.h"

#define BLOCK	512U

static struct rig rig;
static uint8_t block[BLOCK];

static int setup(void **state)
{
	(void)state;
	rig_stand(&rig, "ram", "", "size=1M", &scsi_device_default);
	atomic_store(&rig.lu->write_cache, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_fall(&rig);
	return 0;
}

static void synchronize_cache_reaches_the_store(void **state)
{
	static const uint8_t cdbs[][16] = {
		{ 0x35 }, { 0x35, 0x02, [8] = 1 }, { 0x35, 0x06, [5] = 9, [8] = 1 },
		{ 0x91 }, { 0x91, 0x02, [13] = 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cdbs); i++) {
		const unsigned int before = atomic_load(&ram->ops[BS_FLUSH]);
		struct command c = { 0 };

		memcpy(c.cdb, cdbs[i], 16);
		assert_int_equal(run_plain(rig.a, &c), SCSI_GOOD);
		assert_int_equal(atomic_load(&ram->ops[BS_FLUSH]), before + 1);
	}
}

static void its_range_is_checked(void **state)
{
	struct command c = { .cdb = CDB_10(0x35, 0, 2048, 1) };

	(void)state;
	run_plain(rig.a, &c);
	assert_sense(&c, 0x5, 0x21, 0x00);
}

static void fua_reaches_the_store(void **state)
{
	static const uint8_t flags[] = { 0x08, 0x02, 0x0a };
	struct command plain = { .cdb = CDB_10(0x2a, 0, 0, 1) };
	const unsigned int before = atomic_load(&ram->fua);

	(void)state;
	assert_int_equal(run_out(rig.a, &plain, block, BLOCK), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->fua), before);
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		struct command c = { .cdb = CDB_10(0x2a, flags[i], 0, 1) };

		assert_int_equal(run_out(rig.a, &c, block, BLOCK), SCSI_GOOD);
		assert_int_equal(atomic_load(&ram->fua), before + i + 1);
	}
}

/* Bit 3 of byte 1 is FUA in WRITE(10), but part of the LBA in WRITE(6). */
static void six_byte_commands_have_no_fua(void **state)
{
	struct command c = { .cdb = { 0x0a, 0x00, 0x08, 0x00, 1 } };
	const unsigned int before = atomic_load(&ram->fua);

	(void)state;
	run_out(rig.a, &c, block, BLOCK);
	assert_sense(&c, 0x5, 0x21, 0x00);
	c = (struct command){ .cdb = { 0x0a, 0x00, 0x00, 0x08, 1 } };
	assert_int_equal(run_out(rig.a, &c, block, BLOCK), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->fua), before);
}

static void a_read_with_fua_flushes_first(void **state)
{
	struct command c = { .cdb = CDB_10(0x28, 0x08, 0, 1) };
	const unsigned int before = atomic_load(&ram->ops[BS_FLUSH]);

	(void)state;
	assert_int_equal(run_in(rig.a, &c, block, BLOCK), SCSI_GOOD);
	assert_int_equal(c.in_bytes, BLOCK);
	assert_int_equal(atomic_load(&ram->ops[BS_FLUSH]), before + 1);
}

static void without_a_write_cache_every_write_is_durable(void **state)
{
	struct command c = { .cdb = CDB_10(0x2a, 0, 0, 1) };
	const unsigned int before = atomic_load(&ram->fua);

	(void)state;
	atomic_store(&rig.lu->write_cache, false);
	assert_int_equal(run_out(rig.a, &c, block, BLOCK), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->fua), before + 1);
}

#define cache_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cache_test(synchronize_cache_reaches_the_store),
		cache_test(its_range_is_checked),
		cache_test(fua_reaches_the_store),
		cache_test(six_byte_commands_have_no_fua),
		cache_test(a_read_with_fua_flushes_first),
		cache_test(without_a_write_cache_every_write_is_durable),
	};

	return cmocka_run_group_tests_name("sbc/cache", tests, ram_start, modules_down);
}
