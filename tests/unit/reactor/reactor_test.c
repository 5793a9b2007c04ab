/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "daemon.h"
#include "reactor/timer.h"
#include "reactor/watch.h"

/* What happened on the reactor, in order. */
static char story[64];

static void tell(char c)
{
	const size_t n = strlen(story);

	assert(n + 1 < sizeof(story));
	story[n] = c;
}

static void forget(void *arg)
{
	(void)arg;
	memset(story, 0, sizeof(story));
}

static void nothing(void *arg)
{
	(void)arg;
}

static struct reactor *r0(void)
{
	return reactor_group_get(0);
}

/* --- stages --- */

static struct reactor_hook complete, submit, send, again;

static void on_complete(struct reactor_hook *h)
{
	(void)h;
	tell('C');
}

static void on_submit(struct reactor_hook *h)
{
	static int rounds;

	(void)h;
	tell('S');
	if (rounds++ < 2) {
		reactor_hook_arm(reactor_current(), &complete, REACTOR_COMPLETE);
		reactor_hook_arm(reactor_current(), &submit, REACTOR_SUBMIT);
	}
}

static void on_send(struct reactor_hook *h)
{
	(void)h;
	tell('X');
}

static void arm_all(void *arg)
{
	struct reactor *r = reactor_current();

	(void)arg;
	reactor_hook_init(&complete, on_complete);
	reactor_hook_init(&submit, on_submit);
	reactor_hook_init(&send, on_send);
	reactor_hook_arm(r, &send, REACTOR_SEND);
	reactor_hook_arm(r, &submit, REACTOR_SUBMIT);
	reactor_hook_arm(r, &complete, REACTOR_COMPLETE);
	reactor_hook_arm(r, &complete, REACTOR_COMPLETE);	/* once is enough */
}

static void stages_run_in_order_and_send_is_last(void **state)
{
	(void)state;
	call_on(r0(), forget, NULL);
	call_on(r0(), arm_all, NULL);
	call_on(r0(), nothing, NULL);
	assert_string_equal(story, "CSCSCSX");
}

static sem_t enough;
static unsigned int spins;

static void spin(struct reactor_hook *h)
{
	if (++spins == 1000)
		sem_post(&enough);
	if (spins < 1000)
		reactor_hook_arm(reactor_current(), h, REACTOR_COMPLETE);
}

static void spin_start(void *arg)
{
	(void)arg;
	reactor_hook_init(&again, spin);
	reactor_hook_arm(reactor_current(), &again, REACTOR_COMPLETE);
}

static void a_hook_that_rearms_does_not_stop_the_rest(void **state)
{
	(void)state;
	sem_init(&enough, 0, 0);
	call_on(r0(), spin_start, NULL);
	call_on(r0(), nothing, NULL);	/* mail is read while it spins */
	wait_for(&enough, "a thousand rounds");
	sem_destroy(&enough);
}

static void disarm_submit(struct reactor_hook *h)
{
	(void)h;
	tell('c');
	reactor_hook_disarm(&submit);
}

static void arm_and_disarm(void *arg)
{
	(void)arg;
	reactor_hook_init(&complete, disarm_submit);
	reactor_hook_init(&submit, on_complete);
	reactor_hook_arm(reactor_current(), &submit, REACTOR_SUBMIT);
	reactor_hook_arm(reactor_current(), &complete, REACTOR_COMPLETE);
}

static void a_disarmed_hook_does_not_run(void **state)
{
	(void)state;
	call_on(r0(), forget, NULL);
	call_on(r0(), arm_and_disarm, NULL);
	call_on(r0(), nothing, NULL);
	assert_string_equal(story, "c");
}

/* --- timers --- */

struct named_timer {
	struct timer t;
	char name;
	uint64_t due;
};

static struct named_timer timers[4];
static bool too_early;
static sem_t last;

static void expired(struct timer *t)
{
	struct named_timer *n = container_of(t, struct named_timer, t);

	too_early |= clock_now_ns() < n->due;
	tell(n->name);
	if (n->name == 'z')
		sem_post(&last);
}

static void arm(struct named_timer *n, char name, uint64_t ms)
{
	n->name = name;
	n->t.expired = expired;
	n->due = clock_now_ns() + ms * NS_PER_MS;
	assert(!reactor_timer_arm(reactor_current(), &n->t, ms));
}

static void arm_timers(void *arg)
{
	(void)arg;
	arm(&timers[0], 'z', 60);
	arm(&timers[1], 'b', 40);
	arm(&timers[2], 'x', 5);
	arm(&timers[3], 'a', 50);
	arm(&timers[3], 'a', 20);			/* moved */
	reactor_timer_cancel(reactor_current(), &timers[2].t);
	reactor_timer_cancel(reactor_current(), &timers[2].t);	/* harmless */
	assert(!reactor_timer_armed(&timers[2].t));
	assert(reactor_timer_armed(&timers[1].t));
}

static void timers_expire_in_order_and_not_before(void **state)
{
	(void)state;
	sem_init(&last, 0, 0);
	call_on(r0(), forget, NULL);
	call_on(r0(), arm_timers, NULL);
	wait_for(&last, "timers");
	call_on(r0(), nothing, NULL);
	assert_string_equal(story, "abz");
	assert_false(too_early);
	sem_destroy(&last);
}

#define HEAP	500

static struct timer heap[HEAP];
static uint64_t last_due;
static unsigned int expired_n;
static bool disorder;

static void heap_expired(struct timer *t)
{
	disorder |= t->due_ns < last_due;
	last_due = t->due_ns;
	if (++expired_n == HEAP / 2)
		sem_post(&last);
}

static void arm_heap(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < HEAP; i++) {
		heap[i].expired = heap_expired;
		assert(!reactor_timer_arm(reactor_current(), &heap[i], i * 7919 % 50));
	}
	for (unsigned int i = 0; i < HEAP; i += 2)
		reactor_timer_cancel(reactor_current(), &heap[i]);
}

static void many_timers_keep_their_order(void **state)
{
	(void)state;
	sem_init(&last, 0, 0);
	call_on(r0(), arm_heap, NULL);
	wait_for(&last, "timers");
	call_on(r0(), nothing, NULL);
	assert_int_equal(expired_n, HEAP / 2);
	assert_false(disorder);
	sem_destroy(&last);
}

/* --- watches --- */

static struct watch a, b;
static sem_t seen;

static void ready(struct watch *w, uint32_t events)
{
	(void)events;
	tell(w == &a ? 'a' : 'b');
	/* Whichever comes first takes both away: the other must not be called. */
	close(a.fd);
	close(b.fd);
	reactor_watch_del(reactor_current(), &a);
	reactor_watch_del(reactor_current(), &b);
	sem_post(&seen);
}

static void add_watches(void *arg)
{
	(void)arg;
	a = (struct watch){ .fd = eventfd(1, EFD_CLOEXEC), .events = EPOLLIN, .ready = ready };
	b = (struct watch){ .fd = eventfd(1, EFD_CLOEXEC), .events = EPOLLIN, .ready = ready };
	assert(!reactor_watch_add(reactor_current(), &a));
	assert(!reactor_watch_add(reactor_current(), &b));
}

static void a_deleted_watch_sees_no_ghost(void **state)
{
	(void)state;
	sem_init(&seen, 0, 0);
	call_on(r0(), forget, NULL);
	call_on(r0(), add_watches, NULL);
	wait_for(&seen, "a watch");
	call_on(r0(), nothing, NULL);
	assert_int_equal(strlen(story), 1);
	sem_destroy(&seen);
}

static int setup(void **state)
{
	(void)state;
	daemon_start(1, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_run_in_order_and_send_is_last),
		cmocka_unit_test(a_hook_that_rearms_does_not_stop_the_rest),
		cmocka_unit_test(a_disarmed_hook_does_not_run),
		cmocka_unit_test(timers_expire_in_order_and_not_before),
		cmocka_unit_test(many_timers_keep_their_order),
		cmocka_unit_test(a_deleted_watch_sees_no_ghost),
	};

	return cmocka_run_group_tests_name("reactor/reactor", tests, setup, teardown);
}
