/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include "erase.h"

#define OVERWRITE	0x01
#define BLOCK_ERASE	0x02
#define CRYPTO		0x03
#define EXIT		0x1f
#define IMMED		0x80
#define AUSE		0x20
#define BLOCKS		(4096U)		/* 2 MiB */

static uint8_t list[4 + 2 * BLOCK];

static size_t overwrite_list(uint8_t how, size_t bytes)
{
	list[0] = how;
	list[1] = 0;
	be_store(list + 2, 2, bytes);
	fill(list + 4, MIN(bytes, 2 * BLOCK), 3, 9);
	return 4 + bytes;
}

static enum scsi_status sanitize(struct command *c, uint8_t how, size_t list_bytes)
{
	*c = (struct command){ .cdb = { 0x48, how } };
	be_store(c->cdb + 7, 2, list_bytes);
	return run_out(rig.a, c, list, list_bytes);
}

static int setup(void **state)
{
	(void)state;
	stand_with_rules("2M", "op=write;after=1;error=EIO", true);
	write_all(BLOCKS, 0xaa);
	return 0;
}

static int setup_slow(void **state)
{
	(void)state;
	stand_with_rules("2M", "op=write;hang=yes", true);
	write_all(BLOCKS, 0xaa);
	return 0;
}

static int setup_delayed(void **state)
{
	(void)state;
	stand_with_rules("2M", "op=write;delay=300", true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fall_with_rules();
	return 0;
}

/* --- what it does --- */

static void overwrite_leaves_the_pattern(void **state)
{
	static const size_t sizes[] = { 4, 3, BLOCK / 2, BLOCK };
	struct command c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(sanitize(&c, OVERWRITE, overwrite_list(1, sizes[i])),
				 SCSI_GOOD);
		assert_block(0, list + 4, sizes[i]);
		assert_block(2049, list + 4, sizes[i]);
		assert_block(BLOCKS - 1, list + 4, sizes[i]);
	}
	assert_true(is_ready(rig.b));
}

/* However often, the last pass is the pattern; each pass is written. */
static void passes_are_made_and_inverted(void **state)
{
	struct command c;

	(void)state;
	for (uint8_t count = 1; count <= 4; count++) {
		const unsigned int before = atomic_load(&ram->ops[BS_WRITE]);

		assert_int_equal(sanitize(&c, OVERWRITE,
					  overwrite_list((uint8_t)(0x80 | count), 16)),
				 SCSI_GOOD);
		assert_int_equal(atomic_load(&ram->ops[BS_WRITE]), before + 2U * count);
		assert_block(7, list + 4, 16);
	}
}

/* Zeroes too are written, not merely noted. */
static void zeroes_are_written(void **state)
{
	const unsigned int before = atomic_load(&ram->ops[BS_WRITE]);
	struct command c;

	(void)state;
	overwrite_list(1, 4);
	memset(list + 4, 0, 4);
	assert_int_equal(sanitize(&c, OVERWRITE, 8), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->ops[BS_WRITE]), before + 2);
}

static void block_erase_writes_over_and_deallocates(void **state)
{
	const unsigned int writes = atomic_load(&ram->ops[BS_WRITE]);
	const unsigned int zeroes = atomic_load(&ram->ops[BS_WRITE_ZEROES]);
	const unsigned int unmaps = atomic_load(&ram->unmap_flags);
	struct command c;

	(void)state;
	assert_int_equal(sanitize(&c, BLOCK_ERASE, 0), SCSI_GOOD);
	assert_block(0, (const uint8_t[1]){ 0 }, 1);
	assert_block(BLOCKS - 1, (const uint8_t[1]){ 0 }, 1);
	assert_int_equal(atomic_load(&ram->ops[BS_WRITE]), writes + 2);
	assert_int_equal(atomic_load(&ram->ops[BS_WRITE_ZEROES]), zeroes + 1);
	assert_int_equal(atomic_load(&ram->unmap_flags), unmaps + 1);
}

/* A store that knows nothing of its map is written over, and that ends. */
static void a_map_without_lengths_is_no_loop(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command c;

	(void)state;
	config.thin_provisioning = true;
	rig_stand(&rig, "ram", NULL, "size=64K;vague=yes", &config);
	write_all(64 << 10 >> 9, 0xaa);
	assert_int_equal(sanitize(&c, BLOCK_ERASE, 0), SCSI_GOOD);
	assert_block(127, (const uint8_t[1]){ 0 }, 1);
	rig_fall(&rig);
}

/* --- what it refuses --- */

static void bad_lists_change_nothing(void **state)
{
	static const struct {
		const char *why;
		uint8_t how;
		uint8_t first;		/* of the list */
		size_t says, bytes;
		uint8_t asc;
	} cases[] = {
		{ "no pattern", OVERWRITE, 1, 0, 4, 0x24 },
		{ "no list", OVERWRITE, 1, 0, 0, 0x24 },
		{ "longer than a block", OVERWRITE, 1, BLOCK + 1, 4 + BLOCK + 1, 0x24 },
		{ "says 0", OVERWRITE, 1, 0, 4 + BLOCK, 0x26 },
		{ "says more than it has", OVERWRITE, 1, 8, 4 + 4, 0x26 },
		{ "no pass", OVERWRITE, 0, 4, 8, 0x26 },
		{ "a test that nobody knows", OVERWRITE, 0x21, 4, 8, 0x26 },
		{ "block erase has no list", BLOCK_ERASE, 1, 4, 8, 0x24 },
		{ "exit has no list", EXIT, 1, 4, 8, 0x24 },
		{ "there is no key", CRYPTO, 1, 0, 0, 0x24 },
		{ "a reserved bit", OVERWRITE | 0x40, 1, 4, 8, 0x24 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c;

		overwrite_list(cases[i].first, cases[i].says);
		sanitize(&c, cases[i].how, cases[i].bytes);
		if (!sense_is(&c, 0x5, cases[i].asc, 0))
			fail_msg("%s: %02x %02x", cases[i].why, c.status, c.sense[12]);
		assert_block(0, (const uint8_t[1]){ 0xaa }, 1);
	}
}

static void a_thick_disk_has_no_block_erase(void **state)
{
	struct command c;

	(void)state;
	set_config(rig.disk, &scsi_device_default);
	sanitize(&c, BLOCK_ERASE, 0);
	assert_int_equal(c.status, SCSI_CHECK_CONDITION);
	assert_block(0, (const uint8_t[1]){ 0xaa }, 1);
}

static void a_protected_disk_is_left_alone(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command c;

	(void)state;
	config.readonly = true;
	set_config(rig.disk, &config);
	sanitize(&c, OVERWRITE, overwrite_list(1, 4));
	assert_sense(&c, 0x7, 0x27, 0x00);
	assert_block(0, (const uint8_t[1]){ 0xaa }, 1);
}

/* --- while it runs --- */

static void others_are_refused_meanwhile(void **state)
{
	static const uint8_t cdbs[][16] = {
		{ 0x00 }, CDB_10(0x28, 0, 0, 1), CDB_10(0x2a, 0, 0, 1), { 0x1b, 0, 0, 0, 1 },
		{ 0x25 }, { 0x1a, 0, 0x3f, 0, 255 }, { 0x48, EXIT }, { 0x48, BLOCK_ERASE },
		{ 0x04 },
	};
	struct command c, inquiry = { .cdb = { 0x12, [4] = 36 } };
	struct command luns = { .cdb = { 0xa0, [9] = 16 } };
	unsigned int progress = 1;
	uint8_t d[64];

	(void)state;
	rules_apply(true);
	assert_int_equal(sanitize(&c, IMMED | OVERWRITE, overwrite_list(3, 4)), SCSI_GOOD);
	for (size_t i = 0; i < ARRAY_SIZE(cdbs); i++) {
		struct command o = { 0 };

		memcpy(o.cdb, cdbs[i], 16);
		run_plain(rig.b, &o);
		assert_sense(&o, 0x2, 0x04, 0x1b);
		assert_int_equal(o.sense[15], 0x80);
	}
	assert_int_equal(run_in(rig.b, &inquiry, d, 36), SCSI_GOOD);
	assert_int_equal(run_in(rig.b, &luns, d, 16), SCSI_GOOD);
	assert_int_equal(sense_now(rig.b, &progress), 0x041b);
	assert_in_range(progress, 0, 0x5555);
	rules_apply(false);
	wait_until_ready(rig.b);
	assert_int_equal(sense_now(rig.b, NULL), 0);
	assert_block(BLOCKS - 1, list + 4, 4);
}

static void set_blocks(void *arg)
{
	struct lu_geometry g = *lu_geometry(rig.lu);

	g.nr_blocks = *(const uint64_t *)arg;
	assert_int_equal(lu_set_geometry(rig.lu, &g), 0);
}

/* There is more to do than was thought: it is at its end for longer. */
static void progress_of_a_disk_that_grows_is_never_less(void **state)
{
	uint64_t blocks = BLOCKS / 2;
	unsigned int progress, most = 0;
	struct command c;

	(void)state;
	call_on(test_daemon.control, set_blocks, &blocks);
	rules_apply(true);
	assert_int_equal(sanitize(&c, IMMED | OVERWRITE, overwrite_list(1, 4)), SCSI_GOOD);
	blocks = BLOCKS / 4 * 3;
	call_on(test_daemon.control, set_blocks, &blocks);
	while (!is_ready(rig.b)) {
		struct command s = { .cdb = { 0x03, [4] = 18 } };
		uint8_t d[18];

		assert_int_equal(run_in(rig.b, &s, d, sizeof(d)), SCSI_GOOD);
		if (be_load(d + 12, 2) != 0x041b)
			continue;
		progress = (unsigned int)be_load(d + 16, 2);
		assert_true(progress >= most);
		most = progress;
	}
	assert_block(BLOCKS / 4 * 3 - 1, list + 4, 4);
}

/* Neither the end of the task nor resets nor the loss of the nexus end it. */
static void it_outlives_its_task(void **state)
{
	struct command c = { .cdb = { 0x48, OVERWRITE, [8] = 8 }, .lun = DISK_LUN };
	struct command tur = { .cdb = { 0x00 } };

	(void)state;
	overwrite_list(1, 4);
	c.out = list;
	c.out_bytes = 8;
	rules_apply(true);
	command_submit(rig.a, &c);
	while (sense_now(rig.b, NULL) != 0x041b)
		;
	assert_int_equal(manage(rig.a, SCSI_TMF_ABORT_TASK, DISK_LUN, &c),
			 SCSI_TMF_COMPLETE);
	command_wait(&c);
	assert_true(c.aborted);
	assert_int_equal(manage(rig.b, SCSI_TMF_LUN_RESET, DISK_LUN, NULL),
			 SCSI_TMF_COMPLETE);
	run_plain(rig.b, &tur);
	assert_sense(&tur, 0x6, 0x29, 0x03);
	run_plain(rig.b, &tur);
	assert_sense(&tur, 0x2, 0x04, 0x1b);
	rules_apply(false);
	command_released(&c);
	wait_until_ready(rig.b);
	assert_block(BLOCKS - 1, list + 4, 4);
}

/* A write that is on its way ends before, and lands before, or not at all. */
static void nobody_writes_behind_it(void **state)
{
	struct command w = { .cdb = CDB_10(0x2a, 0, 3, 1), .lun = DISK_LUN }, c;
	struct command late = w;
	uint8_t block[BLOCK];

	(void)state;
	memset(block, 0x55, sizeof(block));
	w.out = late.out = block;
	w.out_bytes = late.out_bytes = BLOCK;
	late.withhold = true;
	rules_apply(true);
	command_submit(rig.b, &w);		/* hangs in the store */
	command_submit(rig.b, &late);		/* its data has not come */
	wait_for(&late.collected, "a task to collect");
	assert_int_equal(sanitize(&c, IMMED | OVERWRITE, overwrite_list(1, 4)), SCSI_GOOD);
	command_wait(&w);
	assert_sense(&w, 0x2, 0x04, 0x1b);
	command_wait(&late);
	assert_sense(&late, 0x2, 0x04, 0x1b);
	rules_apply(false);
	command_released(&w);
	command_released(&late);
	wait_until_ready(rig.b);
	assert_block(3, list + 4, 4);
}

static void a_lun_can_be_taken_away(void **state)
{
	struct command c;

	(void)state;
	rules_apply(true);
	assert_int_equal(sanitize(&c, IMMED | OVERWRITE, overwrite_list(31, 4)), SCSI_GOOD);
	assert_int_equal(remove_lun(rig.target, DISK_LUN), 0);
	rules_apply(false);
	/* The rest, teardown waits for: that the store is closed. */
	assert_int_equal(add_lun(rig.target, DISK_LUN, rig.disk), 0);
}

/* --- when it fails --- */

static void fail_it(uint8_t how)
{
	struct command c, tur = { .cdb = { 0x00 } };

	rules_apply(true);
	sanitize(&c, how, overwrite_list(1, 4));
	assert_sense(&c, 0x3, 0x31, 0x03);
	rules_apply(false);
	run_plain(rig.b, &tur);
	assert_sense(&tur, 0x3, 0x31, 0x03);
	assert_int_equal(sense_now(rig.b, NULL), 0x3103);
}

static void a_failure_is_left_by_another_one_that_succeeds(void **state)
{
	struct command c, format = { .cdb = { 0x04 } };

	(void)state;
	fail_it(OVERWRITE);
	sanitize(&c, EXIT, 0);			/* restricted: no other way */
	assert_field_in_cdb(&c, 1, 4);
	sanitize(&c, AUSE | OVERWRITE, overwrite_list(1, 4));
	assert_field_in_cdb(&c, 1, 5);
	run_plain(rig.a, &format);
	assert_sense(&format, 0x3, 0x31, 0x03);
	assert_int_equal(sanitize(&c, OVERWRITE, overwrite_list(1, 4)), SCSI_GOOD);
	assert_true(is_ready(rig.b));
}

static void exit_failure_mode_is_for_who_asked_for_it(void **state)
{
	struct command c;

	(void)state;
	fail_it(AUSE | OVERWRITE);
	assert_int_equal(sanitize(&c, EXIT, 0), SCSI_GOOD);
	assert_true(is_ready(rig.b));
	assert_int_equal(sanitize(&c, EXIT, 0), SCSI_GOOD);	/* nothing to leave */
}

#define quick_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
#define slow_test(f)	cmocka_unit_test_setup_teardown(f, setup_slow, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		quick_test(overwrite_leaves_the_pattern),
		quick_test(passes_are_made_and_inverted),
		quick_test(zeroes_are_written),
		quick_test(block_erase_writes_over_and_deallocates),
		quick_test(bad_lists_change_nothing),
		cmocka_unit_test(a_map_without_lengths_is_no_loop),
		quick_test(a_thick_disk_has_no_block_erase),
		quick_test(a_protected_disk_is_left_alone),
		slow_test(others_are_refused_meanwhile),
		slow_test(it_outlives_its_task),
		slow_test(nobody_writes_behind_it),
		cmocka_unit_test_setup_teardown(progress_of_a_disk_that_grows_is_never_less,
						setup_delayed, teardown),
		slow_test(a_lun_can_be_taken_away),
		quick_test(a_failure_is_left_by_another_one_that_succeeds),
		quick_test(exit_failure_mode_is_for_who_asked_for_it),
	};

	return cmocka_run_group_tests_name("sbc/sanitize", tests, ram_start, modules_down);
}
