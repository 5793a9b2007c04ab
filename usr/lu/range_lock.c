/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/range_lock.c - a lock that costs only those who take it.
 *
 * To lock, a reactor
 *   1. enters its range in the list and raises the counter.  If no earlier entry
 *      overlaps, the lock is active: from here on a writer that looks sees it.
 *   2. sends a message to every reactor.  Each looks at its own requests in
 *      flight and answers when none that is excluded overlaps (a fence).
 *   3. owns the range when all have answered.
 *
 * Why nobody slips through: a request looks at the counter and enters its
 * channel's list of I/O in flight on one thread, in one go.  If it looked
 * before the message came to that thread, the fence finds it in the list.  If
 * it looked after, the counter's value came with the message, and it waits.
 *
 * An active lock makes requests wait; one that waits for an earlier lock does not
 * (its fence will, later, wait for them).  Commands that lock do not count as
 * readers or writers: they order themselves among each other by the list.
 *
 * Nobody starves: locks and waiting requests have tickets, in the order of coming,
 * and wait only for what has an earlier one.  A request that may go is past every
 * lock: those that overlap it and are to come wait for it, here as long as it is in
 * the list, then by their fence.  For its mail is sent before theirs, and a mailbox
 * keeps the order.
 */
#include "lu/range_lock.h"

#include <errno.h>
#include <stdlib.h>
#include "lu/internal.h"
#include "reactor/group.h"

struct fence {
	struct list_head node;		/* in channel->fences */
	struct lu_range_lock *lock;
	struct reactor_spread *spread;	/* NULL: the locker's own, see activate() */
};

struct lu_range_lock {
	/* Constant. */
	struct lu *lu;
	uint64_t off, len;
	enum lu_range_excludes excludes;
	struct reactor *home;
	void (*granted)(void *arg, int err);
	void *arg;

	/* Under locks.mutex. */
	struct list_head node;		/* in locks.list */
	uint64_t ticket;
	bool active;

	struct mail turn;		/* an earlier lock is gone: go on */
	struct fence own;
	struct fence fences[];		/* by reactor id; that reactor's */
};

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static bool concerns(const struct lu_range_lock *l, const struct lu_io *io)
{
	return (lu_io_writes(io) || (l->excludes == LU_RANGE_EVERYBODY && lu_io_reads(io))) &&
	       overlap(io->off_bytes, io->len_bytes, l->off, l->len);
}

void lu_range_lock_init(struct lu_range_locks *l)
{
	atomic_init(&l->n, 0);
	pthread_mutex_init(&l->mutex, NULL);
	list_init(&l->list);
	list_init(&l->blocked);
	l->last_ticket = 0;
}

void lu_range_lock_fini(struct lu_range_locks *l)
{
	assert(list_empty(&l->list) && list_empty(&l->blocked));
	pthread_mutex_destroy(&l->mutex);
}

/* --- fences --- */

static bool is_in_range(const struct lu_channel *ch, const struct lu_range_lock *l)
{
	const struct lu_io *io;

	list_for_each(io, &ch->in_flight, node)
		if (concerns(l, io))
			return true;
	return false;
}

static void spread(struct lu_range_lock *l);

static void fence_passed(struct fence *f)
{
	if (f->spread)
		reactor_group_spread_put(f->spread);
	else
		spread(f->lock);
}

static void fence_start(struct fence *f)
{
	struct lu_channel *ch = lu_channel_find(f->lock->lu);

	if (ch && is_in_range(ch, f->lock))
		list_add_tail(&ch->fences, &f->node);
	else
		fence_passed(f);
}

void lu_range_lock_recheck(struct lu_channel *ch)
{
	struct fence *f, *tmp;

	list_for_each_safe(f, tmp, &ch->fences, node) {
		if (is_in_range(ch, f->lock))
			continue;
		list_del(&f->node);
		fence_passed(f);
	}
}

static void on_reactor(struct reactor_spread *s, void *arg)
{
	struct lu_range_lock *l = arg;
	struct fence *f = &l->fences[reactor_id(reactor_current())];

	*f = (struct fence){ .lock = l, .spread = s };
	fence_start(f);
}

static void all_passed(void *arg)
{
	struct lu_range_lock *l = arg;

	l->granted(l->arg, 0);
}

static void spread(struct lu_range_lock *l)
{
	void (*const granted)(void *arg, int err) = l->granted;
	void *const arg = l->arg;
	const int err = reactor_group_spread(on_reactor, all_passed, l);

	if (err) {
		lu_range_lock_release(l);
		granted(arg, err);
	}
}

static bool in_group(const struct reactor *r)
{
	const int id = reactor_id(r);

	return id >= 0 && (unsigned int)id < reactor_group_size() &&
	       reactor_group_get((unsigned int)id) == r;
}

/* The spread reaches the group; a locker outside of it (control) asks itself. */
static void activate(struct lu_range_lock *l)
{
	if (in_group(l->home)) {
		spread(l);
		return;
	}
	l->own = (struct fence){ .lock = l };
	fence_start(&l->own);
}

/* --- the list --- */

/* Is there something before @l that it has to wait for?  Under the mutex. */
static bool has_to_wait(const struct lu_range_locks *ls, const struct lu_range_lock *l)
{
	const struct lu_range_lock *e;
	const struct lu_io *io;

	list_for_each(e, &ls->list, node) {
		if (e == l)
			break;
		if (overlap(e->off, e->len, l->off, l->len))
			return true;
	}
	list_for_each(io, &ls->blocked, node) {
		if (io->ticket > l->ticket)
			break;
		if (concerns(l, io))
			return true;
	}
	return false;
}

/* Under the mutex. */
static bool is_held_back(const struct lu_range_locks *ls, const struct lu_io *io)
{
	const struct lu_range_lock *l;

	list_for_each(l, &ls->list, node)
		if (l->active && l->ticket < io->ticket && concerns(l, io))
			return true;
	return false;
}

/* Posted, never direct: granted() must not run within acquire() or release(). */
static void turn(struct mail *m)
{
	activate(container_of(m, struct lu_range_lock, turn));
}

int lu_range_lock_acquire(struct lu *lu, uint64_t off_bytes, uint64_t len_bytes,
			  enum lu_range_excludes excludes,
			  void (*granted)(void *arg, int err), void *arg,
			  struct lu_range_lock **ret_lock)
{
	const unsigned int n = reactor_group_size();
	struct lu_range_lock *l = calloc(1, sizeof(*l) + n * sizeof(l->fences[0]));
	struct lu_range_locks *ls = &lu->locks;

	if (!l)
		return -ENOMEM;
	l->lu = lu;
	l->off = off_bytes;
	l->len = len_bytes;
	l->excludes = excludes;
	l->home = reactor_current();
	l->granted = granted;
	l->arg = arg;
	*ret_lock = l;

	pthread_mutex_lock(&ls->mutex);
	l->ticket = ++ls->last_ticket;
	list_add_tail(&ls->list, &l->node);
	atomic_fetch_add(&ls->n, 1);
	l->active = !has_to_wait(ls, l);
	if (l->active)
		reactor_mailbox_send(l->home, &l->turn, turn);
	pthread_mutex_unlock(&ls->mutex);
	return 0;
}

static void unblocked(struct mail *m)
{
	lu_io_resume(container_of(m, struct lu_io, unblocked));
}

/* Under the mutex. */
static void let_go(struct lu_range_locks *ls)
{
	struct lu_io *io, *tmp;

	list_for_each_safe(io, tmp, &ls->blocked, node) {
		if (is_held_back(ls, io))
			continue;
		list_del(&io->node);
		reactor_mailbox_send(io->ch->reactor, &io->unblocked, unblocked);
	}
}

void lu_range_lock_release(struct lu_range_lock *l)
{
	struct lu_range_locks *ls = &l->lu->locks;
	struct lu_range_lock *e;

	pthread_mutex_lock(&ls->mutex);
	list_del(&l->node);
	atomic_fetch_sub(&ls->n, 1);
	let_go(ls);
	list_for_each(e, &ls->list, node) {
		if (e->active || has_to_wait(ls, e))
			continue;
		e->active = true;
		reactor_mailbox_send(e->home, &e->turn, turn);
	}
	pthread_mutex_unlock(&ls->mutex);
	free(l);
}

bool lu_range_lock_blocks(struct lu_range_locks *ls, struct lu_io *io)
{
	const struct lu_range_lock *l;
	bool blocks = false;

	if (likely(!lu_range_lock_any(ls)))
		return false;
	pthread_mutex_lock(&ls->mutex);
	list_for_each(l, &ls->list, node) {
		blocks = l->active && concerns(l, io);
		if (blocks) {
			io->ticket = ++ls->last_ticket;
			list_add_tail(&ls->blocked, &io->node);
			break;
		}
	}
	pthread_mutex_unlock(&ls->mutex);
	return blocks;
}

/* --- behind what is given up --- */

struct behind {
	struct lu_channel *ch;		/* kept open as by an I/O */
	struct lu_range_lock *lock;
};

static void all_ended(void *arg, int err)
{
	struct behind *b = arg;
	struct lu_channel *ch = b->ch;

	if (!err)
		lu_range_lock_release(b->lock);
	free(b);
	ch->nr_ios--;
	lu_channel_close_unused(ch);
}

void lu_range_lock_behind(struct lu_channel *ch, uint64_t off_bytes, uint64_t len_bytes)
{
	struct behind *b = malloc(sizeof(*b));

	if (!b)
		return;
	b->ch = ch;
	if (lu_range_lock_acquire(ch->lu, off_bytes, len_bytes, LU_RANGE_WRITERS, all_ended, b,
				  &b->lock) < 0) {
		free(b);
		return;
	}
	ch->nr_ios++;
}
