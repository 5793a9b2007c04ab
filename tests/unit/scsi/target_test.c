/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static void lun_fields_are_decoded(void **state)
{
	static const struct { uint64_t field; bool ok; uint64_t lun; } cases[] = {
		{ 0x0000000000000000, true, 0 },
		{ 0x0001000000000000, true, 1 },
		{ 0x00ff000000000000, true, 255 },
		{ 0x4001000000000000, true, 1 },	/* flat, though small */
		{ 0x4100000000000000, true, 256 },
		{ 0x7fff000000000000, true, 16383 },
		{ 0x0101000000000000, false, 0 },	/* bus 1 */
		{ 0x8001000000000000, false, 0 },	/* logical unit addressing */
		{ 0xc101000000000000, false, 0 },	/* REPORT LUNS well-known */
		{ 0x0001000100000000, false, 0 },	/* second level */
		{ 0x0001000000000001, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t lun = 0;

		assert_int_equal(scsi_target_decode_lun(cases[i].field, &lun), cases[i].ok);
		assert_int_equal(lun, cases[i].lun);
	}
	for (uint64_t lun = 0; lun <= SCSI_LUN_MAX; lun++) {
		uint64_t back;

		assert_true(scsi_target_decode_lun(scsi_target_encode_lun(lun), &back));
		assert_int_equal(back, lun);
	}
}

static void the_map_is_sorted(void **state)
{
	static const uint64_t luns[] = { 300, 2, 16383, 0, 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(luns); i++)
		assert_int_equal(add_lun(rig.target, luns[i], rig.disk), 0);
	assert_int_equal(add_lun(rig.target, 7, rig.disk), -EEXIST);
	assert_int_equal(add_lun(rig.target, 16384, rig.disk), -ERANGE);
	assert_int_equal(rig.target->map->n, ARRAY_SIZE(luns) + 1);
	for (unsigned int i = 1; i < rig.target->map->n; i++)
		assert_true(rig.target->map->e[i - 1].lun < rig.target->map->e[i].lun);
	for (size_t i = 0; i < ARRAY_SIZE(luns); i++)
		assert_int_equal(remove_lun(rig.target, luns[i]), 0);
	assert_int_equal(remove_lun(rig.target, 7), -ENOENT);
}

static void changes_of_the_map_are_told(void **state)
{
	struct command c = { .cdb = { READY }, .lun = 5 };

	(void)state;
	assert_int_equal(add_lun(rig.target, 5, rig.disk), 0);
	assert_attention(rig.a, 0x3f, 0x0e);
	assert_attention(rig.b, 0x3f, 0x0e);
	assert_ready(rig.a);
	clear_attention(rig.a, 5);
	assert_int_equal(command_run(rig.a, &c), SCSI_GOOD);
	assert_int_equal(remove_lun(rig.target, 5), 0);
	assert_attention(rig.a, 0x3f, 0x0e);
	command_run(rig.a, &c);
	assert_sense(&c, 0x5, 0x25, 0x00);
}

/* Its store hangs, and yet the LUN can go: at once, with an answer. */
static void a_lun_with_tasks_in_a_store_that_hangs_can_be_removed(void **state)
{
	struct command r = READ_COMMAND, w = WRITE_COMMAND, blocked = READ_COMMAND;
	struct command collecting = WRITE_COMMAND;
	struct command *all[] = { &r, &w, &blocked, &collecting };

	(void)state;
	gate_close();
	blocked.attr = SCSI_ATTR_ORDERED;
	collecting.withhold = true;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		command_submit(i & 1 ? rig.a : rig.b, all[i]);
	gate_wait_held(2);
	assert_int_equal(remove_lun(rig.target, DISK_LUN), 0);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		command_wait(all[i]);
		assert_sense(all[i], 0x5, 0x25, 0x00);
	}
	gate_open();
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		command_released(all[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lun_fields_are_decoded),
		rig_test(the_map_is_sorted),
		rig_test(changes_of_the_map_are_told),
		rig_test(a_lun_with_tasks_in_a_store_that_hangs_can_be_removed),
	};

	return cmocka_run_group_tests_name("scsi/target", tests, rig_start_daemon,
					   rig_stop_daemon);
}
