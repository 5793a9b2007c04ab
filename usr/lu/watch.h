/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/watch.h - have these ranges of a logical unit been written since?
 *
 * Writers pay one load of a counter that is zero while nothing is watched.  A
 * write counts before it goes to the store, so that who has read data and then
 * finds its watch unchanged has read what was there when the watch was armed.
 *
 * Only writes through this logical unit are seen: not those to the same store by
 * other processes, or through another logical unit.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"

struct lu;
struct lu_watch;

struct lu_watches {			/* embedded in struct lu */
	atomic_uint n;			/* unchanged so far */
	pthread_mutex_t mutex;		/* of the list; never held across I/O */
	struct list_head list;
};

struct lu_watch_range {
	uint64_t off_bytes, len_bytes;
};

void lu_watch_init(struct lu_watches *ws);
/* The end of @lu: its watches have changed and know it no more. */
void lu_watch_detach(struct lu *lu);

/* Any thread.  Copies @r.  Does not keep @lu.  NULL: no memory. */
struct lu_watch *lu_watch_new(struct lu *lu, const struct lu_watch_range *r,
			      unsigned int n);
void lu_watch_free(struct lu_watch *w);		/* accepts NULL */

/*
 * Count from now on: what was written before is forgotten.  @armed runs on the
 * calling reactor, later, when no write that began before can still land; with
 * -ENOMEM the watch counts as changed.  Errors now: -ENOMEM.  The caller's channel
 * keeps the LU.
 */
int lu_watch_arm(struct lu_watch *w, void (*armed)(void *arg, int err), void *arg);

/* Any thread. */
bool lu_watch_changed(const struct lu_watch *w);
bool lu_watch_is_of(struct lu_watch *w, const struct lu *lu);
struct lu *lu_watch_lu(struct lu_watch *w);	/* with a reference; NULL: it is gone */

/* All of @lu counts as written (its medium is taken out, or it goes). */
void lu_watch_revoke(struct lu *lu);

static inline bool lu_watch_any(const struct lu_watches *ws)
{
	return atomic_load_explicit(&ws->n, memory_order_acquire) != 0;
}

/* @lu is about to be written. */
void lu_watch_touch(struct lu *lu, uint64_t off_bytes, uint64_t len_bytes);
