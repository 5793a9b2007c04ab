/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>
#include "rig.h"

static uint64_t report(struct session *s, uint8_t *ret_origin)
{
	struct command c = { .cdb = { 0xa3, 0x0f, [9] = 12 } };
	uint8_t d[12];

	assert_int_equal(run_in(s, &c, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 12);
	assert_int_equal(be_load(d, 2), 10);
	*ret_origin = d[2];
	return be_load(d + 4, 6);
}

static void it_is_the_time_of_day_until_it_is_set(void **state)
{
	const uint64_t now_ms = (uint64_t)time(NULL) * 1000;
	struct command c = { .cdb = { 0xa4, 0x0f, [9] = 12 } };
	struct command tur = { .cdb = { 0x00 }, .lun = DEVICE_LUN }, mine = tur;
	uint8_t d[12] = { 0 }, origin;
	uint64_t got = report(rig.a, &origin);

	(void)state;
	assert_int_equal(origin, 3);
	assert_in_range(got, now_ms, now_ms + 600000);
	be_store(d + 4, 6, 1000000);
	assert_int_equal(run_out(rig.a, &c, d, 12), SCSI_GOOD);
	command_run(rig.b, &tur);
	assert_sense(&tur, 0x6, 0x2a, 0x10);
	assert_int_equal(command_run(rig.a, &mine), SCSI_GOOD);
	got = report(rig.b, &origin);
	assert_int_equal(origin, 2);
	assert_in_range(got, 1000000, 1600000);
}

static void a_short_list_sets_nothing(void **state)
{
	struct command c = { .cdb = { 0xa4, 0x0f, [9] = 11 } };
	struct command none = { .cdb = { 0xa4, 0x0f } };
	uint8_t d[12] = { 0 }, origin;

	(void)state;
	run_out(rig.a, &c, d, 11);
	assert_sense(&c, 0x5, 0x1a, 0x00);
	assert_int_equal(run_out(rig.a, &none, NULL, 0), SCSI_GOOD);
	report(rig.a, &origin);
	assert_int_equal(origin, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(it_is_the_time_of_day_until_it_is_set),
		rig_test(a_short_list_sets_nothing),
	};

	return rig_main("spc/timestamp", tests);
}
