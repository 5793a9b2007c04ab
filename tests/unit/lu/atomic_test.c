/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/atomic, lu/journal: old or new, for readers, after errors and after a crash. */
#include <fcntl.h>
#include <glob.h>
#include "disk.h"
#include "lu/journal_file.h"
#include "lu/state_dir.h"

#define BYTES	8192U
#define AT	4096U

static uint8_t old[BYTES], new[BYTES], got[BYTES];

static struct lu *open_atomic(const char *bstype, const char *path, const char *bsopts,
			      uint32_t bytes)
{
	const struct bs_open_spec spec = { .bstype = bstype, .path = path,
					   .bsopts = bsopts };
	char why[512];
	int err;
	struct lu *lu = disk_try_open_atomic(&spec, bytes, &err, why);

	if (!lu)
		fail_msg("%s %s: %s (%d)", bstype, path, why, err);
	return lu;
}

static unsigned int nr_journals(void)
{
	char pattern[4096];
	glob_t g;
	unsigned int n;

	snprintf(pattern, sizeof(pattern), "%s/atomic-*", temp_dir());
	n = glob(pattern, 0, NULL, &g) ? 0 : (unsigned int)g.gl_pathc;
	globfree(&g);
	return n;
}

static void assert_is(struct client *c, const uint8_t *want)
{
	assert_int_equal(do_read(c, AT, got, BYTES), 0);
	assert_memory_equal(got, want, BYTES);
}

static int write_atomic(struct client *c, const void *data, uint32_t bytes)
{
	return do_io(c, LU_WRITE_ATOMIC, 0, AT, bytes, (void *)(uintptr_t)data, bytes, NULL);
}

static void what_is_written_is_read(void **state)
{
	struct lu *lu = open_atomic("ram", NULL, NULL, BYTES);
	struct client c = client_open(lu, 0);

	(void)state;
	assert_int_equal(lu_atomic_bytes(lu), BYTES);
	assert_int_equal(nr_journals(), 1);
	assert_int_equal(do_write(&c, AT, old, BYTES), 0);
	assert_int_equal(write_atomic(&c, new, BYTES), 0);
	assert_is(&c, new);
	assert_int_equal(write_atomic(&c, old, BYTES / 2), 0);
	memcpy(got, old, BYTES / 2);
	assert_int_equal(do_read(&c, AT, got + BYTES / 2, BYTES / 2), 0);
	assert_memory_equal(got + BYTES / 2, old, BYTES / 2);
	client_close(&c);
	disk_close(lu);
	assert_int_equal(nr_journals(), 0);
}

static void what_is_too_long_or_not_offered_is_refused(void **state)
{
	struct lu *none = disk_open("ram", NULL, NULL);
	struct lu *lu = open_atomic("ram", NULL, NULL, BYTES / 2);
	struct client c = client_open(none, 0), d = client_open(lu, 0);

	(void)state;
	assert_int_equal(write_atomic(&c, new, 512), -EOPNOTSUPP);
	assert_int_equal(write_atomic(&d, new, BYTES), -EOPNOTSUPP);
	client_close(&c);
	client_close(&d);
	disk_close(none);
	disk_close(lu);
}

static bool is_over(struct request *r)
{
	int n;

	sem_getvalue(&r->over, &n);
	return n > 0;
}

static bool is_blocked(struct lu *lu, const struct request *r)
{
	const struct lu_io *io;
	bool found = false;

	pthread_mutex_lock(&lu->locks.mutex);
	list_for_each(io, &lu->locks.blocked, node)
		found |= io == &r->io;
	pthread_mutex_unlock(&lu->locks.mutex);
	return found;
}

static void readers_and_writers_wait(void **state)
{
	char *control = temp_file(temp_dir(), 0);
	const struct iovec iov = { new, BYTES }, into = { got, 512 }, from = { old, 512 };
	struct request atomic = { .io = { .op = LU_WRITE_ATOMIC, .off_bytes = AT,
					  .len_bytes = BYTES, .iov = &iov, .iovcnt = 1 } };
	struct request reads = { .io = { .op = LU_READ, .off_bytes = AT + BYTES - 512,
					 .len_bytes = 512, .iov = &into, .iovcnt = 1 } };
	struct request writes = { .io = { .op = LU_WRITE, .off_bytes = AT, .len_bytes = 512,
					  .iov = &from, .iovcnt = 1 } };
	struct client c, d;
	char bsopts[256];
	struct lu *lu;

	(void)state;
	snprintf(bsopts, sizeof(bsopts), "opts=size=1M,write_cache=yes;op=write;hang=yes;control=%s",
		 control);
	lu = open_atomic("error", "ram:", bsopts, BYTES);
	c = client_open(lu, 0);
	d = client_open(lu, 1);
	request_submit(&c, &atomic);
	while (!atomic_load(&lu->locks.n))
		sched_yield();
	request_submit(&d, &writes);
	request_submit(&d, &reads);
	assert_int_equal(do_read(&d, AT + BYTES, got + 512, 512), 0);
	assert_true(is_blocked(lu, &reads) && is_blocked(lu, &writes));
	assert_false(is_over(&reads) || is_over(&writes) || is_over(&atomic));
	assert_int_equal(unlink(control), 0);
	assert_int_equal(request_wait(&atomic), 0);
	assert_int_equal(request_wait(&reads), 0);
	assert_int_equal(request_wait(&writes), 0);
	assert_memory_equal(got, new + BYTES - 512, 512);
	assert_int_equal(do_read(&d, AT, got, BYTES), 0);
	assert_memory_equal(got, old, 512);
	assert_memory_equal(got + 512, new + 512, BYTES - 512);
	client_close(&c);
	client_close(&d);
	disk_close(lu);
	free(control);
}

/* Half of it is written, then the store fails. */
static void what_fails_half_way_is_undone(void **state)
{
	struct lu *lu = open_atomic("error", "ram:",
				    "opts=size=1M,write_cache=yes;op=write;after=1;count=1;short=yes;error=ENOSPC",
				    BYTES);
	struct client c = client_open(lu, 0);

	(void)state;
	assert_int_equal(do_write(&c, AT, old, BYTES), 0);
	assert_int_equal(write_atomic(&c, new, BYTES), -ENOSPC);
	assert_is(&c, old);
	assert_int_equal(write_atomic(&c, new, BYTES), 0);
	assert_is(&c, new);
	client_close(&c);
	disk_close(lu);
	assert_int_equal(nr_journals(), 0);
}

/* Neither can it be undone: the next opening finishes it. */
static void what_cannot_be_undone_is_finished_later(void **state)
{
	char *path = temp_file(temp_dir(), 1U << 20), spec[4096];
	struct lu *lu;
	struct client c;

	(void)state;
	snprintf(spec, sizeof(spec), "rdwr:%s", path);
	lu = open_atomic("error", spec, "op=write;after=1;count=2;short=yes;error=EIO", BYTES);
	c = client_open(lu, 0);
	assert_int_equal(do_write(&c, AT, old, BYTES), 0);
	assert_int_equal(write_atomic(&c, new, BYTES), -EIO);
	assert_int_equal(do_write(&c, 0, new, 512), 0);
	assert_int_equal(write_atomic(&c, new, BYTES), -EIO);
	client_close(&c);
	disk_close(lu);
	assert_int_equal(nr_journals(), 1);
	lu = open_atomic("error", spec, "", BYTES);
	c = client_open(lu, 0);
	assert_is(&c, new);
	assert_int_equal(write_atomic(&c, old, BYTES), 0);
	assert_is(&c, old);
	client_close(&c);
	disk_close(lu);
	assert_int_equal(nr_journals(), 0);
	free(path);
}

/* --- after a crash --- */

static void crash(const char *path, uint64_t at)
{
	uint8_t both[2 * BYTES];
	const struct lu_journal_record r = { .off_bytes = at, .len_bytes = BYTES, .old = both,
					     .new = both + BYTES };
	struct lu_journal_file *f;
	char why[512];

	memcpy(both, old, BYTES);
	memcpy(both + BYTES, new, BYTES);
	assert_int_equal(lu_journal_file_open(path, true, &f, why, sizeof(why)), 0);
	assert_int_equal(lu_journal_file_format(f, BYTES), 0);
	assert_int_equal(lu_journal_file_record(f, 2, &r), 0);
	lu_journal_file_close(f, false);
}

static void damage_journal(void)
{
	char pattern[4096];
	glob_t g;
	int fd;

	snprintf(pattern, sizeof(pattern), "%s/atomic-*", temp_dir());
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	fd = open(g.gl_pathv[0], O_RDWR);
	/* The last byte of the new data of the record. */
	assert_int_equal(pwrite(fd, "x", 1, 4096 + 3 * (4096 + 2 * BYTES) - 1), 1);
	close(fd);
	globfree(&g);
}

static void a_crash_leaves_old_or_new(void **state)
{
	static const struct {
		const char *why;
		unsigned int new_sectors, foreign_sector;
		bool damaged, smaller;
		uint32_t atomic_bytes;
		char want;		/* o, n, or as it is */
	} cases[] = {
		{ "before the first sector", 0, 99, false, false, BYTES, 'n' },
		{ "in the midst", 5, 99, false, false, BYTES, 'n' },
		{ "in the midst, another length now", 5, 99, false, false, 2 * BYTES, 'n' },
		{ "in the midst, and no longer offered", 5, 99, false, false, 0, 'n' },
		{ "after the last", 16, 99, false, false, BYTES, 'n' },
		{ "while it was recorded", 0, 99, true, false, BYTES, 'o' },
		{ "somebody has written since", 5, 7, false, false, BYTES, 'x' },
		{ "the store is smaller", 0, 99, false, true, BYTES, 'o' },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = temp_file(temp_dir(), 1U << 20);
		uint8_t disk[BYTES];
		struct client c;
		struct lu *lu;
		int fd = open(path, O_RDWR);

		memcpy(disk, old, BYTES);
		memcpy(disk, new, 512 * (size_t)cases[i].new_sectors);
		if (cases[i].foreign_sector < BYTES / 512)
			memset(disk + 512 * (size_t)cases[i].foreign_sector, 'f', 512);
		assert_int_equal(pwrite(fd, disk, BYTES, AT), BYTES);
		close(fd);
		crash(path, cases[i].smaller ? (1U << 20) - 512 : AT);
		if (cases[i].damaged)
			damage_journal();
		lu = open_atomic("rdwr", path, NULL, cases[i].atomic_bytes);
		c = client_open(lu, 0);
		assert_int_equal(do_read(&c, AT, got, BYTES), 0);
		if (memcmp(got, cases[i].want == 'o' ? old : cases[i].want == 'n' ? new : disk,
			   BYTES) != 0)
			fail_msg("%s", cases[i].why);
		assert_int_equal(nr_journals(), cases[i].atomic_bytes ? 1 : 0);
		client_close(&c);
		disk_close(lu);
		assert_int_equal(nr_journals(), 0);
		free(path);
	}
}

static void a_read_only_store_is_not_left_torn_in_silence(void **state)
{
	char *path = temp_file(temp_dir(), 1U << 20), why[512];
	const struct bs_open_spec spec = { .bstype = "rdwr", .path = path,
					   .flags = BS_OPEN_RDONLY };
	int err, fd = open(path, O_RDWR);

	(void)state;
	assert_int_equal(pwrite(fd, old, BYTES, AT), BYTES);
	crash(path, AT);
	assert_null(disk_try_open(&spec, &err, why));
	assert_int_equal(err, -EROFS);
	assert_non_null(strstr(why, "read-only"));
	disk_close(open_atomic("rdwr", path, NULL, 0));
	assert_int_equal(pread(fd, got, BYTES, AT), BYTES);
	assert_memory_equal(got, new, BYTES);
	close(fd);
	free(path);
}

/* --- what is not possible --- */

static void the_reason_is_told(void **state)
{
	char *path = temp_file(temp_dir(), 1U << 20), *gone, why[512];
	const struct bs_open_spec spec = { .bstype = "rdwr", .path = path };
	struct lu *first = open_atomic("rdwr", path, NULL, BYTES);
	int err;

	(void)state;
	assert_null(disk_try_open_atomic(&spec, BYTES, &err, why));
	assert_int_equal(err, -EBUSY);
	assert_non_null(strstr(why, "another LUN"));
	disk_close(open_atomic("rdwr", path, NULL, 0));
	disk_close(first);

	assert_int_equal(lu_state_dir_set(NULL), 0);
	assert_null(disk_try_open_atomic(&spec, BYTES, &err, why));
	assert_non_null(strstr(why, "--state-dir"));
	disk_close(open_atomic("rdwr", path, NULL, 0));
	assert_int_equal(asprintf(&gone, "%s/gone", temp_dir()) > 0 && lu_state_dir_set(gone), 0);
	assert_int_equal(rmdir(gone), 0);
	assert_null(disk_try_open_atomic(&spec, BYTES, &err, why));
	assert_int_equal(err, -ENOENT);
	assert_non_null(strstr(why, "/gone/atomic-"));
	assert_int_equal(lu_state_dir_set(temp_dir()), 0);
	free(gone);
	free(path);
}

static int setup(void **state)
{
	if (lu_state_dir_set(temp_dir()) || modules_up(state))
		return -1;
	fill(old, BYTES, 0, 1);
	fill(new, BYTES, 0, 2);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_too_long_or_not_offered_is_refused),
		cmocka_unit_test(readers_and_writers_wait),
		cmocka_unit_test(what_fails_half_way_is_undone),
		cmocka_unit_test(what_cannot_be_undone_is_finished_later),
		cmocka_unit_test(a_crash_leaves_old_or_new),
		cmocka_unit_test(a_read_only_store_is_not_left_torn_in_silence),
		cmocka_unit_test(the_reason_is_told),
	};

	return cmocka_run_group_tests_name("lu/atomic", tests, setup, modules_down);
}
