/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static uint8_t d[256];

#define SENSE_6(flags, page, sub)	{ .cdb = { 0x1a, (flags), (page), (sub), 255 } }
#define SENSE_10(flags, page, sub)	{ .cdb = { 0x5a, (flags), (page), (sub), [8] = 255 } }
#define DBD	0x08
#define LLBAA	0x10

#define sense_good(...) do {							\
	struct command c_ = __VA_ARGS__;					\
	memset(d, 0xee, sizeof(d));						\
	assert_int_equal(run_in(rig.a, &c_, DEVICE_LUN, d, 255), SCSI_GOOD);	\
	got = c_.in_bytes;							\
} while (0)

/* --- MODE SENSE --- */

static void headers_and_block_descriptors(void **state)
{
	size_t got;

	(void)state;
	sense_good(SENSE_6(0, 0x0a, 0));
	assert_int_equal(got, 4 + 8 + 12);
	assert_int_equal(d[0], got - 1);
	assert_int_equal(d[2], 0x10);
	assert_int_equal(d[3], 8);
	assert_int_equal(be_load(d + 4, 4), 0x200000);
	assert_int_equal(be_load(d + 8, 4), 512);
	sense_good(SENSE_6(DBD, 0x0a, 0));
	assert_int_equal(got, 4 + 12);
	assert_int_equal(d[3], 0);
	sense_good(SENSE_10(0, 0x0a, 0));
	assert_int_equal(got, 8 + 8 + 12);
	assert_int_equal(be_load(d, 2), got - 2);
	assert_int_equal(d[4], 0);
	assert_int_equal(be_load(d + 6, 2), 8);
	sense_good(SENSE_10(LLBAA, 0x0a, 0));
	assert_int_equal(got, 8 + 16 + 12);
	assert_int_equal(d[4], 1);
	assert_int_equal(be_load(d + 6, 2), 16);
	assert_int_equal(be_load(d + 8, 8), 0x200000);
	assert_int_equal(be_load(d + 20, 4), 512);
	sense_good(SENSE_10(LLBAA | DBD, 0x0a, 0));
	assert_int_equal(got, 8 + 12);
	assert_int_equal(d[4], 0);
}

static void pages_are_given_alone_and_together(void **state)
{
	const uint8_t *p = d + 4;
	size_t got;

	(void)state;
	sense_good(SENSE_6(DBD, 0x3f, 0x00));
	assert_int_equal(got, 4 + 16 + 12 + 12);
	assert_int_equal(be_load(p, 2), 0x020e);
	assert_int_equal(be_load(p + 16, 2), 0x0a0a);
	assert_int_equal(be_load(p + 28, 2), 0x1c0a);
	sense_good(SENSE_6(DBD, 0x3f, 0xff));
	assert_int_equal(got, 4 + 16 + 12 + 32 + 12);
	assert_int_equal(be_load(p + 16, 2), 0x0a0a);
	assert_int_equal(be_load(p + 28, 4), 0x4a01001c);
	assert_int_equal(be_load(p + 60, 2), 0x1c0a);
	sense_good(SENSE_6(DBD, 0x0a, 0xff));
	assert_int_equal(got, 4 + 12 + 32);
	sense_good(SENSE_6(DBD, 0x0a, 0x01));
	assert_int_equal(got, 4 + 32);
	assert_int_equal(be_load(p, 4), 0x4a01001c);
	sense_good(SENSE_6(DBD, 0x1c, 0xff));
	assert_int_equal(got, 4 + 12);
	assert_int_equal(p[2], 0x08);
}

/* Shown in place of ours or beside them; page 00h at the end. */
static void pages_of_the_user_are_shown(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	const uint8_t *p = d + 4;
	struct command c;
	size_t got;

	(void)state;
	config.nr_pages = 3;
	config.pages[0] = (struct scsi_device_page){ 0x00, 0x00, 2, { 0xab, 0xcd } };
	config.pages[1] = (struct scsi_device_page){ 0x1c, 0x00, 10, { 0x10 } };
	config.pages[2] = (struct scsi_device_page){ 0x21, 0x07, 3, { 1, 2, 3 } };
	set_config(rig.dev, &config);
	sense_good(SENSE_6(DBD, 0x3f, 0xff));
	assert_int_equal(got, 4 + 16 + 12 + 32 + 12 + 7 + 4);
	assert_int_equal(be_load(p + 60, 3), 0x1c0a10);
	assert_int_equal(be_load(p + 72, 7), 0x61070003010203);
	assert_int_equal(be_load(p + 79, 4), 0x0002abcd);
	sense_good(SENSE_6(DBD, 0x61, 0x07));		/* changeable: nothing */
	assert_int_equal(be_load(p, 7), 0x61070003000000);
	sense_good(SENSE_10(DBD, 0x21, 0x07));
	assert_int_equal(got, 8 + 7);
	d[1] = 0;
	c = (struct command){ .cdb = { 0x55, 0x10, [8] = 15 } };
	assert_int_equal(run_out(rig.a, &c, d, 15), SCSI_GOOD);
	d[14] = 9;
	c = (struct command){ .cdb = { 0x55, 0x10, [8] = 15 } };
	run_out(rig.a, &c, d, 15);
	assert_sense(&c, 0x5, 0x26, 0x00);
	assert_int_equal(be_load(c.sense + 16, 2), 14);
}

/* Current, changeable, default values. */
static void page_control_is_obeyed(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command saved = SENSE_6(DBD, 0xca, 0);
	const uint8_t *p = d + 4;
	size_t got;

	(void)state;
	config.sense_descriptor = true;
	config.swp = true;
	set_config(rig.dev, &config);
	sense_good(SENSE_6(DBD, 0x0a, 0));
	assert_int_equal(got, 4 + 12);
	assert_int_equal(d[2], 0x90);		/* write protected */
	assert_int_equal(p[2], 0x26);		/* TST=001b, D_SENSE, GLTSD */
	assert_int_equal(p[3], 0x10);		/* QAM=0001b */
	assert_int_equal(p[4], 0x08);
	assert_int_equal(p[5], 0x40);		/* TAS */
	sense_good(SENSE_6(DBD, 0x4a, 0));
	assert_int_equal(be_load(p, 6), 0x0a0a04000800);
	sense_good(SENSE_6(DBD, 0x8a, 0));
	assert_int_equal(p[2], 0x22);
	assert_int_equal(p[4], 0x00);
	run_in(rig.a, &saved, DEVICE_LUN, d, 255);
	assert_sense(&saved, 0x5, 0x39, 0x00);
}

static void pages_that_there_are_not_are_refused(void **state)
{
	struct command page = SENSE_6(0, 0x19, 0), sub = SENSE_6(0, 0x0a, 2);
	struct command all = SENSE_6(0, 0x3f, 1);

	(void)state;
	run_in(rig.a, &page, DEVICE_LUN, d, 255);
	assert_field_in_cdb(&page, 2, 5);
	run_in(rig.a, &sub, DEVICE_LUN, d, 255);
	assert_field_in_cdb(&sub, 3, -1);
	run_in(rig.a, &all, DEVICE_LUN, d, 255);
	assert_field_in_cdb(&all, 3, -1);
}

static void the_controller_has_no_blocks(void **state)
{
	struct command c = SENSE_6(0, 0x3f, 0);

	(void)state;
	clear_attention(rig.a, 0);
	assert_int_equal(run_in(rig.a, &c, 0, d, 255), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 4 + 12);
	assert_int_equal(d[3], 0);
}

/* --- MODE SELECT --- */

/* What MODE SENSE gives, ready to be sent back. */
static size_t get_list(bool ten, uint8_t page)
{
	size_t got;

	if (ten)
		sense_good(SENSE_10(0, page, 0));
	else
		sense_good(SENSE_6(0, page, 0));
	d[ten ? 1 : 0] = 0;
	return got;
}

static enum scsi_status mode_select(struct command *c, bool ten, size_t bytes)
{
	*c = (struct command){ .cdb = { ten ? 0x55 : 0x15, 0x10 } };
	c->cdb[ten ? 8 : 4] = (uint8_t)bytes;
	return run_out(rig.a, c, d, bytes);
}

static void what_was_sensed_can_be_selected(void **state)
{
	struct command c;
	size_t got;

	(void)state;
	for (unsigned int ten = 0; ten < 2; ten++) {
		assert_int_equal(mode_select(&c, ten, get_list(ten, 0x3f)), SCSI_GOOD);
		if (ten)
			sense_good(SENSE_10(0, 0x3f, 0xff));
		else
			sense_good(SENSE_6(0, 0x3f, 0xff));
		d[ten ? 1 : 0] = 0;
		assert_int_equal(mode_select(&c, ten, got), SCSI_GOOD);
		assert_int_equal(mode_select(&c, ten, 0), SCSI_GOOD);
	}
}

static void changes_take_effect_and_are_told(void **state)
{
	struct command c, tur = { .cdb = { 0x00 }, .lun = DEVICE_LUN }, mine = tur;
	struct command bad = { .cdb = { 0xee }, .lun = DEVICE_LUN };
	size_t n = get_list(false, 0x0a);

	(void)state;
	d[12 + 2] |= 0x04;
	d[12 + 4] |= 0x08;
	assert_int_equal(mode_select(&c, false, n), SCSI_GOOD);
	command_run(rig.a, &bad);
	assert_int_equal(bad.sense[0], 0x72);
	assert_false(scsi_device_writable(rig.dev));
	command_run(rig.b, &tur);
	assert_sense(&tur, 0x6, 0x2a, 0x01);
	assert_int_equal(command_run(rig.a, &mine), SCSI_GOOD);
}

struct stall {
	struct mail mail;
	sem_t until, over;
};

static void stall(struct mail *m)
{
	struct stall *s = container_of(m, struct stall, mail);

	wait_for(&s->until, "the end of a stall");
	sem_post(&s->over);
}

/* While a reactor cannot be told there is no answer. */
static void others_are_told_before_the_answer(void **state)
{
	const size_t n = get_list(false, 0x0a);
	struct command c = { .cdb = { 0x15, 0x10, [4] = (uint8_t)n }, .lun = DEVICE_LUN };
	struct command tur = { .cdb = { 0x00 }, .lun = DEVICE_LUN };
	struct timespec soon;
	struct stall s = { 0 };

	(void)state;
	d[12 + 2] ^= 0x04;
	c.out = d;
	c.out_bytes = n;
	sem_init(&s.until, 0, 0);
	sem_init(&s.over, 0, 0);
	reactor_mailbox_send(rig.b->reactor, &s.mail, stall);
	command_submit(rig.a, &c);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 100000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	assert_int_equal(sem_timedwait(&c.over, &soon), -1);
	sem_post(&s.until);
	command_wait(&c);
	command_released(&c);
	assert_int_equal(c.status, SCSI_GOOD);
	command_run(rig.b, &tur);
	assert_sense(&tur, 0x6, 0x2a, 0x01);
	wait_for(&s.over, "a stall to be over");
	sem_destroy(&s.until);
	sem_destroy(&s.over);
}

static void bad_lists_change_nothing(void **state)
{
	static const struct {
		const char *why;
		size_t cut;		/* bytes off the end */
		size_t at;		/* a byte to change, 0: none */
		uint8_t value;
		uint8_t asc;
		int field;
	} cases[] = {
		{ "no header", 3 + 8 + 12, 0, 0, 0x1a, -1 },
		{ "half of the block descriptor", 12 + 4, 0, 0, 0x1a, -1 },
		{ "half of the page", 6, 0, 0, 0x1a, -1 },
		{ "another block size", 0, 11, 0x01, 0x26, 9 },
		{ "another number of blocks", 0, 7, 0x01, 0x26, 4 },
		{ "block descriptor of 4 bytes", 0, 3, 4, 0x26, 3 },
		{ "a page that there is not", 0, 12, 0x19, 0x26, 12 },
		{ "a subpage", 0, 12, 0x4a, 0x26, 12 },
		{ "a wrong page length", 0, 13, 0x0b, 0x26, 13 },
		{ "TST", 0, 14, 0x06, 0x26, 14 },
		{ "a reserved bit", 0, 20, 0x80, 0x26, 20 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const size_t n = get_list(false, 0x0a);
		struct command c;

		d[14] |= 0x04;		/* D_SENSE: would be a change */
		if (cases[i].at)
			d[cases[i].at] = cases[i].value;
		mode_select(&c, false, n - cases[i].cut);
		if (!sense_is(&c, 0x5, cases[i].asc, 0))
			fail_msg("%s", cases[i].why);
		if (cases[i].field >= 0)
			assert_int_equal(be_load(c.sense + 16, 2), cases[i].field);
		assert_false(scsi_device_config(rig.dev)->sense_descriptor);
	}
}

static void without_a_place_nothing_can_be_saved(void **state)
{
	struct command c = { .cdb = { 0x15, 0x11, [4] = 4 } };
	size_t got;

	(void)state;
	run_out(rig.a, &c, d, 4);
	assert_field_in_cdb(&c, 1, 0);
	sense_good(SENSE_6(DBD, 0x0a, 0));
	assert_int_equal(got, 4 + 12);
	assert_int_equal(d[4], 0x0a);		/* PS=0 */
}

/* Only what can be changed can be saved. */
static void saved_values_are_those_by_default_at_first(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command controller = SENSE_6(DBD, 0xca, 0);
	size_t got;

	(void)state;
	assert_int_equal(lu_state_dir_set("/tmp"), 0);
	config.sense_descriptor = true;
	set_config(rig.dev, &config);
	sense_good(SENSE_6(DBD, 0x0a, 0));
	assert_int_equal(got, 4 + 12);
	assert_int_equal(be_load(d + 4, 3), 0x8a0a26);
	sense_good(SENSE_6(DBD, 0xca, 0));
	assert_int_equal(be_load(d + 4, 3), 0x8a0a22);
	sense_good(SENSE_6(DBD, 0xdc, 0));
	assert_int_equal(be_load(d + 4, 3), 0x1c0a08);
	clear_attention(rig.a, 0);
	run_in(rig.a, &controller, 0, d, 255);
	assert_sense(&controller, 0x5, 0x39, 0x00);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(headers_and_block_descriptors),
		rig_test(pages_are_given_alone_and_together),
		rig_test(pages_of_the_user_are_shown),
		rig_test(page_control_is_obeyed),
		rig_test(pages_that_there_are_not_are_refused),
		rig_test(the_controller_has_no_blocks),
		rig_test(what_was_sensed_can_be_selected),
		rig_test(changes_take_effect_and_are_told),
		rig_test(others_are_told_before_the_answer),
		rig_test(bad_lists_change_nothing),
		rig_test(without_a_place_nothing_can_be_saved),
		rig_test(saved_values_are_those_by_default_at_first),
	};

	return rig_main("spc/mode", tests);
}
