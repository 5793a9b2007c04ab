/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig rig;

/* Both lists are there and empty; the format is the one that was asked for. */
static void the_lists_are_empty(void **state)
{
	struct command ten = { .cdb = { 0x37, 0, 0x1d, [8] = 255 } };
	struct command twelve = { .cdb = { 0xb7, 0x0b, [9] = 255 } };
	struct command clipped = { .cdb = { 0xb7, 0x18, [9] = 2 } };
	static const uint8_t want_ten[4] = { 0, 0x1d }, want_twelve[8] = { 0, 0x0b };
	uint8_t d[255];

	(void)state;
	assert_int_equal(run_in(rig.a, &ten, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(ten.in_bytes, sizeof(want_ten));
	assert_memory_equal(d, want_ten, sizeof(want_ten));
	assert_int_equal(run_in(rig.a, &twelve, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(twelve.in_bytes, sizeof(want_twelve));
	assert_memory_equal(d, want_twelve, sizeof(want_twelve));
	assert_int_equal(run_in(rig.a, &clipped, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(clipped.in_bytes, 2);
}

static int setup(void **state)
{
	rig_start_daemon(state);
	rig_stand(&rig, "ram", "", "size=1M", &scsi_device_default);
	return 0;
}

static int teardown(void **state)
{
	rig_fall(&rig);
	return modules_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lists_are_empty),
	};

	return cmocka_run_group_tests_name("sbc/defects", tests, setup, teardown);
}
