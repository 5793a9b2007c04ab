/* SPDX-License-Identifier: BSD-3-Clause */
#include "lu/latency.h"
#include "rig.h"

static uint8_t d[512];

#define LOG_SENSE(page, sub) { .cdb = { 0x4d, 0, (page), (sub), [7] = 1, 0xfc } }

static size_t sense(uint8_t page, uint8_t sub)
{
	struct command c = LOG_SENSE(page, sub);

	assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(d[0], (page & 0x3f) | (sub ? 0x40 : 0));
	assert_int_equal(d[1], sub);
	assert_int_equal(be_load(d + 2, 2) + 4, c.in_bytes);
	return c.in_bytes;
}

static void the_pages_are_listed(void **state)
{
	(void)state;
	assert_int_equal(sense(0x00, 0x00), 8);
	assert_memory_equal(d + 4, "\x00\x0d\x19\x2f", 4);
	assert_int_equal(sense(0x00, 0xff), 14);
	assert_memory_equal(d + 4, "\x00\x00\x00\xff\x0d\x00\x19\x00\x2f\x00", 10);
	assert_int_equal(sense(0x19, 0xff), 8);
	assert_memory_equal(d + 4, "\x19\x00\x19\xff", 4);
}

/* Whatever PAGE CONTROL says: lists have no thresholds. */
static void there_is_no_temperature_and_no_exception(void **state)
{
	(void)state;
	for (unsigned int pc = 0; pc < 4; pc++) {
		assert_int_equal(sense((uint8_t)(pc << 6 | 0x0d), 0), 10);
		assert_int_equal(be_load(d + 4, 6), 0x0000030200ff);
		assert_int_equal(sense((uint8_t)(pc << 6 | 0x2f), 0), 12);
		assert_int_equal(be_load(d + 4, 8), 0x000003040000ff00);
	}
}

static void count_io(void *arg)
{
	const struct session *s = arg;
	struct scsi_itl *itl = scsi_nexus_itl((struct scsi_nexus *)&s->nexus, DEVICE_LUN);

	lu_stats_add(&itl->stats.rd_done_cmds, 3);
	lu_stats_add(&itl->stats.rd_done_bytes, 5 * 512);
	lu_stats_add(&itl->stats.wr_done_cmds, 7);
	lu_stats_add(&itl->stats.wr_done_bytes, 9 * 512);
	lu_latency_add(itl->ch, LU_READ, 1000);
	lu_latency_add(itl->ch, LU_WRITE, 20000);
}

/* Of all initiators, on every reactor, also of those that are gone. */
static void statistics_are_of_everybody(void **state)
{
	struct session *s = session_open(rig.target, 1);

	(void)state;
	call_on(rig.a->reactor, count_io, rig.a);
	call_on(rig.b->reactor, count_io, rig.b);
	call_on(s->reactor, count_io, s);
	session_close(s);
	assert_int_equal(sense(0x59, 0), 4 + 4 + 64 + 4 + 8 + 4 + 8);
	assert_int_equal(be_load(d + 4, 4), 0x00012240);
	assert_int_equal(be_load(d + 8, 8), 9);
	assert_int_equal(be_load(d + 16, 8), 21);
	assert_int_equal(be_load(d + 24, 8), 27);
	assert_int_equal(be_load(d + 32, 8), 15);
	assert_int_equal(be_load(d + 40, 8), 3000);
	assert_int_equal(be_load(d + 48, 8), 60000);
	assert_int_equal(be_load(d + 56, 8), 0);
	assert_int_equal(be_load(d + 72, 4), 0x00022208);
	assert_int_equal(be_load(d + 84, 4), 0x00030308);
	/* 10 to the power of -9, once: nanoseconds. */
	assert_int_equal(be_load(d + 88, 8), 0x0000000900000001);
	/* Thresholds and defaults. */
	for (unsigned int pc = 0; pc < 4; pc++) {
		if (pc == 1)
			continue;
		sense((uint8_t)(pc << 6 | 0x19), 0);
		for (unsigned int i = 8; i < 72; i++)
			assert_int_equal(d[i], 0);
		assert_int_equal(be_load(d + 88, 8), 0x0000000900000001);
	}
}

static void what_there_is_not_is_refused(void **state)
{
	struct command page = LOG_SENSE(0x10, 0), sub = LOG_SENSE(0x0d, 1);
	struct command beyond = LOG_SENSE(0x0d, 0), save = LOG_SENSE(0x0d, 0);
	struct command list = LOG_SENSE(0x00, 0), usage = LOG_SENSE(0x19, 0);

	(void)state;
	run_in(rig.a, &page, DEVICE_LUN, d, 256);
	assert_field_in_cdb(&page, 2, 5);
	run_in(rig.a, &sub, DEVICE_LUN, d, 256);
	assert_field_in_cdb(&sub, 3, -1);
	beyond.cdb[6] = 1;
	run_in(rig.a, &beyond, DEVICE_LUN, d, 256);
	assert_field_in_cdb(&beyond, 5, -1);
	list.cdb[6] = 1;
	run_in(rig.a, &list, DEVICE_LUN, d, 256);
	assert_field_in_cdb(&list, 5, -1);
	usage.cdb[6] = 4;
	run_in(rig.a, &usage, DEVICE_LUN, d, 256);
	assert_field_in_cdb(&usage, 5, -1);
	save.cdb[1] = 1;
	run_in(rig.a, &save, DEVICE_LUN, d, 256);
	assert_field_in_cdb(&save, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(the_pages_are_listed),
		rig_test(there_is_no_temperature_and_no_exception),
		rig_test(statistics_are_of_everybody),
		rig_test(what_there_is_not_is_refused),
	};

	return rig_main("spc/log", tests);
}
