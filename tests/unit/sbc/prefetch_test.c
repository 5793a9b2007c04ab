/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <sys/mman.h>
#include "rig.h"

#define BLOCK	512U
#define SIZE	(24ULL << 20)
#define BLOCKS	(SIZE / BLOCK)
#define FITS	((16U << 20) / BLOCK)	/* of the cache, for one command */

static struct rig rig;
static char *path;

static int setup(void **state)
{
	(void)state;
	path = temp_file(".", SIZE);	/* tmpfs has no other place */
	rig_stand(&rig, "rdwr", path, NULL, &scsi_device_default);
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

static struct command prefetch(uint8_t immed, uint32_t lba, uint32_t nr)
{
	struct command c = { .cdb = { 0x90, immed } };

	be_store(c.cdb + 2, 8, lba);
	be_store(c.cdb + 10, 4, nr);
	return c;
}

static void what_fits_meets_the_condition(void **state)
{
	static const struct {
		const char *why;
		uint32_t lba, nr;
		enum scsi_status status;
	} cases[] = {
		{ "one block", 0, 1, SCSI_CONDITION_MET },
		{ "all that fits", 8, FITS, SCSI_CONDITION_MET },
		{ "more than fits", 8, FITS + 1, SCSI_GOOD },
		{ "the last block", BLOCKS - 1, 1, SCSI_CONDITION_MET },
		{ "to the end, which fits", BLOCKS - FITS, 0, SCSI_CONDITION_MET },
		{ "to the end, which does not", 0, 0, SCSI_GOOD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (uint8_t immed = 0; immed <= 2; immed += 2) {
			struct command c = prefetch(immed, cases[i].lba, cases[i].nr);

			if (run_plain(rig.a, &c) != cases[i].status)
				fail_msg("%s: status %02x", cases[i].why, c.status);
			assert_int_equal(c.want_bytes, 0);
		}
}

static void the_end_is_the_end(void **state)
{
	struct command beyond = prefetch(0, BLOCKS - 1, 2), at = prefetch(0, BLOCKS, 0);
	struct command ten = { .cdb = CDB_10(0x34, 0x02, BLOCKS - 1, 1) };

	(void)state;
	run_plain(rig.a, &beyond);
	assert_sense(&beyond, 0x5, 0x21, 0x00);
	run_plain(rig.a, &at);
	assert_sense(&at, 0x5, 0x21, 0x00);
	assert_int_equal(run_plain(rig.a, &ten), SCSI_CONDITION_MET);
}

/* Without IMMED, what is answered for is in the page cache. */
static void the_blocks_are_in_the_cache(void **state)
{
	const long page = sysconf(_SC_PAGESIZE);
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	struct command c = prefetch(0, 0, FITS);
	unsigned char *there;
	uint8_t *map;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, SIZE), 0);
	assert_int_equal(fdatasync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(run_plain(rig.a, &c), SCSI_CONDITION_MET);
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	there = calloc(SIZE / (size_t)page, 1);
	assert_non_null(there);
	assert_int_equal(mincore(map, SIZE, there), 0);
	for (size_t i = 0; i < (16U << 20) / (size_t)page; i++)
		assert_true(there[i] & 1);
	free(there);
	munmap(map, SIZE);
	close(fd);
}

static void a_store_without_a_cache_has_no_place(void **state)
{
	struct command c = prefetch(0, 0, 1);

	(void)state;
	rig_fall(&rig);
	rig_stand(&rig, "ram", "", "size=1M", &scsi_device_default);
	assert_int_equal(run_plain(rig.a, &c), SCSI_GOOD);
}

#define prefetch_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		prefetch_test(what_fits_meets_the_condition),
		prefetch_test(the_end_is_the_end),
		prefetch_test(the_blocks_are_in_the_cache),
		prefetch_test(a_store_without_a_cache_has_no_place),
	};

	return cmocka_run_group_tests_name("sbc/prefetch", tests, rig_start_daemon,
					   modules_down);
}
