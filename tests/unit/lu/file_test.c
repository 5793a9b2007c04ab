/* SPDX-License-Identifier: BSD-3-Clause */
/* What bs_rdwr, bs_aio and bs_uring promise about files. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include "disk.h"

#define MIB	(1024ULL * 1024)

static const struct store {
	const char *name, *bstype;
	uint32_t flags;
} stores[] = {
	{ "lu/file rdwr", "rdwr", 0 },
	{ "lu/file rdwr direct", "rdwr", BS_OPEN_DIRECT },
	{ "lu/file aio", "aio", 0 },
	{ "lu/file uring", "uring", 0 },
	{ "lu/file uring direct", "uring", BS_OPEN_DIRECT },
};

static const struct store *store;	/* the one whose turn it is */
static uint8_t *buf;		/* MIB, aligned for direct I/O */

static struct lu *open_file(const char *path, uint32_t flags, uint32_t block_bytes)
{
	const struct bs_open_spec spec = { .bstype = store->bstype, .path = path,
					   .flags = store->flags | flags,
					   .block_bytes = block_bytes };
	char why[512];
	int err;
	struct lu *lu = disk_try_open(&spec, &err, why);

	if (!lu)
		fail_msg("%s (%d)", why, err);
	return lu;
}

static void a_file_that_shrank_is_a_medium_error(void **state)
{
	char *path = temp_file(temp_dir(), MIB);
	struct lu *lu = open_file(path, 0, 0);
	struct client c = client_open(lu, 0);

	(void)state;
	assert_int_equal(do_write(&c, 0, buf, MIB), 0);
	assert_int_equal(truncate(path, 8192), 0);
	assert_int_equal(do_read(&c, 4096, buf, 4096), 0);
	assert_int_equal(do_read(&c, 4096, buf, 8192), -ENODATA);
	assert_int_equal(do_read(&c, 65536, buf, 4096), -ENODATA);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
}

static void cold_data_is_read_too(void **state)
{
	char *path = temp_file(temp_dir(), MIB);
	struct lu *lu = open_file(path, 0, 0);
	struct client c = client_open(lu, 0);
	uint8_t *want = malloc(MIB);
	int fd;

	(void)state;
	assert_non_null(want);
	fill(want, MIB, 0, 9);
	assert_int_equal(do_write(&c, 0, want, MIB), 0);
	assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	fd = open(path, O_RDONLY);
	assert_true(fd != -1);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(fd);
	memset(buf, 0, MIB);
	assert_int_equal(do_read(&c, 0, buf, 4096), 0);	/* some of it is cached now */
	assert_int_equal(do_read(&c, 0, buf, MIB), 0);
	assert_memory_equal(buf, want, MIB);
	free(want);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
}

static uint64_t allocated(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void unmapping_gives_space_back_beyond_4_gib(void **state)
{
	const uint64_t size = 6ULL << 30, far = 5ULL << 30;
	char *path = temp_file(temp_dir(), size);
	struct lu *lu = open_file(path, 0, 0);
	struct client c = client_open(lu, 0);
	uint64_t before;

	(void)state;
	if (!lu_store_info(lu)->thin) {
		client_close(&c);
		disk_close(lu);
		unlink(path);
		free(path);
		skip();
		return;
	}
	fill(buf, MIB, 0, 10);
	assert_int_equal(do_write(&c, 0, buf, MIB), 0);
	assert_int_equal(do_write(&c, far, buf, MIB), 0);
	assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	before = allocated(path);
	assert_true(before >= 2 * MIB);
	/* More than 32 bits of bytes, in one piece, all but the last 4 KiB. */
	assert_int_equal(do_io(&c, LU_UNMAP, 0, 0, far + MIB - 4096, NULL, 0, NULL), 0);
	assert_true(allocated(path) < before - MIB);
	assert_int_equal(do_read(&c, far, buf, MIB), 0);
	for (size_t i = 0; i < MIB - 4096; i++)
		if (buf[i])
			fail_msg("byte %zu is %02x", i, buf[i]);
	assert_int_not_equal(buf[MIB - 4096 + 1], 0);
	assert_int_equal(allocated(path) > 0, 1);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
}

static void zeroes_keep_space_unless_they_may_unmap(void **state)
{
	char *path = temp_file(temp_dir(), MIB);
	struct lu *lu = open_file(path, 0, 0);
	struct client c = client_open(lu, 0);
	const bool thin = lu_store_info(lu)->thin;

	(void)state;
	memset(buf, 'x', MIB);
	assert_int_equal(do_write(&c, 0, buf, MIB), 0);
	assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	assert_int_equal(do_io(&c, LU_WRITE_ZEROES, 0, 0, MIB, NULL, 0, NULL), 0);
	assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	assert_true(allocated(path) >= MIB);
	assert_int_equal(do_io(&c, LU_WRITE_ZEROES, LU_IO_UNMAP, 0, MIB, NULL, 0, NULL), 0);
	if (thin)
		assert_true(allocated(path) < MIB / 2);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
}

static void holes_are_told_from_data(void **state)
{
	char *path = temp_file(temp_dir(), 4 * MIB);
	struct lu *lu = open_file(path, 0, 0);
	struct client c = client_open(lu, 0);
	bool mapped;

	(void)state;
	if (!lu_store_info(lu)->thin) {
		client_close(&c);
		disk_close(lu);
		unlink(path);
		free(path);
		skip();
		return;
	}
	assert_int_equal(do_status(&c, 0, 4 * MIB, &mapped), 4 * MIB);
	assert_false(mapped);			/* nothing was ever written */
	fill(buf, MIB, 0, 12);
	assert_int_equal(do_write(&c, MIB, buf, MIB), 0);
	assert_int_equal(do_status(&c, 512, 4 * MIB - 512, &mapped), MIB - 512);
	assert_false(mapped);
	assert_int_equal(do_status(&c, MIB, 3 * MIB, &mapped), MIB);
	assert_true(mapped);
	assert_int_equal(do_status(&c, MIB + 4096, 8192, &mapped), 8192);
	assert_true(mapped);
	assert_int_equal(do_status(&c, 2 * MIB, 2 * MIB, &mapped), 2 * MIB);
	assert_false(mapped);
	assert_int_equal(do_io(&c, LU_UNMAP, 0, MIB + 65536, 65536, NULL, 0, NULL), 0);
	assert_int_equal(do_status(&c, MIB, 3 * MIB, &mapped), 65536);
	assert_true(mapped);
	assert_int_equal(do_status(&c, MIB + 65536, 2 * MIB, &mapped), 65536);
	assert_false(mapped);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
}

static void direct_io_tells_its_alignment(void **state)
{
	char *path = temp_file(temp_dir(), MIB);
	const struct bs_open_spec spec = { .bstype = store->bstype, .path = path,
					   .flags = BS_OPEN_DIRECT, .block_bytes = 4096 };
	char why[512];
	struct client c;
	struct lu *lu;
	int err;

	(void)state;
	lu = disk_try_open(&spec, &err, why);
	if (!lu) {
		assert_non_null(strstr(why, "direct"));
		unlink(path);
		free(path);
		skip();
		return;
	}
	assert_true(lu_store_info(lu)->align_bytes >= 512);
	c = client_open(lu, 0);
	fill(buf, 65536, 0, 11);
	assert_int_equal(do_write(&c, 8192, buf, 65536), 0);
	memset(buf + 131072, 0, 65536);
	assert_int_equal(do_read(&c, 8192, buf + 131072, 65536), 0);
	assert_memory_equal(buf, buf + 131072, 65536);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
}

static void sync_has_no_write_cache(void **state)
{
	char *path = temp_file(temp_dir(), MIB);
	struct lu *lu = open_file(path, BS_OPEN_SYNC, 0);

	(void)state;
	assert_false(lu_store_info(lu)->write_cache);
	assert_false(atomic_load(&lu->write_cache));
	disk_close(lu);
	lu = open_file(path, 0, 0);
	assert_true(lu_store_info(lu)->write_cache);
	assert_true(atomic_load(&lu->write_cache));
	disk_close(lu);
	lu = open_file(path, BS_OPEN_RDONLY, 0);
	assert_true(lu_store_info(lu)->read_only);
	assert_false(lu_store_info(lu)->ops & (BS_OP_BIT(BS_WRITE) | BS_OP_BIT(BS_UNMAP)));
	disk_close(lu);
	unlink(path);
	free(path);
}

static void what_is_no_disk_is_refused_in_words(void **state)
{
	char *empty = temp_file(temp_dir(), 0), *tiny = temp_file(temp_dir(), 511);
	const struct {
		const char *path, *word;
		uint32_t block_bytes;
		int err;
	} cases[] = {
		{ "/nonexistent/disk", "/nonexistent/disk", 0, -ENOENT },
		{ "/", "neither a regular file nor a block device", 0, -ENOTBLK },
		{ "/dev/null", "neither a regular file nor a block device", 0, -ENOTBLK },
		{ empty, "less than one block", 0, -EINVAL },
		{ tiny, "less than one block", 512, -EINVAL },
		{ tiny, "513", 513, -EINVAL },
		{ tiny, "8192", 8192, -EINVAL },
	};
	char why[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct bs_open_spec spec = { .bstype = store->bstype, .path = cases[i].path,
						   .block_bytes = cases[i].block_bytes };
		int err;

		assert_null(disk_try_open(&spec, &err, why));
		if (err != cases[i].err || !strstr(why, cases[i].word))
			fail_msg("'%s': %d '%s'", cases[i].path, err, why);
	}
	unlink(empty);
	unlink(tiny);
	free(empty);
	free(tiny);
}

/* As after lu_medium_swap() to none. */
static void without_a_path_there_is_no_medium(void **state)
{
	struct lu *lu = open_file("", 0, 4096);
	struct client c = client_open(lu, 0);

	(void)state;
	assert_false(lu_has_medium(lu));
	assert_int_equal(lu_geometry(lu)->nr_blocks, 0);
	assert_int_equal(lu_geometry(lu)->block_bytes, 4096);
	assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	assert_int_not_equal(do_read(&c, 0, buf, 4096), 0);
	client_close(&c);
	disk_close(lu);
}

/* Memory that suits no direct I/O, and more requests than a device's queue takes. */
static void any_memory_and_any_depth_will_do(void **state)
{
	enum { N = 400, BYTES = 2048 };
	struct request *reqs = calloc(N, sizeof(*reqs));
	struct iovec (*iovs)[2] = calloc(N, sizeof(*iovs));
	char *path = temp_file(temp_dir(), MIB);
	struct lu *lu = open_file(path, 0, 0);
	struct client c = client_open(lu, 0);
	uint8_t *got = malloc(MIB);

	(void)state;
	assert_true(reqs && iovs && got);
	fill(buf, MIB, 0, 13);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < N; i++) {
			uint8_t *p = (round ? got : buf) + i * BYTES;

			/* Two pieces, each half of the time at an odd address. */
			iovs[i][0] = (struct iovec){ p, i % 2 ? 512 : 513 };
			iovs[i][1].iov_base = p + iovs[i][0].iov_len;
			iovs[i][1].iov_len = BYTES - iovs[i][0].iov_len;
			reqs[i] = (struct request){
				.io = { .op = round ? LU_READ : LU_WRITE, .len_bytes = BYTES,
					.off_bytes = i * BYTES, .iov = iovs[i], .iovcnt = 2 },
			};
			request_submit(&c, &reqs[i]);
		}
		for (size_t i = 0; i < N; i++)
			assert_int_equal(request_wait(&reqs[i]), 0);
	}
	assert_memory_equal(got, buf, N * BYTES);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
	free(got);
	free(iovs);
	free(reqs);
}

/* A channel, and its store, may be let go with requests under way. */
static void closing_waits_for_requests(void **state)
{
	enum { N = 64 };
	struct request reqs[N] = { 0 };
	struct iovec iov = { buf, 16384 };
	char *path = temp_file(temp_dir(), MIB);
	struct lu *lu = open_file(path, 0, 0);
	struct client c = client_open(lu, 1);

	(void)state;
	for (size_t i = 0; i < N; i++) {
		reqs[i].io = (struct lu_io){ .op = i % 2 ? LU_WRITE : LU_READ, .iov = &iov,
					     .off_bytes = i * 16384, .len_bytes = 16384,
					     .iovcnt = 1 };
		request_submit(&c, &reqs[i]);
	}
	client_close(&c);
	disk_close(lu);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(request_wait(&reqs[i]), 0);
	unlink(path);
	free(path);
}

/* Is there this kind of store in this kernel, on this file system? */
static bool is_here(void)
{
	char *path = temp_file(temp_dir(), MIB);
	const struct bs_open_spec spec = { .bstype = store->bstype, .path = path,
					   .flags = store->flags };
	char why[512];
	int err;
	struct lu *lu;

	load_modules("modules");
	daemon_start(1, 2);
	lu = disk_try_open(&spec, &err, why);
	if (lu)
		disk_close(lu);
	else if (!not_here(store->bstype, store->flags, why))
		fail_msg("%s (%d)", why, err);
	daemon_stop();
	bs_loader_unload();
	unlink(path);
	free(path);
	return lu;
}

static int setup(void **state)
{
	(void)state;
	buf = aligned_alloc(4096, MIB);
	load_modules("modules");
	daemon_start(2, 4);
	return buf ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop();
	bs_loader_unload();
	free(buf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_shrank_is_a_medium_error),
		cmocka_unit_test(cold_data_is_read_too),
		cmocka_unit_test(unmapping_gives_space_back_beyond_4_gib),
		cmocka_unit_test(zeroes_keep_space_unless_they_may_unmap),
		cmocka_unit_test(holes_are_told_from_data),
		cmocka_unit_test(direct_io_tells_its_alignment),
		cmocka_unit_test(sync_has_no_write_cache),
		cmocka_unit_test(what_is_no_disk_is_refused_in_words),
		cmocka_unit_test(without_a_path_there_is_no_medium),
		cmocka_unit_test(any_memory_and_any_depth_will_do),
		cmocka_unit_test(closing_waits_for_requests),
	};

	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
		store = &stores[i];
		if (is_here())
			failed += cmocka_run_group_tests_name(store->name, tests, setup,
							      teardown);
		else
			print_message("%s: not here\n", store->name);
	}
	return failed;
}
