/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define BLOCK	512U

static struct rig rig;
static uint8_t data[8 * BLOCK], buf[4 * BLOCK];

static int setup(void **state)
{
	(void)state;
	rig_stand(&rig, "ram", "", "size=1M", &scsi_device_default);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_fall(&rig);
	return 0;
}

static void assert_disk(const uint8_t *want)
{
	struct command r = { .cdb = CDB_10(0x28, 0, 0, 4) };

	assert_int_equal(run_in(rig.b, &r, buf, sizeof(buf)), SCSI_GOOD);
	assert_memory_equal(buf, want, sizeof(buf));
}

#define COMPARE(n)	{ .cdb = { 0x89, [13] = (n) } }

static void what_is_as_expected_is_replaced(void **state)
{
	struct command c = COMPARE(4), again = COMPARE(4);

	(void)state;
	fill(data + 4 * BLOCK, 4 * BLOCK, 0, 1);
	assert_int_equal(run_out(rig.a, &c, data, sizeof(data)), SCSI_GOOD);
	assert_disk(data + 4 * BLOCK);
	run_out(rig.a, &again, data, sizeof(data));
	assert_sense(&again, 0xe, 0x1d, 0x00);
}

static void the_first_difference_is_told_and_nothing_written(void **state)
{
	static const uint32_t at[] = { 0, 1, BLOCK - 1, BLOCK, 4 * BLOCK - 1 };
	const uint8_t zero[4 * BLOCK] = { 0 };

	(void)state;
	memset(data + 4 * BLOCK, 0xee, 4 * BLOCK);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		struct command c = COMPARE(4);

		memset(data, 0, 4 * BLOCK);
		data[at[i]] = 1;
		run_out(rig.a, &c, data, sizeof(data));
		assert_sense(&c, 0xe, 0x1d, 0x00);
		assert_int_equal(c.sense[0], 0xf0);
		assert_int_equal(be_load(c.sense + 3, 4), at[i]);
		assert_disk(zero);
	}
	memset(data, 0, 4 * BLOCK);
}

static void data_of_another_length_is_refused(void **state)
{
	struct command half = COMPARE(2), twice = COMPARE(1), none = COMPARE(0);
	const uint8_t zero[4 * BLOCK] = { 0 };

	(void)state;
	run_out(rig.a, &half, data, 2 * BLOCK);
	assert_field_in_cdb(&half, 13, -1);
	run_out(rig.a, &twice, data, 4 * BLOCK);
	assert_field_in_cdb(&twice, 13, -1);
	assert_int_equal(run_plain(rig.a, &none), SCSI_GOOD);
	assert_disk(zero);
}

/* VPD page B0h, MAXIMUM COMPARE AND WRITE LENGTH */
static uint8_t longest(void)
{
	struct command c = { .cdb = { 0x12, 1, 0xb0, 0, 64 } };
	uint8_t d[64];

	assert_int_equal(run_in(rig.a, &c, d, sizeof(d)), SCSI_GOOD);
	return d[5];
}

static void no_more_is_offered_than_a_shared_store_does_itself(void **state)
{
	static const struct {
		const char *opts;
		uint8_t blocks;
	} cases[] = {
		{ "size=1M;atomic=512", 255 },	/* nobody else writes: under a lock */
		{ "size=1M;shared;atomic=512", 1 },
		{ "size=1M;shared;atomic=2048", 4 },
		{ "size=1M;shared", 0 },
		{ "size=1M;shared;atomic=256", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c = COMPARE(1), more = COMPARE(cases[i].blocks + 1);

		rig_stand(&rig, "ram", "", cases[i].opts, &scsi_device_default);
		assert_int_equal(longest(), cases[i].blocks);
		if (cases[i].blocks < 4) {
			run_out(rig.a, &more, data, 2 * (cases[i].blocks + 1) * BLOCK);
			assert_field_in_cdb(&more, 13, -1);
		}
		if (cases[i].blocks)
			assert_int_equal(run_out(rig.a, &c, data, 2 * BLOCK), SCSI_GOOD);
		rig_fall(&rig);
	}
}

#define compare_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		compare_test(what_is_as_expected_is_replaced),
		compare_test(the_first_difference_is_told_and_nothing_written),
		compare_test(data_of_another_length_is_refused),
		cmocka_unit_test(no_more_is_offered_than_a_shared_store_does_itself),
	};

	return cmocka_run_group_tests_name("sbc/compare", tests, rig_start_daemon,
					   modules_down);
}
