/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/qos.c - who is over a limit waits for a timer of the reactor.
 *
 * Only the first in a channel's queue has taken its tokens.  So reactors take turns
 * at the buckets, one request each; and when a limit changes, or a request that
 * waits is cancelled, there is one payment to undo and not a queue of them.
 */
#include "lu/qos.h"

#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "base/probe.h"
#include "lu/internal.h"
#include "reactor/group.h"

/* What an operation takes. */
static const struct {
	bool counts, bytes;
} prices[LU_NR_OPS] = {
	[LU_READ] = { true, true },
	[LU_WRITE] = { true, true },
	[LU_UNMAP] = { true, false },
	[LU_WRITE_ZEROES] = { true, true },
	[LU_WRITE_SAME] = { true, true },
	[LU_VERIFY] = { true, true },
	[LU_COMPARE_AND_WRITE] = { true, true },
	[LU_ORWRITE] = { true, true },
	[LU_WRITE_ATOMIC] = { true, true },
	[LU_PREFETCH] = { true, true },
	[LU_COPY] = { true, true },
};

static struct lu_io *first(const struct lu_qos_queue *q)
{
	return list_empty(&q->waiting) ? NULL : list_first(&q->waiting, struct lu_io, node);
}

/* Tokens for @io, which is (or would be) the first. */
static void pay(struct lu_channel *ch, const struct lu_io *io)
{
	struct lu_qos_queue *q = &ch->qos;
	struct lu_qos *qos = &ch->lu->qos;
	const uint64_t now_ns = reactor_now_ns(ch->reactor);
	const uint64_t bytes = prices[io->op].bytes ? io->len_bytes : 0;
	const uint64_t by_iops = lu_bucket_take(&qos->iops, 1, now_ns, &q->paid_iops_ns);
	const uint64_t by_bw = lu_bucket_take(&qos->bw, bytes, now_ns, &q->paid_bw_ns);

	q->start_ns = MAX(by_iops, by_bw);
}

static void refund(struct lu_channel *ch)
{
	lu_bucket_give_back(&ch->lu->qos.iops, ch->qos.paid_iops_ns);
	lu_bucket_give_back(&ch->lu->qos.bw, ch->qos.paid_bw_ns);
}

static bool may_start(const struct lu_channel *ch)
{
	return ch->qos.start_ns <= reactor_now_ns(ch->reactor);
}

static void leave(struct lu_io *io)
{
	list_del(&io->node);
	io->waits = false;
}

/* Without a timer nobody can wait. */
static void fail_all(struct lu_channel *ch)
{
	struct lu_io *io;

	refund(ch);
	while ((io = first(&ch->qos))) {
		leave(io);
		lu_io_finish_later(io, -ENOMEM);
	}
}

static void arm(struct lu_channel *ch)
{
	const uint64_t now_ns = reactor_now_ns(ch->reactor);
	const uint64_t left_ns = ch->qos.start_ns - MIN(ch->qos.start_ns, now_ns);

	if (reactor_timer_arm(ch->reactor, &ch->qos.timer,
			      DIV_ROUND_UP(left_ns, NS_PER_MS)) < 0)
		fail_all(ch);
}

/* Nothing that starts here ends before this returns. */
static void start_due(struct lu_channel *ch)
{
	struct lu_io *io;

	reactor_timer_cancel(ch->reactor, &ch->qos.timer);
	while ((io = first(&ch->qos))) {
		if (!may_start(ch)) {
			arm(ch);
			return;
		}
		leave(io);
		PROBE(lu, release, io, io->op);
		lu_io_go(io);
		io = first(&ch->qos);
		if (io)
			pay(ch, io);
	}
}

static void timer_expired(struct timer *t)
{
	start_due(container_of(t, struct lu_channel, qos.timer));
}

bool lu_qos_holds(struct lu_io *io)
{
	struct lu_channel *ch = io->ch;
	struct lu_qos_queue *q = &ch->qos;
	const bool alone = list_empty(&q->waiting);

	if (!prices[io->op].counts)
		return false;
	if (alone) {
		pay(ch, io);
		if (may_start(ch))
			return false;
	}
	PROBE(lu, throttle, io, io->op, io->len_bytes);
	io->waits = true;
	list_add_tail(&q->waiting, &io->node);
	if (alone)
		arm(ch);
	return true;
}

/* The next one starts from the timer: whoever cancels many must not start some of
 * them in between. */
void lu_qos_leave(struct lu_io *io)
{
	struct lu_channel *ch = io->ch;
	const bool paid = first(&ch->qos) == io;

	leave(io);
	if (!paid)
		return;
	refund(ch);
	if (first(&ch->qos)) {
		pay(ch, first(&ch->qos));
		arm(ch);
	} else {
		reactor_timer_cancel(ch->reactor, &ch->qos.timer);
	}
}

void lu_qos_init(struct lu_channel *ch)
{
	list_init(&ch->qos.waiting);
	ch->qos.timer.expired = timer_expired;
	ch->qos.limited = atomic_load(&ch->lu->qos.iops.rate) ||
			  atomic_load(&ch->lu->qos.bw.rate);
}

/* --- a change --- */

/* The first has paid by the old limits. */
static void change_here(struct lu *lu)
{
	struct lu_channel *ch = lu_channel_find(lu);

	if (!ch)
		return;
	ch->qos.limited = atomic_load(&lu->qos.iops.rate) || atomic_load(&lu->qos.bw.rate);
	if (!first(&ch->qos))
		return;
	pay(ch, first(&ch->qos));
	start_due(ch);
}

static void change_on_reactor(struct reactor_spread *s, void *arg)
{
	change_here(arg);
	reactor_group_spread_put(s);
}

static void changed(void *arg)
{
	lu_put(arg);
}

static void set_buckets(struct lu *lu, const struct lu_qos_limits *l)
{
	const uint64_t now_ns = clock_now_ns();

	lu_bucket_set(&lu->qos.iops, l->iops_limit, l->iops_burst, now_ns);
	lu_bucket_set(&lu->qos.bw, l->bw_limit, l->bw_burst, now_ns);
}

int lu_qos_set(struct lu *lu, const struct lu_qos_limits *limits)
{
	if (!memcmp(limits, &lu->qos.limits, sizeof(*limits)))
		return 0;
	set_buckets(lu, limits);
	lu_get(lu);
	if (reactor_group_spread(change_on_reactor, changed, lu) < 0) {
		set_buckets(lu, &lu->qos.limits);
		lu_put(lu);
		return -ENOMEM;
	}
	lu->qos.limits = *limits;
	change_here(lu);		/* control's own channel */
	return 0;
}

const struct lu_qos_limits *lu_qos_limits(const struct lu *lu)
{
	return &lu->qos.limits;
}
