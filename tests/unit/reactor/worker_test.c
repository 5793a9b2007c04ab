/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include "daemon.h"

#define WORKERS	8
#define SHARE	(WORKERS / 4)

struct job {
	struct work work;
	unsigned int number;
};

static struct worker_source *source;
static struct job jobs[64];
static unsigned int nr_jobs;		/* of the next submit */
static sem_t started, gate, finished;
static atomic_uint running, most_running, started_n;
static atomic_uint start_order[64];
static bool on_worker_only, at_home_only;

static void reset(void)
{
	sem_init(&started, 0, 0);
	sem_init(&gate, 0, 0);
	sem_init(&finished, 0, 0);
	atomic_store(&running, 0);
	atomic_store(&most_running, 0);
	atomic_store(&started_n, 0);
	on_worker_only = at_home_only = true;
}

static void job_run(struct work *w)
{
	const struct job *j = container_of(w, struct job, work);
	const unsigned int now = atomic_fetch_add(&running, 1) + 1;
	unsigned int most = atomic_load(&most_running);

	while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
		;
	if (reactor_current())
		on_worker_only = false;
	atomic_store(&start_order[atomic_fetch_add(&started_n, 1)], j->number);
	sem_post(&started);
	sem_wait(&gate);
	atomic_fetch_sub(&running, 1);
}

static void job_done(struct work *w)
{
	(void)w;
	if (reactor_current() != reactor_group_get(0))
		at_home_only = false;
	sem_post(&finished);
}

static void submit_batch(void *arg)
{
	struct list_head batch;

	list_init(&batch);
	for (unsigned int i = 0; i < nr_jobs; i++) {
		jobs[i] = (struct job){ .number = i, .work = { .run = job_run,
							       .done = job_done } };
		list_add_tail(&batch, &jobs[i].work.node);
	}
	reactor_worker_submit_batch(arg, &batch);
	assert(list_empty(&batch));
}

static void quick_run(struct work *w)
{
	(void)w;
}

static sem_t quick_over;

static void quick_done(struct work *w)
{
	(void)w;
	sem_post(&quick_over);
}

static void submit_quick(void *arg)
{
	static struct work quick;

	quick = (struct work){ .run = quick_run, .done = quick_done };
	reactor_worker_submit(arg, &quick);
}

static void a_source_that_hangs_keeps_only_its_share(void **state)
{
	struct worker_source *other = reactor_worker_source_new();

	(void)state;
	reset();
	sem_init(&quick_over, 0, 0);
	nr_jobs = 3 * WORKERS;
	call_on(reactor_group_get(0), submit_batch, source);
	for (int i = 0; i < SHARE; i++)
		wait_for(&started, "the share to start");
	/* All of its share hangs; the others are served. */
	for (int i = 0; i < 20; i++) {
		call_on(reactor_group_get(0), submit_quick, other);
		wait_for(&quick_over, "another source");
		call_on(reactor_group_get(0), submit_quick, NULL);
		wait_for(&quick_over, "the daemon's own source");
	}
	assert_int_equal(atomic_load(&running), SHARE);
	for (unsigned int i = 0; i < nr_jobs; i++)
		sem_post(&gate);
	for (unsigned int i = 0; i < nr_jobs; i++)
		wait_for(&finished, "the rest");
	assert_int_equal(atomic_load(&most_running), SHARE);
	assert_true(on_worker_only);
	assert_true(at_home_only);
	reactor_worker_source_free(other);
}

static bool cancelled[8];

static void cancel_all(void *arg)
{
	for (unsigned int i = 0; i < nr_jobs; i++)
		cancelled[i] = reactor_worker_cancel(arg, &jobs[i].work);
}

static void only_what_has_not_started_is_taken_back(void **state)
{
	(void)state;
	reset();
	nr_jobs = 8;
	call_on(reactor_group_get(0), submit_batch, source);
	for (int i = 0; i < SHARE; i++)
		wait_for(&started, "the share to start");
	call_on(reactor_group_get(0), cancel_all, source);
	for (unsigned int i = 0; i < nr_jobs; i++)
		assert_int_equal(cancelled[i], i >= SHARE);
	for (int i = 0; i < SHARE; i++)
		sem_post(&gate);
	for (int i = 0; i < SHARE; i++)
		wait_for(&finished, "those that had started");
	assert_int_equal(atomic_load(&started_n), SHARE);
}

static void items_start_in_order(void **state)
{
	(void)state;
	reset();
	nr_jobs = 16;
	call_on(reactor_group_get(0), submit_batch, source);
	for (unsigned int i = 0; i < SHARE; i++)
		wait_for(&started, "the share to start");
	/* One ends, one starts. */
	for (unsigned int i = SHARE; i < nr_jobs; i++) {
		sem_post(&gate);
		wait_for(&started, "the next");
		assert_int_equal(atomic_load(&start_order[i]), i);
	}
	for (unsigned int i = 0; i < SHARE; i++)
		sem_post(&gate);
	for (unsigned int i = 0; i < nr_jobs; i++)
		wait_for(&finished, "all of them");
}

static int setup(void **state)
{
	(void)state;
	daemon_start(2, WORKERS);
	source = reactor_worker_source_new();
	return source ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	reactor_worker_source_free(source);
	daemon_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_that_hangs_keeps_only_its_share),
		cmocka_unit_test(only_what_has_not_started_is_taken_back),
		cmocka_unit_test(items_start_in_order),
	};

	return cmocka_run_group_tests_name("reactor/worker", tests, setup, teardown);
}
