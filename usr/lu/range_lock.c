/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/range_lock.c - a lock that costs only those who take it.
 *
 * To lock, a reactor
 *   1. enters its range in the list and raises the counter.  If no earlier entry
 *      overlaps, the lock is active: from here on a writer that looks sees it.
 *   2. sends a message to every reactor.  Each looks at its own writers in
 *      flight and answers when none overlaps (a fence).
 *   3. owns the range when all have answered.
 *
 * Why no writer slips through: a writer looks at the counter and enters its
 * channel's list of I/O in flight on one thread, in one go.  If it looked
 * before the message came to that thread, the fence finds it in the list.  If
 * it looked after, the counter's value came with the message, and it waits in
 * the lock's queue.
 *
 * An active lock queues writers; one that waits for an earlier lock does not
 * (its fence will, later, wait for them).  Commands that lock do not count as
 * writers: they order themselves among each other by the list.
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
	struct reactor *home;
	void (*granted)(void *arg, int err);
	void *arg;

	/* Under locks.mutex. */
	struct list_head node;		/* in locks.list */
	bool active;
	struct list_head blocked;	/* struct lu_io */

	struct mail turn;		/* an earlier lock is gone: go on */
	struct fence own;
	struct fence fences[];		/* by reactor id; that reactor's */
};

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

void lu_range_lock_init(struct lu_range_locks *l)
{
	atomic_init(&l->n, 0);
	pthread_mutex_init(&l->mutex, NULL);
	list_init(&l->list);
}

void lu_range_lock_fini(struct lu_range_locks *l)
{
	assert(list_empty(&l->list));
	pthread_mutex_destroy(&l->mutex);
}

/* --- fences --- */

static bool writer_in_range(const struct lu_channel *ch, const struct lu_range_lock *l)
{
	const struct lu_io *io;

	list_for_each(io, &ch->in_flight, node)
		if (lu_io_writes(io) && overlap(io->off_bytes, io->len_bytes, l->off, l->len))
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

	if (ch && writer_in_range(ch, f->lock))
		list_add_tail(&ch->fences, &f->node);
	else
		fence_passed(f);
}

void lu_range_lock_recheck(struct lu_channel *ch)
{
	struct fence *f, *tmp;

	list_for_each_safe(f, tmp, &ch->fences, node) {
		if (writer_in_range(ch, f->lock))
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

/* Does an entry before @l overlap it?  Under the mutex. */
static bool has_to_wait(const struct lu_range_locks *ls, const struct lu_range_lock *l)
{
	const struct lu_range_lock *e;

	list_for_each(e, &ls->list, node) {
		if (e == l)
			return false;
		if (overlap(e->off, e->len, l->off, l->len))
			return true;
	}
	return false;
}

/* Posted, never direct: granted() must not run within acquire() or release(). */
static void turn(struct mail *m)
{
	activate(container_of(m, struct lu_range_lock, turn));
}

int lu_range_lock_acquire(struct lu *lu, uint64_t off_bytes, uint64_t len_bytes,
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
	l->home = reactor_current();
	l->granted = granted;
	l->arg = arg;
	list_init(&l->blocked);
	*ret_lock = l;

	pthread_mutex_lock(&ls->mutex);
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
	lu_io_go(container_of(m, struct lu_io, unblocked));
}

void lu_range_lock_release(struct lu_range_lock *l)
{
	struct lu_range_locks *ls = &l->lu->locks;
	struct lu_range_lock *e;
	struct lu_io *io;

	pthread_mutex_lock(&ls->mutex);
	list_del(&l->node);
	atomic_fetch_sub(&ls->n, 1);
	list_for_each(e, &ls->list, node) {
		if (e->active || has_to_wait(ls, e))
			continue;
		e->active = true;
		reactor_mailbox_send(e->home, &e->turn, turn);
	}
	pthread_mutex_unlock(&ls->mutex);
	/* Nobody can find @l any more. */
	while ((io = list_pop(&l->blocked, struct lu_io, node)))
		reactor_mailbox_send(io->ch->reactor, &io->unblocked, unblocked);
	free(l);
}

bool lu_range_lock_blocks(struct lu_range_locks *ls, struct lu_io *io)
{
	struct lu_range_lock *l;
	bool blocks = false;

	if (likely(!lu_range_lock_any(ls)))
		return false;
	pthread_mutex_lock(&ls->mutex);
	list_for_each(l, &ls->list, node) {
		blocks = l->active && overlap(io->off_bytes, io->len_bytes, l->off, l->len);
		if (blocks) {
			list_add_tail(&l->blocked, &io->node);
			break;
		}
	}
	pthread_mutex_unlock(&ls->mutex);
	return blocks;
}
