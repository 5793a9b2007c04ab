/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The queue in front of io_submit(), over a kernel that the test plays.  The file is
 * compiled in: a module exports nothing of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#if __has_include(<libaio.h>)
#include "../../../usr/modules/bs_aio.h"

#define REQUESTS	2000U

static unsigned int nr_rest, nr_refused, nr_taken;
static int answer;		/* of io_submit(): < 0, or so many are taken */

static int fake_setup(int n, io_context_t *ctx)
{
	(void)n;
	*ctx = (io_context_t)&answer;
	return 0;
}

static int fake_destroy(io_context_t ctx)
{
	(void)ctx;
	return 0;
}

static int fake_submit(io_context_t ctx, long n, struct iocb **cb)
{
	(void)ctx;
	(void)cb;
	if (answer < 0) {
		nr_refused++;
		return answer;
	}
	nr_taken += (unsigned int)(n < answer ? n : answer);
	return (int)(n < answer ? n : answer);
}

static int fake_getevents(io_context_t ctx, long min, long n, struct io_event *events,
			  struct timespec *timeout)
{
	(void)ctx, (void)min, (void)n, (void)events, (void)timeout;
	return 0;
}

static struct bs_watch *fake_watch(struct bs_group *g, int fd, void (*ready)(void *ctx),
				   void *ctx)
{
	(void)g, (void)fd, (void)ready, (void)ctx;
	return (struct bs_watch *)&answer;
}

static struct bs_timer *no_timer(struct bs_group *g, uint64_t ms,
				 void (*expired)(void *ctx), void *ctx)
{
	(void)g, (void)ms, (void)expired, (void)ctx;
	return NULL;
}

static void fake_free(void *p)
{
	(void)p;
}

static void fake_start(struct bs_req *req)
{
	req->priv[0] = NULL;
}

static void fake_rest(struct bs_channel *ch, struct bs_req *req)
{
	(void)ch, (void)req;
	nr_rest++;
}

static bool fake_is_done(const struct bs_req *req)
{
	(void)req;
	return false;
}

static void fake_advance(struct bs_req *req, uint64_t bytes)
{
	(void)req, (void)bytes;
}

static int fake_flags(const struct bs_file *f, const struct bs_req *req)
{
	(void)f, (void)req;
	return 0;
}

static int fake_error(int err)
{
	return -err;
}

static void fake_complete(struct bs_channel *ch, struct bs_req *req, int err)
{
	(void)ch, (void)req, (void)err;
}

#define io_setup		fake_setup
#define io_destroy		fake_destroy
#define io_submit		fake_submit
#define io_getevents		fake_getevents
#define bs_watch_new		fake_watch
#define bs_watch_free		fake_free
#define bs_timer_new		no_timer
#define bs_timer_free		fake_free
#define bs_file_start		fake_start
#define bs_file_rest		fake_rest
#define bs_file_is_done		fake_is_done
#define bs_file_advance		fake_advance
#define bs_file_write_flags	fake_flags
#define bs_file_error		fake_error
#define bs_complete		fake_complete
#include "../../../usr/modules/bs_aio_queue.c" /* NOLINT(bugprone-suspicious-include) */

static struct bs_file file;
static struct bs_dev dev = { .priv = &file };
static struct bs_group group;
static struct bs_channel channel = { .dev = &dev, .group = &group };
static struct bs_req *reqs;

static int stand(void **state)
{
	(void)state;
	nr_rest = nr_refused = nr_taken = 0;
	reqs = calloc(REQUESTS, sizeof(*reqs));
	assert_non_null(reqs);
	assert_int_equal(bs_aio_group_open(&group), 0);
	assert_int_equal(bs_aio_channel_open(&channel), 0);
	return 0;
}

static int fall(void **state)
{
	(void)state;
	bs_aio_channel_close(&channel);
	bs_aio_group_close(&group);
	free(reqs);
	return 0;
}

/* A turn with more requests than the context has room for. */
static void turn(void)
{
	for (unsigned int i = 0; i < REQUESTS; i++) {
		reqs[i].op = BS_READ;
		bs_aio_queue_add(&channel, &reqs[i]);
	}
	bs_aio_queue_flush(&group);
}

/* No RWF_NOWAIT on this file system: nothing ever comes back from the kernel. */
static void what_is_refused_makes_room(void **state)
{
	(void)state;
	answer = -EOPNOTSUPP;
	turn();
	assert_int_equal(nr_refused, REQUESTS);
	assert_int_equal(nr_rest, REQUESTS);
	assert_true(atomic_load(&file.no_nowait_direct));
}

/* Neither memory in the kernel nor for a timer: the workers do it. */
static void without_a_timer_nobody_waits(void **state)
{
	(void)state;
	answer = -EAGAIN;
	turn();
	assert_int_equal(nr_rest, REQUESTS);
}

/* What the kernel has will come back, so the others wait for that. */
static void what_is_taken_holds_the_rest(void **state)
{
	const struct aio_group *a = group.priv;

	(void)state;
	answer = 1;
	turn();
	assert_int_equal(nr_rest, 0);
	assert_in_range(nr_taken, 1, REQUESTS - 1);
	assert_int_equal(a->nr_kernel, nr_taken);
	assert_false(list_empty(&a->waiting));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_refused_makes_room, stand, fall),
		cmocka_unit_test_setup_teardown(without_a_timer_nobody_waits, stand, fall),
		cmocka_unit_test_setup_teardown(what_is_taken_holds_the_rest, stand, fall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	return 0;			/* nor is there a module */
}
#endif
