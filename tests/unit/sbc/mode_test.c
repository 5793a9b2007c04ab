/* SPDX-License-Identifier: BSD-3-Clause */
#include "ram.h"

static struct rig rig;
static uint8_t d[512];

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

static size_t sense(uint8_t page)
{
	struct command c = { .cdb = { 0x1a, 0x08, page, 0, 255 } };

	assert_int_equal(run_in(rig.a, &c, d, 255), SCSI_GOOD);
	return c.in_bytes;
}

static void all_pages_are_in_order(void **state)
{
	static const uint8_t codes[] = { 0x01, 0x02, 0x07, 0x08, 0x0a,
					 0x18, 0x19, 0x1a, 0x1c };
	const size_t n = sense(0x3f);
	size_t at = 4;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		assert_int_equal(d[at], codes[i]);
		at += 2U + d[at + 1];
	}
	assert_int_equal(at, n);
}

static void wp_and_dpofua_are_told(void **state)
{
	struct scsi_device_config config = scsi_device_default;

	(void)state;
	sense(0x08);
	assert_int_equal(d[2], 0x10);
	config.readonly = true;
	set_config(rig.disk, &config);
	sense(0x08);
	assert_int_equal(d[2], 0x90);
}

static void wce_is_the_truth(void **state)
{
	(void)state;
	sense(0x08);
	assert_int_equal(d[6], 0x04);
	atomic_store(&rig.lu->write_cache, false);
	sense(0x08);
	assert_int_equal(d[6], 0x00);
	sense(0x48);
	assert_int_equal(d[6], 0x04);	/* changeable */
}

static void select_wce(bool on)
{
	struct command c = { .cdb = { 0x15, 0x10 } };
	const size_t n = sense(0x08);

	d[0] = 0;
	d[6] = on ? 0x04 : 0x00;
	c.cdb[4] = (uint8_t)n;
	assert_int_equal(run_out(rig.a, &c, d, n), SCSI_GOOD);
}

/* MODE SELECT changes what is done, not only what is said. */
static void turning_the_cache_off_flushes_it_and_makes_writes_durable(void **state)
{
	const unsigned int flushes = atomic_load(&ram->ops[BS_FLUSH]);
	const unsigned int fua = atomic_load(&ram->fua);
	struct command w = { .cdb = CDB_10(0x2a, 0, 0, 1) }, again = w;
	struct command tur = { .cdb = { 0x00 } };

	(void)state;
	select_wce(false);
	assert_int_equal(atomic_load(&ram->ops[BS_FLUSH]), flushes + 1);
	assert_int_equal(run_out(rig.a, &w, d, 512), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->fua), fua + 1);
	run_plain(rig.b, &tur);
	assert_sense(&tur, 0x6, 0x2a, 0x01);
	select_wce(true);
	assert_int_equal(run_out(rig.a, &again, d, 512), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->fua), fua + 1);
	assert_int_equal(atomic_load(&ram->ops[BS_FLUSH]), flushes + 1);
}

static void software_write_protect_protects(void **state)
{
	struct command c = { .cdb = { 0x15, 0x10 } }, w = { .cdb = CDB_10(0x2a, 0, 0, 1) };
	struct command r = { .cdb = CDB_10(0x28, 0, 0, 1) };
	const size_t n = sense(0x0a);

	(void)state;
	d[0] = d[2] = 0;
	d[8] |= 0x08;
	c.cdb[4] = (uint8_t)n;
	assert_int_equal(run_out(rig.a, &c, d, n), SCSI_GOOD);
	run_out(rig.a, &w, d, 512);
	assert_sense(&w, 0x7, 0x27, 0x00);
	assert_int_equal(run_in(rig.a, &r, d, 256), SCSI_GOOD);
}

#define mode_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		mode_test(all_pages_are_in_order),
		mode_test(wp_and_dpofua_are_told),
		mode_test(wce_is_the_truth),
		mode_test(turning_the_cache_off_flushes_it_and_makes_writes_durable),
		mode_test(software_write_protect_protects),
	};

	return cmocka_run_group_tests_name("sbc/mode", tests, ram_start, modules_down);
}
