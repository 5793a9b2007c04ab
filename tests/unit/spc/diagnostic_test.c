/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static void the_default_self_test_reads(void **state)
{
	struct command c = { .cdb = { 0x1d, 0x04 }, .lun = DEVICE_LUN };

	(void)state;
	assert_int_equal(command_run(rig.a, &c), SCSI_GOOD);
}

static void the_list_of_pages_is_all_there_is(void **state)
{
	struct command ask = { .cdb = { 0x1d, 0x10, [4] = 4 } };
	struct command bad = ask, cut = { .cdb = { 0x1d, 0x10, [4] = 3 } };
	struct command get = { .cdb = { 0x1c, 0x01, 0x00, 0, 252 } }, last = get, other = get;
	static const uint8_t page[] = { 0, 0, 0, 1, 0 };
	uint8_t d[252] = { 0 };

	(void)state;
	assert_int_equal(run_out(rig.a, &ask, d, 4), SCSI_GOOD);
	assert_int_equal(run_in(rig.a, &get, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(get.in_bytes, sizeof(page));
	assert_memory_equal(d, page, sizeof(page));
	last.cdb[1] = 0;
	assert_int_equal(run_in(rig.a, &last, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(last.in_bytes, sizeof(page));
	other.cdb[2] = 0x40;
	run_in(rig.a, &other, DEVICE_LUN, d, sizeof(d));
	assert_field_in_cdb(&other, 2, -1);
	d[0] = 0x40;
	run_out(rig.a, &bad, d, 4);
	assert_sense(&bad, 0x5, 0x26, 0x00);
	run_out(rig.a, &cut, d, 3);
	assert_sense(&cut, 0x5, 0x1a, 0x00);
}

static void other_tests_are_refused(void **state)
{
	uint8_t d[4] = { 0 };

	(void)state;
	for (unsigned int code = 1; code < 8; code++) {
		struct command c = { .cdb = { 0x1d, (uint8_t)(code << 5) },
				     .lun = DEVICE_LUN };

		command_run(rig.a, &c);
		assert_field_in_cdb(&c, 1, 7);
	}
	struct command c = { .cdb = { 0x1d, 0x04, [4] = 4 } };

	run_out(rig.a, &c, d, 4);
	assert_field_in_cdb(&c, 3, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(the_default_self_test_reads),
		rig_test(the_list_of_pages_is_all_there_is),
		rig_test(other_tests_are_refused),
	};

	return rig_main("spc/diagnostic", tests);
}
