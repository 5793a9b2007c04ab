/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/reactor.c - the turn.
 *
 * RCU: the thread is an online reader during a turn, announces a quiescent
 * state at its end and is offline while it may sleep.
 */
#include "reactor/reactor.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/probe.h"
#include "base/rcu.h"
#include "reactor/internal.h"

#define ROUNDS_MAX	16	/* of COMPLETE and SUBMIT within a turn */

/*
 * Going to sleep and being woken costs more than a short wait.  Where the gaps
 * between events have been short lately, look again for a while before sleeping.
 */
#define LINGER_GAP_NS	(80 * NS_PER_US)	/* average gap up to which this pays */
#define LINGER_NS	(120 * NS_PER_US)
#define LINGER_AWAY_MAX	8			/* more is not waited for so */
#define GAP_MAX_NS	(1000 * NS_PER_US)	/* a longer one counts as this */
#define GAP_WEIGHT	8			/* of the past, in the average */

#define GIVE_WAY_MAX_NS	(500 * NS_PER_US)	/* a worker's batch is shorter */
#define GIVE_WAY_PAUSE	100			/* so many times what it took */

static __thread struct reactor *current;
static uint64_t poll_ns;

void reactor_set_poll_ns(uint64_t ns)
{
	poll_ns = ns;
}

DEFINE_CLEANUP(struct reactor *, reactor_free)

struct reactor *reactor_new(int id)
{
	_cleanup_(reactor_freep) struct reactor *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->id = id;
	r->mailbox.watch.fd = -1;
	r->now_ns = clock_now_ns();
	r->gap_ns = GAP_MAX_NS;
	for (int s = 0; s < REACTOR_NR_STAGES; s++)
		list_init(&r->hooks[s]);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd == -1)
		return NULL;
	if (reactor_mailbox_init(r) < 0)
		return NULL;
	return TAKE_PTR(r);
}

void reactor_free(struct reactor *r)
{
	if (!r)
		return;
	reactor_mailbox_fini(r);
	if (r->epoll_fd != -1)
		close(r->epoll_fd);
	free(r->timers.v);
	free(r);
}

struct reactor *reactor_current(void)
{
	return current;
}

int reactor_id(const struct reactor *r)
{
	return r->id;
}

uint64_t reactor_now_ns(const struct reactor *r)
{
	return r->now_ns;
}

uint64_t reactor_clock_ns(struct reactor *r)
{
	if (unlikely(!r->clock_ns))
		r->clock_ns = clock_now_ns();
	return r->clock_ns;
}

void reactor_hook_init(struct reactor_hook *h, void (*run)(struct reactor_hook *h))
{
	list_init(&h->node);
	h->run = run;
}

void reactor_hook_arm(struct reactor *r, struct reactor_hook *h,
		      enum reactor_stage stage)
{
	assert(r == current);
	if (!list_is_linked(&h->node))
		list_add_tail(&r->hooks[stage], &h->node);
}

void reactor_hook_disarm(struct reactor_hook *h)
{
	list_del(&h->node);
}

int reactor_on_exit(struct reactor *r, void (*fn)(void))
{
	if (r->nr_exits == REACTOR_EXITS_MAX)
		return -ENOSPC;
	r->exits[r->nr_exits++] = fn;
	return 0;
}

/* Run what is armed in @stage now; what is armed meanwhile waits its turn. */
static void run_stage(struct reactor *r, enum reactor_stage stage)
{
	struct list_head batch;
	struct reactor_hook *h;

	list_init(&batch);
	list_splice_tail(&batch, &r->hooks[stage]);
	r->clock_ns = 0;
	while ((h = list_pop(&batch, struct reactor_hook, node)))
		h->run(h);
}

static bool anything_armed(const struct reactor *r)
{
	for (int s = 0; s < REACTOR_NR_STAGES; s++)
		if (!list_empty(&r->hooks[s]))
			return true;
	return false;
}

static void run_stages(struct reactor *r)
{
	for (int i = 0; i < ROUNDS_MAX; i++) {
		if (list_empty(&r->hooks[REACTOR_COMPLETE]) &&
		    list_empty(&r->hooks[REACTOR_SUBMIT]))
			break;
		run_stage(r, REACTOR_COMPLETE);
		run_stage(r, REACTOR_SUBMIT);
	}
	run_stage(r, REACTOR_SEND);
}

static int poll_events(struct reactor *r, int timeout_ms)
{
	const int n = epoll_wait(r->epoll_fd, r->events, REACTOR_EVENTS_MAX, timeout_ms);

	if (n < 0 && errno != EINTR)
		log_err("reactor %d: epoll_wait: errno %d", r->id, errno);
	return MAX(n, 0);
}

void reactor_away(struct reactor *r, int more)
{
	assert(r == current);
	r->nr_away += (unsigned int)more;
}

/*
 * Work that a worker or another process does for us may need this very CPU.  But who
 * has given the latter little waits for each answer, and is quicker so.
 */
static bool may_linger(const struct reactor *r)
{
	const bool pays = r->gap_ns < LINGER_GAP_NS && r->nr_away <= LINGER_AWAY_MAX;

	return (poll_ns || pays) && !r->nr_working && r->id != REACTOR_CONTROL;
}

static int linger(struct reactor *r, uint64_t since_ns, int timeout_ms)
{
	uint64_t until_ns = since_ns + (poll_ns ? poll_ns : LINGER_NS);
	int n;

	if (timeout_ms > 0)		/* then a timer is due */
		until_ns = MIN(until_ns, since_ns + (uint64_t)timeout_ms * NS_PER_MS);

	do
		n = poll_events(r, 0);
	while (!n && !reactor_mailbox_any(r) && clock_now_ns() < until_ns);
	return n;
}

static void note_gap(struct reactor *r, uint64_t since_ns)
{
	const uint64_t gap_ns = MIN(r->now_ns - since_ns, (uint64_t)GAP_MAX_NS);

	r->gap_ns = (r->gap_ns * (GAP_WEIGHT - 1) + gap_ns) / GAP_WEIGHT;
}

/*
 * A worker has something for us and there is nothing else to do.  On our CPU it runs as
 * soon as we let it, is done before long, and needs not wake us for that.  On another CPU
 * this costs next to nothing.  Where somebody else takes the CPU for long instead, it is
 * not tried again for a while: a sleeper is woken sooner.
 */
static void give_way(struct reactor *r, uint64_t since_ns)
{
	uint64_t took_ns;

	sched_yield();
	took_ns = clock_now_ns() - since_ns;
	if (unlikely(took_ns > GIVE_WAY_MAX_NS))
		r->give_way_ns = since_ns + took_ns * GIVE_WAY_PAUSE;
}

static int sleep_for_events(struct reactor *r, int timeout_ms)
{
	int n;

	if (!reactor_mailbox_sleep(r))
		return poll_events(r, 0);
	rcu_thread_offline();
	n = poll_events(r, timeout_ms);
	rcu_thread_online();
	reactor_mailbox_awake(r);
	return n;
}

static int wait_if_idle(struct reactor *r, uint64_t since_ns, int timeout_ms)
{
	int n = 0;

	if (may_linger(r))
		n = linger(r, since_ns, timeout_ms);
	else if (r->nr_working && since_ns >= r->give_way_ns)
		give_way(r, since_ns);
	return n ? n : sleep_for_events(r, timeout_ms);
}

static void wait_for_events(struct reactor *r)
{
	const uint64_t since_ns = clock_now_ns();
	int timeout_ms = 0;

	if (!anything_armed(r) && !reactor_mailbox_any(r))
		timeout_ms = reactor_timer_wait_ms(r, since_ns);
	r->nr_events = timeout_ms ? wait_if_idle(r, since_ns, timeout_ms) : poll_events(r, 0);
	r->clock_ns = r->now_ns = clock_now_ns();
	note_gap(r, since_ns);
}

static void dispatch(struct reactor *r)
{
	r->next_event = 0;
	reactor_mailbox_drain(r);
	while (r->next_event < r->nr_events) {
		const struct epoll_event *e = &r->events[r->next_event++];
		struct watch *w = e->data.ptr;

		if (w)			/* NULL: deleted earlier in this turn */
			w->ready(w, e->events);
	}
	r->nr_events = 0;
}

void reactor_run(struct reactor *r)
{
	current = r;
	rcu_register_thread();
	while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
		wait_for_events(r);
		PROBE(reactor, turn_begin, r->id, r->nr_events);
		dispatch(r);
		reactor_timer_run(r);
		run_stages(r);
		PROBE(reactor, turn_end, r->id);
		rcu_quiescent_state();
	}
	while (r->nr_exits)
		r->exits[--r->nr_exits]();
	reactor_mailbox_drain(r);
	rcu_unregister_thread();
	current = NULL;
}

void reactor_stop(struct reactor *r)
{
	atomic_store(&r->stop, true);
	reactor_mailbox_wake(r);
}
