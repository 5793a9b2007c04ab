/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_file_flush.c over an fdatasync() of our own: no error is lost, and calls are
 * shared. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int test_fdatasync(int fd);

#define fdatasync test_fdatasync
#include "../../../usr/modules/bs_file_flush.c" /* NOLINT(bugprone-suspicious-include) */
#undef fdatasync

#define THREADS	8

static struct {
	atomic_int calls, inside, most_inside;
	int fail_call;		/* this one fails; 0: none */
	sem_t entered, leave;
	bool gated;
} disk;

/* Like Linux: an error is told once, the next call succeeds. */
static int test_fdatasync(int fd)
{
	const int call = atomic_fetch_add(&disk.calls, 1) + 1;

	(void)fd;
	if (atomic_fetch_add(&disk.inside, 1) + 1 > 1)
		atomic_store(&disk.most_inside, 2);
	if (disk.gated) {
		sem_post(&disk.entered);
		sem_wait(&disk.leave);
	}
	atomic_fetch_sub(&disk.inside, 1);
	if (call == disk.fail_call) {
		errno = EIO;
		return -1;
	}
	return 0;
}

/* What the module takes from the others of its files, and from the host. */
int bs_file_error(int err)
{
	return -err;
}

static struct bs_file f;
static struct bs_dev dev = { .priv = &f };

static int setup(void **state)
{
	(void)state;
	memset(&disk, 0, sizeof(disk));
	sem_init(&disk.entered, 0, 0);
	sem_init(&disk.leave, 0, 0);
	f = (struct bs_file){ .fd = -1, .sync_fd = -1 };
	pthread_mutex_init(&f.mutex, NULL);
	pthread_cond_init(&f.flushed, NULL);
	return 0;
}

static void an_error_sticks(void **state)
{
	(void)state;
	disk.fail_call = 2;
	assert_int_equal(bs_file_flush(&dev, NULL), 0);
	assert_int_equal(bs_file_flush(&dev, NULL), -EIO);
	assert_int_equal(bs_file_flush(&dev, NULL), -EIO);
	assert_int_equal(bs_file_flush(&dev, NULL), -EIO);
}

static void *flusher(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)bs_file_flush(&dev, NULL);
}

/* Threads that have asked, whether or not they wait already. */
static bool all_asked(uint64_t n)
{
	bool yes;

	pthread_mutex_lock(&f.mutex);
	yes = f.flush_wanted == n;
	pthread_mutex_unlock(&f.mutex);
	return yes;
}

static void whoever_asks_during_a_call_needs_another_and_all_learn_its_error(void **state)
{
	pthread_t threads[THREADS];
	void *result;

	(void)state;
	disk.gated = true;
	disk.fail_call = 2;
	assert_int_equal(pthread_create(&threads[0], NULL, flusher, NULL), 0);
	sem_wait(&disk.entered);
	for (int i = 1; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flusher, NULL), 0);
	while (!all_asked(THREADS))
		sched_yield();
	sem_post(&disk.leave);
	pthread_join(threads[0], &result);	/* what it covers is on the disk */
	assert_int_equal((intptr_t)result, 0);
	sem_wait(&disk.entered);
	sem_post(&disk.leave);
	for (int i = 1; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		assert_int_equal((intptr_t)result, -EIO);
	}
	assert_int_equal(atomic_load(&disk.calls), 2);
	assert_int_equal(atomic_load(&disk.most_inside), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_error_sticks, setup),
		cmocka_unit_test_setup(
			whoever_asks_during_a_call_needs_another_and_all_learn_its_error, setup),
	};

	return cmocka_run_group_tests_name("modules/file_flush", tests, NULL, NULL);
}
