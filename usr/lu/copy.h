/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/copy.h - copying between logical units, or within one, in pieces.
 *
 * By the stores alone where they can; where there is nothing to copy (a hole of
 * the source) zeroes are written without data; else through a few buffers that
 * belong to the copy, so that it never waits for the reactor's arena.  Each piece
 * is an ordinary write of the destination, with all that lu_io_submit() does.
 *
 * Threads: the reactor owning both channels.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lu/io.h"

#define LU_COPY_SLOTS		4U
#define LU_COPY_CHUNK_BYTES	(256U << 10)	/* through a buffer */
#define LU_COPY_NATIVE_BYTES	(16ULL << 20)	/* by the store */
#define LU_COPY_HOLE_BYTES	(1ULL << 30)	/* of zeroes */

struct lu_copy;

struct lu_copy_slot {
	struct lu_io io;
	struct iovec iov;
	struct lu_copy *copy;
	uint64_t at, len_bytes;		/* from the copy's beginning */
	bool busy;
	bool failed;			/* keeps its place: what it had is not there */
};

struct lu_copy {			/* the caller's memory, zeroed; ours until done() */
	/* By the caller, before each lu_copy_start(). */
	struct lu_channel *src;		/* NULL: zeroes */
	struct lu_channel *dst;
	uint64_t src_bytes, dst_bytes, len_bytes;	/* offsets, length */
	uint32_t src_block, dst_block;	/* block sizes; the last piece is read and
					 * written in whole ones, the latter with
					 * zeroes behind what was copied */
	bool unmap;			/* zeroes may be unmapped */
	/* Before a piece begins, and before one that was read is written: 0, or
	 * the error to stop with.  A piece that the store copies alone is asked
	 * for afterwards.  May be NULL. */
	int (*check)(struct lu_copy *c);
	/* Nothing is in flight.  Once, never before lu_copy_start() returns. */
	void (*done)(struct lu_copy *c, int err);

	/* Result. */
	bool reading;			/* the error was the source's */

	/* lu/ only. */
	int err;
	unsigned int nr_slots, in_flight;
	uint64_t next;			/* bytes given to slots */
	uint64_t mapped_end;		/* there is data up to here */
	bool backward, overlaps, asking, no_native, ask, cancelled;
	struct mail mail;
	uint8_t *memory;
	struct lu_copy_slot slots[LU_COPY_SLOTS];
};

/* Once before the first start: its buffers.  -ENOMEM. */
int lu_copy_init(struct lu_copy *c);
void lu_copy_fini(struct lu_copy *c);		/* nothing under way; accepts !init */

/*
 * Copy a range.  Ranges that overlap end as if the source had been read as a
 * whole before.  Errors via done(): those of lu_io_submit(), or check()'s.
 */
void lu_copy_start(struct lu_copy *c);

/*
 * It is of no use any more: it ends with @err when what is in flight has, which is
 * cancelled as by lu_io_cancel().  One that has failed keeps its error.
 * None if it does not run, either.
 */
void lu_copy_cancel(struct lu_copy *c, int err);

/* Bytes from the beginning that are in place. */
uint64_t lu_copy_progress(const struct lu_copy *c);
