/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include "erase.h"

#define FMTDATA		0x10
#define LONGLIST	0x20
#define FOV		0x80
#define IP		0x08
#define IMMED		0x02
#define BLOCKS		4096U

static uint8_t list[16 + 2 * BLOCK];

static int setup(void **state)
{
	(void)state;
	stand_with_rules("2M", "op=write_zeroes;error=EIO", true);
	write_all(BLOCKS, 0xaa);
	memset(list, 0, sizeof(list));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fall_with_rules();
	return 0;
}

static enum scsi_status format(struct command *c, uint8_t how, size_t bytes)
{
	*c = (struct command){ .cdb = { 0x04, how } };
	return run_out(rig.a, c, list, bytes);
}

static void all_becomes_zero(void **state)
{
	const unsigned int unmaps = atomic_load(&ram->unmap_flags);
	struct command c;

	(void)state;
	assert_int_equal(format(&c, 0, 0), SCSI_GOOD);
	assert_block(0, (const uint8_t[1]){ 0 }, 1);
	assert_block(BLOCKS - 1, (const uint8_t[1]){ 0 }, 1);
	assert_int_equal(atomic_load(&ram->unmap_flags), unmaps + 1);
	set_config(rig.disk, &scsi_device_default);	/* not thin: kept */
	assert_int_equal(format(&c, FMTDATA, 4), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->unmap_flags), unmaps + 1);
}

static void a_pattern_is_repeated(void **state)
{
	static const uint8_t xyz[] = { 'x', 'y', 'z' };
	struct command c;

	(void)state;
	list[1] = FOV | IP;
	list[5] = 1;
	list[7] = 3;
	memcpy(list + 8, xyz, sizeof(xyz));
	assert_int_equal(format(&c, FMTDATA, 11), SCSI_GOOD);
	assert_block(1, list + 8, 3);
	assert_block(BLOCKS - 1, list + 8, 3);
}

static void immed_is_answered_at_once(void **state)
{
	struct command c;

	(void)state;
	list[1] = IMMED;
	assert_int_equal(format(&c, FMTDATA | LONGLIST, 8), SCSI_GOOD);
	wait_until_ready(rig.b);
	assert_block(0, (const uint8_t[1]){ 0 }, 1);
}

static void what_we_do_not_have_is_refused(void **state)
{
	static const struct {
		const char *why;
		uint8_t how;
		size_t bytes, at;	/* of the list, and what is wrong there */
		uint8_t is, asc;
	} cases[] = {
		{ "protection information", 0x40 | FMTDATA, 4, 0, 0, 0x24 },
		{ "a format without a list", 0x01, 0, 0, 0, 0x24 },
		{ "a format that does not exist", FMTDATA | 0x07, 4, 0, 0, 0x24 },
		{ "half a header", FMTDATA, 3, 0, 0, 0x1a },
		{ "half a long header", FMTDATA | LONGLIST, 7, 0, 0, 0x1a },
		{ "protection field usage", FMTDATA, 4, 0, 1, 0x26 },
		{ "options without FOV", FMTDATA, 4, 1, IP, 0x26 },
		{ "a defect list", FMTDATA, 12, 3, 8, 0x26 },
		{ "a defect list, long header", FMTDATA | LONGLIST, 16, 7, 8, 0x26 },
		{ "a pattern that does not come", FMTDATA, 4, 1, FOV | IP, 0x1a },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c;

		memset(list, 0, sizeof(list));
		list[cases[i].at] = cases[i].is;
		format(&c, cases[i].how, cases[i].bytes);
		if (!sense_is(&c, 0x5, cases[i].asc, 0))
			fail_msg("%s: %02x %02x", cases[i].why, c.status, c.sense[12]);
		assert_block(0, (const uint8_t[1]){ 0xaa }, 1);
	}
}

/* A medium that is half formatted is of no use until it is formatted. */
static void a_failure_lasts_until_the_next(void **state)
{
	struct command c, r = { .cdb = CDB_10(0x28, 0, 0, 1) };
	struct command mode = { .cdb = { 0x1a, 0, 0x3f, 0, 4 } };
	uint8_t d[BLOCK];

	(void)state;
	rules_apply(true);
	format(&c, 0, 0);
	assert_sense(&c, 0x3, 0x31, 0x01);
	rules_apply(false);
	run_in(rig.b, &r, d, BLOCK);
	assert_sense(&r, 0x3, 0x31, 0x00);
	assert_int_equal(run_in(rig.b, &mode, d, 4), SCSI_GOOD);
	assert_int_equal(format(&c, 0, 0), SCSI_GOOD);
	assert_int_equal(run_in(rig.b, &r, d, BLOCK), SCSI_GOOD);
}

#define format_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		format_test(all_becomes_zero),
		format_test(a_pattern_is_repeated),
		format_test(immed_is_answered_at_once),
		format_test(what_we_do_not_have_is_refused),
		format_test(a_failure_lasts_until_the_next),
	};

	return cmocka_run_group_tests_name("sbc/format", tests, ram_start, modules_down);
}
