/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/reactor.h - an event loop that owns everything hung on it.
 *
 * A turn is a batch: wait once, dispatch what is ready, then run the stages
 * below, each once for all that was armed in it:
 *
 *	COMPLETE   callbacks of I/O that ended without leaving the thread
 *	SUBMIT     hand a turn's requests to the kernel or a worker in one go
 *	SEND       one sendmsg() per connection
 *
 * COMPLETE and SUBMIT alternate until both are empty (bounded; the rest waits
 * for the next turn, which then does not sleep), SEND comes last.
 *
 * The control thread runs a reactor too (id REACTOR_CONTROL): the same watches,
 * timers and mail, with no connection on it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"

#define REACTOR_CONTROL	(-1)	/* id of the control thread's reactor */
#define REACTORS_MAX	256

struct reactor;

enum reactor_stage { REACTOR_COMPLETE, REACTOR_SUBMIT, REACTOR_SEND,
		     REACTOR_NR_STAGES };

/* Embed one; it may arm itself again from run(), for the next round. */
struct reactor_hook {
	struct list_head node;		/* list_init() before first use */
	void (*run)(struct reactor_hook *h);
};

/* NULL: no memory or no file descriptor (errno). */
struct reactor *reactor_new(int id);
void reactor_free(struct reactor *r);		/* not running; all watches gone */

/*
 * Instead of sleeping as soon as that seems best, a reactor without events looks
 * again and again for so long, unless a worker has something of it to do (which may
 * need this very CPU).  0: back to that.  Of the whole daemon, before reactors run;
 * the control thread's does not.
 */
void reactor_set_poll_ns(uint64_t ns);

/* Run turns on the calling thread until reactor_stop(). */
void reactor_run(struct reactor *r);
void reactor_stop(struct reactor *r);		/* any thread */

/* The calling thread's reactor; NULL on a worker or a foreign thread. */
struct reactor *reactor_current(void);
int reactor_id(const struct reactor *r);

/* Time at the start of this turn (ns, CLOCK_MONOTONIC).  Owning thread. */
uint64_t reactor_now_ns(const struct reactor *r);

/* The same, but read anew (once) in each round of each stage: for durations that
 * may be shorter than a turn.  Owning thread. */
uint64_t reactor_clock_ns(struct reactor *r);

/* Arm @h for this turn; harmless if it is armed.  Owning thread. */
void reactor_hook_arm(struct reactor *r, struct reactor_hook *h,
		      enum reactor_stage stage);
void reactor_hook_init(struct reactor_hook *h,
		       void (*run)(struct reactor_hook *h));
void reactor_hook_disarm(struct reactor_hook *h);

/*
 * @more (or less) requests are another process's work now, whose answers are events.
 * With several of them under way a reactor sleeps rather than polls: the process may
 * need this CPU, and meanwhile more answers come together.  Owning thread.
 */
void reactor_away(struct reactor *r, int more);

/*
 * Run @fn on this reactor's thread when reactor_run() ends, latest first: the
 * place where a layer frees what it keeps per thread.  Owning thread.
 */
int reactor_on_exit(struct reactor *r, void (*fn)(void));
