/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define BLOCK	512U
#define BLOCKS	2048U
#define LONG	1536U		/* blocks; more than one step of the emulation */

static struct rig rig;
static uint8_t data[LONG * BLOCK], buf[LONG * BLOCK], want[LONG * BLOCK];

static int setup(void **state)
{
	(void)state;
	rig_stand(&rig, "ram", "", "size=1M;foreign=yes", &scsi_device_default);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_fall(&rig);
	return 0;
}

static struct command orwrite(uint8_t flags, uint64_t lba, uint32_t nr)
{
	struct command c = { .cdb = { 0x8b, flags } };

	be_store(c.cdb + 2, 8, lba);
	be_store(c.cdb + 10, 4, nr);
	return c;
}

static void assert_blocks(uint64_t lba, unsigned int nr)
{
	struct command r = { .cdb = CDB_10(0x28, 0, lba, nr) };

	assert_int_equal(run_in(rig.b, &r, buf, (size_t)nr * BLOCK), SCSI_GOOD);
	assert_memory_equal(buf, want, (size_t)nr * BLOCK);
}

static void bits_are_added(void **state)
{
	struct command w = { .cdb = CDB_10(0x2a, 0, 100, LONG) };
	struct command c = orwrite(0, 100, LONG);

	(void)state;
	fill(data, sizeof(data), 0, 1);
	memcpy(want, data, sizeof(want));
	assert_int_equal(run_out(rig.a, &w, data, sizeof(data)), SCSI_GOOD);
	fill(data, sizeof(data), 7, 2);
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] |= data[i];
	assert_int_equal(run_out(rig.a, &c, data, sizeof(data)), SCSI_GOOD);
	assert_blocks(100, LONG);
}

static void nothing_is_no_error_and_the_end_is_the_end(void **state)
{
	struct command none = orwrite(0, BLOCKS, 0), beyond = orwrite(0, BLOCKS - 1, 2);
	struct command fua = orwrite(0x18, BLOCKS - 1, 1), protect = orwrite(0x20, 0, 1);

	(void)state;
	assert_int_equal(run_plain(rig.a, &none), SCSI_GOOD);
	run_out(rig.a, &beyond, data, 2 * BLOCK);
	assert_sense(&beyond, 0x5, 0x21, 0x00);
	assert_int_equal(run_out(rig.a, &fua, data, BLOCK), SCSI_GOOD);
	run_out(rig.a, &protect, data, BLOCK);
	assert_field_in_cdb(&protect, 1, 5);
}

static void a_protected_disk_is_left_alone(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command c = orwrite(0, 0, 1);

	(void)state;
	config.swp = true;
	set_config(rig.disk, &config);
	run_out(rig.a, &c, data, BLOCK);
	assert_sense(&c, 0x7, 0x27, 0x00);
}

/* Each sets bits that are its own, in one block, at once: none is lost. */
static void bits_of_many_initiators_are_all_there(void **state)
{
	enum { N = 64 };
	static struct command c[N];
	static uint8_t bits[N][BLOCK];

	(void)state;
	memset(want, 0, BLOCK);
	for (unsigned int i = 0; i < N; i++) {
		memset(bits[i], 0, BLOCK);
		bits[i][i / 8] = (uint8_t)(1 << i % 8);
		want[i / 8] |= bits[i][i / 8];
		c[i] = orwrite(0, 5, 1);
		c[i].lun = DISK_LUN;
		c[i].out = bits[i];
		c[i].out_bytes = BLOCK;
		command_submit(i % 2 ? rig.a : rig.b, &c[i]);
	}
	for (unsigned int i = 0; i < N; i++) {
		command_wait(&c[i]);
		command_released(&c[i]);
		assert_int_equal(c[i].status, SCSI_GOOD);
	}
	assert_blocks(5, 1);
}

/* Somebody is faster once for each block, and has changed its first byte. */
static void what_others_write_past_us_is_not_lost(void **state)
{
	struct command w = { .cdb = CDB_10(0x2a, 0, 100, LONG) };
	struct command c = orwrite(0x08, 100, LONG);

	(void)state;
	rig_fall(&rig);
	rig_stand(&rig, "ram", "", "size=1M;foreign=yes;rival=yes;shared=yes;atomic=512",
		  &scsi_device_default);
	fill(data, sizeof(data), 0, 1);
	memcpy(want, data, sizeof(want));
	assert_int_equal(run_out(rig.a, &w, data, sizeof(data)), SCSI_GOOD);
	fill(data, sizeof(data), 7, 2);
	for (size_t i = 0; i < sizeof(want); i++) {
		if (i % BLOCK == 0)
			want[i] ^= 0x80;
		want[i] |= data[i];
	}
	assert_int_equal(run_out(rig.a, &c, data, sizeof(data)), SCSI_GOOD);
	assert_blocks(100, LONG);
}

static void it_is_refused_where_it_could_lose_something(void **state)
{
	struct command c = orwrite(0, 0, 1);

	(void)state;
	rig_fall(&rig);
	rig_stand(&rig, "ram", "", "size=1M;shared=yes", &scsi_device_default);
	fill(data, BLOCK, 7, 2);
	run_out(rig.a, &c, data, BLOCK);
	assert_sense(&c, 0x5, 0x20, 0x00);
	memset(want, 0, BLOCK);
	assert_blocks(0, 1);
}

#define or_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		or_test(bits_are_added),
		or_test(nothing_is_no_error_and_the_end_is_the_end),
		or_test(a_protected_disk_is_left_alone),
		or_test(bits_of_many_initiators_are_all_there),
		or_test(what_others_write_past_us_is_not_lost),
		or_test(it_is_refused_where_it_could_lose_something),
	};

	return cmocka_run_group_tests_name("sbc/orwrite", tests, rig_start_daemon,
					   modules_down);
}
