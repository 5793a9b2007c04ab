/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/buffer.h - data buffers of the commands of one reactor.
 *
 * Each reactor has one arena with a fixed cap; a buffer is one chunk up to
 * BUFFER_CHUNK_MAX, several such chunks above.  Chunks are aligned to 4 KiB (or
 * to their size, if that is smaller) for O_DIRECT.  At the cap there is no
 * allocation: the caller waits its turn in reactor_buffer_wait().
 *
 * Threads: the reactor that took a buffer gives it back.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include "base/list.h"

#define BUFFER_CHUNK_MAX	(1U << 20)
#define BUFFER_IOV_MAX		16
#define BUFFER_BYTES_MAX	((uint64_t)BUFFER_CHUNK_MAX * BUFFER_IOV_MAX)

struct buffer {			/* embedded; iovcnt 0: none */
	int iovcnt;
	struct iovec iov[BUFFER_IOV_MAX];	/* exactly the bytes asked for */
};

struct buffer_waiter {
	struct list_head node;	/* list_init() before first use */
	void (*granted)(struct buffer_waiter *w);	/* try again now */
};

/* For the whole daemon, before reactors run: cap of each reactor's arena (raised
 * to twice BUFFER_BYTES_MAX, so that one large command cannot starve). */
void reactor_buffer_set_cap(uint64_t bytes);

/* Likewise: ask for transparent huge pages; what is trimmed is less then. */
void reactor_buffer_set_huge(bool huge);

/* 0; -EAGAIN (at the cap, or others wait: wait too); -EMSGSIZE (above
 * BUFFER_BYTES_MAX); -ENOMEM (not even address space for an arena).
 * Memory is not cleared. */
int reactor_buffer_get(struct buffer *b, uint64_t bytes);
/*
 * For what comes whether we have memory or not: promise it (a change of the sum, in
 * bytes) and reactor_buffer_get() leaves so much of the cap, but for
 * BUFFER_BYTES_MAX.  When it comes, take the promise back and the memory: past those
 * that wait, and in pieces if need be, each but the last of 16 KiB or a multiple.
 */
void reactor_buffer_promise(int64_t bytes);
uint64_t reactor_buffer_promised(void);		/* that sum, of the calling reactor */
int reactor_buffer_get_promised(struct buffer *b, uint64_t bytes);
void reactor_buffer_put(struct buffer *b);

/*
 * First come, first served; granted() runs in a COMPLETE stage after something
 * was given back.  Its first reactor_buffer_get() passes the queue; if even that
 * fails, waiting again with the same waiter keeps the place at the front.
 * Cancelling a waiter that does not wait is harmless.
 */
void reactor_buffer_wait(struct buffer_waiter *w);
void reactor_buffer_wait_cancel(struct buffer_waiter *w);

/* That cap. */
uint64_t reactor_buffer_cap(void);

/* Bytes in use on the calling reactor. */
uint64_t reactor_buffer_in_use(void);
