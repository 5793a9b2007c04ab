/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct command report(uint8_t select, uint32_t bytes)
{
	struct command c = { .cdb = { 0xa0, 0, select } };

	be_store(c.cdb + 6, 4, bytes);
	return c;
}

static void luns_are_listed_in_order(void **state)
{
	static const uint64_t more[] = { 16383, 256, 2 };
	static const uint64_t fields[] = { 0, 1ULL << 48, 2ULL << 48, 0x4100ULL << 48,
					   0x7fffULL << 48 };
	struct command c = report(0, 256), all = report(2, 256), known = report(1, 256);
	struct command top = report(0x11, 256), admin = report(0x10, 256);
	uint8_t d[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		assert_int_equal(add_lun(rig.target, more[i], rig.dev), 0);
	assert_int_equal(run_in(rig.a, &c, 0, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 8 + sizeof(fields));
	assert_int_equal(be_load(d, 4), sizeof(fields));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(be_load(d + 8 + 8 * i, 8), fields[i]);
	assert_int_equal(run_in(rig.a, &all, 0, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(be_load(d, 4), sizeof(fields));
	assert_int_equal(run_in(rig.a, &top, 0, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(be_load(d, 4), sizeof(fields));
	assert_int_equal(run_in(rig.a, &admin, 0, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(admin.in_bytes, 8);
	assert_int_equal(run_in(rig.a, &known, 0, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(known.in_bytes, 8);
	assert_int_equal(be_load(d, 4), 0);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		assert_int_equal(remove_lun(rig.target, more[i]), 0);
}

/* To a LUN that does not exist, too; the length is that of the whole list. */
static void it_answers_anywhere_and_is_cut(void **state)
{
	struct command c = report(0, 16);
	uint8_t d[16];

	(void)state;
	assert_int_equal(run_in(rig.a, &c, 77, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 16);
	assert_int_equal(be_load(d, 4), 16);
}

static void bad_questions_are_refused(void **state)
{
	struct command small = report(0, 15), select = report(0x12, 256);
	struct command reserved = report(0x03, 256);

	(void)state;
	run_in(rig.a, &small, 0, NULL, 256);
	assert_field_in_cdb(&small, 6, -1);
	run_in(rig.a, &select, 0, NULL, 256);
	assert_field_in_cdb(&select, 2, -1);
	run_in(rig.a, &reserved, 0, NULL, 256);
	assert_field_in_cdb(&reserved, 2, -1);
}

static void all_that_there_can_be_are_listed(void **state)
{
	static uint8_t d[8 + 8 * (SCSI_LUN_MAX + 1)];
	struct command c = report(0, sizeof(d));

	(void)state;
	for (uint64_t lun = 2; lun <= SCSI_LUN_MAX; lun += 41)
		assert_int_equal(add_lun(rig.target, lun, rig.dev), 0);
	assert_int_equal(run_in(rig.a, &c, 0, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 8 + 8 * rig.target->map->n);
	for (size_t at = 16; at < c.in_bytes; at += 8)
		assert_true(be_load(d + at - 8, 8) < be_load(d + at, 8));
}

static void a_report_clears_what_told_of_the_change(void **state)
{
	struct command c = report(0, 256), tur = { .cdb = { 0x00 }, .lun = DEVICE_LUN };
	struct command other = tur;

	(void)state;
	assert_int_equal(add_lun(rig.target, 5, rig.dev), 0);
	assert_int_equal(run_in(rig.a, &c, 0, NULL, 256), SCSI_GOOD);
	assert_int_equal(command_run(rig.a, &tur), SCSI_GOOD);
	command_run(rig.b, &other);
	assert_sense(&other, 0x6, 0x3f, 0x0e);
	assert_int_equal(remove_lun(rig.target, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(luns_are_listed_in_order),
		rig_test(it_answers_anywhere_and_is_cut),
		rig_test(bad_questions_are_refused),
		rig_test(all_that_there_can_be_are_listed),
		rig_test(a_report_clears_what_told_of_the_change),
	};

	return rig_main("spc/report_luns", tests);
}
