/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lending and unmapping at once.  The file is compiled in: a module exports nothing
 * of it.  What is lent must have the file's contents and stay mapped until it is
 * given back, or the threads end with a signal.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../../usr/modules/bs_file_map.c" /* NOLINT(bugprone-suspicious-include) */

#define EXTENTS		8U
#define SIZE		(EXTENTS * EXTENT_BYTES - 4096)
#define ROUNDS		3000U

static int fd;
static struct bs_file_map *maps;
static atomic_bool stop;
static atomic_uint nr_lent;

/* Each page begins with its number. */
static int make_file(void **state)
{
	char path[] = "/tmp/file_map_test.XXXXXX";

	(void)state;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)SIZE), 0);
	for (uint64_t off = 0; off < SIZE; off += 4096) {
		const uint64_t n = off / 4096;

		assert_int_equal(pwrite(fd, &n, sizeof(n), (off_t)off), sizeof(n));
	}
	return 0;
}

static int close_file(void **state)
{
	(void)state;
	close(fd);
	return 0;
}

static bool lent(uint64_t off, uint64_t len)
{
	void *loan = NULL;
	const void *p = bs_file_map_get(maps, off, len, &loan);

	if (p)
		bs_file_map_put(loan, false);
	return p != NULL;
}

static void add(uint64_t off)
{
	while (!bs_file_map_wanted(maps, off))
		;
	bs_file_map_add(maps, off);
}

static void mapped_after_enough_reads(void **state)
{
	unsigned int reads = 0;

	(void)state;
	maps = bs_file_map_new(fd, SIZE, SIZE);
	assert_non_null(maps);
	assert_false(lent(0, 4096));
	while (!bs_file_map_wanted(maps, 0))
		assert_in_range(++reads, 1, 1000);
	assert_false(bs_file_map_wanted(maps, EXTENT_BYTES));	/* one at a time */
	bs_file_map_add(maps, 0);
	assert_true(lent(0, EXTENT_BYTES));
	assert_false(lent(0, EXTENT_BYTES + 1));
	assert_false(lent(EXTENT_BYTES, 1));
	add((EXTENTS - 1) * EXTENT_BYTES);
	assert_true(lent(SIZE - 4096, 4096));
	assert_false(lent(SIZE - 4096, 4097));
	assert_false(lent(SIZE, 1));
	assert_false(lent(UINT64_MAX - 5, 4));
	assert_false(bs_file_map_wanted(maps, UINT64_MAX));
	bs_file_map_free(maps);
}

static void held_ranges_are_not_lent(void **state)
{
	(void)state;
	maps = bs_file_map_new(fd, SIZE, SIZE);
	add(0);
	add(EXTENT_BYTES);
	bs_file_map_hold(maps, EXTENT_BYTES - 1, 1);
	assert_false(lent(0, 1));
	assert_true(lent(EXTENT_BYTES, 1));
	add(0);				/* refused: somebody holds */
	assert_false(lent(0, 1));
	bs_file_map_hold(maps, 0, UINT64_MAX / 2);
	assert_false(lent(EXTENT_BYTES, 1));
	bs_file_map_release(maps);
	add(0);
	assert_false(lent(0, 1));
	bs_file_map_release(maps);
	add(0);
	assert_true(lent(0, 1));
	bs_file_map_free(maps);
}

static void what_is_lent_stays_mapped(void **state)
{
	const uint64_t *p;
	void *loan = NULL;

	(void)state;
	maps = bs_file_map_new(fd, SIZE, EXTENT_BYTES);
	add(2 * EXTENT_BYTES);
	p = bs_file_map_get(maps, 2 * EXTENT_BYTES, 4096, &loan);
	assert_non_null(p);
	for (unsigned int i = 0; i < 4; i++)
		add(0);			/* there is no room while that is lent */
	assert_false(lent(0, 1));
	assert_int_equal(*p, 2 * EXTENT_BYTES / 4096);
	bs_file_map_put(loan, false);
	add(0);
	assert_true(lent(0, 1));
	assert_false(lent(2 * EXTENT_BYTES, 1));
	bs_file_map_free(maps);
}

static void a_fault_ends_it(void **state)
{
	void *loan = NULL;

	(void)state;
	maps = bs_file_map_new(fd, SIZE, SIZE);
	add(0);
	assert_non_null(bs_file_map_get(maps, 0, 1, &loan));
	bs_file_map_put(loan, true);
	assert_false(lent(0, 1));
	add(0);
	assert_true(lent(0, 1));
	bs_file_map_free(maps);
}

static void *borrow(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		const uint64_t page = (uint64_t)rand_r(&seed) % (SIZE / 4096);
		const uint64_t *p;
		void *loan = NULL;

		p = bs_file_map_get(maps, page * 4096, 4096, &loan);
		if (!p)
			continue;
		if (*(const volatile uint64_t *)p != page)
			abort();
		bs_file_map_put(loan, false);
		atomic_fetch_add(&nr_lent, 1);
	}
	return NULL;
}

static void lending_and_unmapping_at_once(void **state)
{
	pthread_t threads[2];
	unsigned int seed = 7;

	(void)state;
	maps = bs_file_map_new(fd, SIZE, 3 * EXTENT_BYTES);
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, borrow, (void *)(i + 1)), 0);
	for (unsigned int i = 0; i < ROUNDS || !atomic_load(&nr_lent); i++) {
		const uint64_t off = (uint64_t)rand_r(&seed) % SIZE;

		add(off);
		if (i % 8)
			continue;
		bs_file_map_hold(maps, off, 4096);
		bs_file_map_release(maps);
	}
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	bs_file_map_free(maps);
	assert_int_equal(atomic_load(&all_locked_bytes), 0);
}

/* A group without a limit is in one that has one. */
static void limits_of_groups_above_count(void **state)
{
	char mount[] = "/tmp/file_map_test.XXXXXX", path[128], group[] = "/a/b/c";
	static const struct { const char *path, *text; } files[] = {
		{ "/memory.max", "max\n" }, { "/a/memory.max", "1000\n" },
		{ "/a/b/memory.max", "2000\n" },
	};

	(void)state;
	assert_non_null(mkdtemp(mount));
	snprintf(path, sizeof(path), "%s/a", mount);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/a/b", mount);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s%s", mount, files[i].path);
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(files[i].text, f);
		fclose(f);
	}
	assert_true(limit_up_from(mount, group, "memory.max") == 1000);
	for (size_t i = ARRAY_SIZE(files); i-- > 0;) {
		snprintf(path, sizeof(path), "%s%s", mount, files[i].path);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/a/b", mount);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a", mount);
	rmdir(path);
	assert_int_equal(rmdir(mount), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped_after_enough_reads),
		cmocka_unit_test(held_ranges_are_not_lent),
		cmocka_unit_test(what_is_lent_stays_mapped),
		cmocka_unit_test(a_fault_ends_it),
		cmocka_unit_test(lending_and_unmapping_at_once),
		cmocka_unit_test(limits_of_groups_above_count),
	};

	return cmocka_run_group_tests_name("modules/file_map", tests, make_file, close_file);
}
