/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/scratch.h - a second buffer for a command that already has one.
 *
 * When the arena is at its cap because commands hold their data and all wait for
 * a scratch buffer, nobody would ever move.  So each reactor keeps one small
 * buffer in reserve; whoever is without one waits for the arena and for the
 * reserve at once.
 *
 * Threads: the reactor that got it.
 */
#pragma once
#include <stdint.h>
#include "base/list.h"
#include "reactor/buffer.h"

#define LU_SCRATCH_MAX		(256U << 10)
#define LU_SCRATCH_RESERVE	(64U << 10)

struct lu_scratch {			/* embedded */
	struct buffer b;		/* one chunk; iovcnt 0: none */
	bool is_reserve;
	uint64_t want_bytes;
	struct list_head node;		/* in the queue for the reserve */
	struct buffer_waiter waiter;
	void (*ready)(struct lu_scratch *s);
};

/*
 * Get a buffer of up to @bytes (at most LU_SCRATCH_MAX; at least that or
 * LU_SCRATCH_RESERVE, whichever is smaller), aligned to 4 KiB or to @bytes.
 * ready() runs at once or later.  -ENOMEM: it will not.
 */
int lu_scratch_get(struct lu_scratch *s, uint64_t bytes,
		   void (*ready)(struct lu_scratch *s));
void lu_scratch_put(struct lu_scratch *s);	/* harmless if there is none */
