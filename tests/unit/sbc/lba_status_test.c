/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define BLOCK	512U
#define KIB	1024U
#define SIZE	(1024U * KIB)
#define BLOCKS	(SIZE / BLOCK)
#define PIECE	(128U * KIB)	/* a file system's own granularity divides it */

static struct rig rig;
static char *path;
static uint8_t data[PIECE];

static int setup(void **state)
{
	struct scsi_device_config config = scsi_device_default;

	(void)state;
	config.thin_provisioning = true;
	path = temp_file("/dev/shm", SIZE);
	rig_stand(&rig, "rdwr", path, NULL, &config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_fall(&rig);
	unlink(path);
	free(path);
	return 0;
}

static struct command ask(uint64_t lba, uint32_t bytes)
{
	struct command c = { .cdb = { 0x9e, 0x12 } };

	be_store(c.cdb + 2, 8, lba);
	be_store(c.cdb + 10, 4, bytes);
	return c;
}

struct extent { uint64_t lba; uint32_t nr; uint8_t status; };

static void assert_extents(uint64_t lba, const struct extent *want, unsigned int n)
{
	struct command c = ask(lba, 512);
	uint8_t d[512];

	assert_int_equal(run_in(rig.a, &c, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 8 + 16 * n);
	assert_int_equal(be_load(d, 4), 4 + 16 * n);
	for (unsigned int i = 0; i < n; i++) {
		const uint8_t *p = d + 8 + 16 * i;

		assert_int_equal(be_load(p, 8), want[i].lba);
		assert_int_equal(be_load(p + 8, 4), want[i].nr);
		assert_int_equal(p[12], want[i].status);
	}
}

static void extents_are_those_of_the_store(void **state)
{
	const uint32_t piece = PIECE / BLOCK;
	const struct extent fresh[] = { { 0, BLOCKS, 1 } };
	const struct extent written[] = { { 0, piece, 1 }, { piece, piece, 0 },
					  { 2 * piece, BLOCKS - 2 * piece, 1 } };
	const struct extent inside[] = { { piece + 1, piece - 1, 0 },
					 { 2 * piece, BLOCKS - 2 * piece, 1 } };
	struct command w = { .cdb = CDB_10(0x2a, 0, PIECE / BLOCK, PIECE / BLOCK) };

	(void)state;
	assert_extents(0, fresh, ARRAY_SIZE(fresh));
	memset(data, 1, sizeof(data));
	assert_int_equal(run_out(rig.a, &w, data, sizeof(data)), SCSI_GOOD);
	assert_extents(0, written, ARRAY_SIZE(written));
	assert_extents(piece + 1, inside, ARRAY_SIZE(inside));
}

/* One descriptor at least, however short the buffer. */
static void the_allocation_length_is_obeyed(void **state)
{
	static const struct { uint32_t length, bytes; } cases[] = {
		{ 0, 0 }, { 4, 4 }, { 8, 8 }, { 23, 23 }, { 24, 24 }, { 39, 24 }, { 512, 24 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c = ask(0, cases[i].length);
		uint8_t d[512];

		assert_int_equal(run_in(rig.a, &c, d, sizeof(d)), SCSI_GOOD);
		assert_int_equal(c.in_bytes, cases[i].bytes);
	}
}

static void the_end_is_the_end(void **state)
{
	const struct extent last[] = { { BLOCKS - 1, 1, 1 } };
	struct command c = ask(BLOCKS, 512), far = ask(UINT64_MAX, 512);

	(void)state;
	assert_extents(BLOCKS - 1, last, 1);
	run_in(rig.a, &c, data, 512);
	assert_sense(&c, 0x5, 0x21, 0x00);
	run_in(rig.a, &far, data, 512);
	assert_sense(&far, 0x5, 0x21, 0x00);
}

#define status_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		status_test(extents_are_those_of_the_store),
		status_test(the_allocation_length_is_obeyed),
		status_test(the_end_is_the_end),
	};

	return cmocka_run_group_tests_name("sbc/lba_status", tests, rig_start_daemon,
					   modules_down);
}
