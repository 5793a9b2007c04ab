/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/range_lock.h - a range of a logical unit that nobody else may write (or read),
 * on any reactor, while something atomic is under way.
 *
 * Readers and writers do not lock.  They pay one load of a counter that is zero while
 * no lock exists.  The locker does the work (COMPARE AND WRITE is rare: cluster
 * heartbeats): see range_lock.c.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"

struct lu;
struct lu_channel;
struct lu_io;
struct lu_range_lock;

enum lu_range_excludes { LU_RANGE_WRITERS, LU_RANGE_EVERYBODY };

struct lu_range_locks {			/* embedded in struct lu */
	atomic_uint n;			/* locks held or asked for */
	pthread_mutex_t mutex;		/* of the rest; never held across I/O */
	struct list_head list;		/* in the order of asking */
	struct list_head blocked;	/* struct lu_io, in the order of coming */
	uint64_t last_ticket;		/* of both */
};

void lu_range_lock_init(struct lu_range_locks *l);
void lu_range_lock_fini(struct lu_range_locks *l);

/*
 * Lock [off, off + len) of @lu for the calling reactor.  granted() runs there,
 * later: with 0 once nobody whom it excludes is in the range, or with -ENOMEM and
 * nothing locked.  Locks that overlap are granted in the order of asking, and those
 * who wait for one go before the next.
 * Errors now: -ENOMEM.  @lu is referenced by the caller's channel.
 */
int lu_range_lock_acquire(struct lu *lu, uint64_t off_bytes, uint64_t len_bytes,
			  enum lu_range_excludes excludes,
			  void (*granted)(void *arg, int err), void *arg,
			  struct lu_range_lock **ret_lock);
void lu_range_lock_release(struct lu_range_lock *l);

/*
 * From now on writers of [off, off + len) wait until those that are under way there
 * have ended: one of them is given up by who asked for it, and may still reach the
 * medium, which must not be after one that begins now.  Threads: @ch's reactor.  Without
 * memory nobody waits.
 */
void lu_range_lock_behind(struct lu_channel *ch, uint64_t off_bytes, uint64_t len_bytes);

static inline bool lu_range_lock_any(const struct lu_range_locks *l)
{
	return atomic_load_explicit(&l->n, memory_order_acquire) != 0;
}

/* True: @io has to wait; lu_io_resume() runs when it may go. */
bool lu_range_lock_blocks(struct lu_range_locks *l, struct lu_io *io);

/* A request of @ch has ended while locks wait for some of them. */
void lu_range_lock_recheck(struct lu_channel *ch);
