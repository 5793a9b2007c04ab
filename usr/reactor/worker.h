/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/worker.h - a bounded pool of threads for calls that block.
 *
 * Work is queued per source (a store), and a source may occupy only a share of
 * the pool: one that hangs keeps its share and no more.  Sources are served in
 * turn.  The threads exist from reactor_worker_start() on; none is added.
 */
#pragma once
#include <stdbool.h>
#include "base/list.h"
#include "reactor/mailbox.h"

struct reactor;
struct worker_source;

struct work {			/* embedded; in one queue at a time */
	struct list_head node;
	struct mail mail;
	struct reactor *home;
	void (*run)(struct work *w);	/* on a worker; may block */
	void (*done)(struct work *w);	/* on the reactor that submitted */
};

int reactor_worker_start(unsigned int threads);
void reactor_worker_stop(void);		/* all sources empty; joins */

/* Threads: any.  NULL: out of memory.  Free only when nothing of it is queued
 * or running. */
struct worker_source *reactor_worker_source_new(void);
void reactor_worker_source_free(struct worker_source *s);

/*
 * Queue one item, or all those linked in @batch (through work.node; left empty)
 * with one lock and as many wake-ups as can be of use.  Items of a source start
 * in order; those that run at once may end in any.  @s NULL: the daemon's own
 * source (open, close).
 *
 * Threads: a reactor or control; done() runs there.
 */
void reactor_worker_submit(struct worker_source *s, struct work *w);
void reactor_worker_submit_batch(struct worker_source *s, struct list_head *batch);

/* Take back an item that has not started.  False: too late, done() will run. */
bool reactor_worker_cancel(struct worker_source *s, struct work *w);
