/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/io.h - block I/O on a logical unit.  Knows neither SCSI nor NBD; both
 * front ends join here.
 *
 * What the store cannot do itself is emulated (WRITE_SAME, WRITE_ZEROES by
 * writing; COMPARE_AND_WRITE and ORWRITE by read and write under a range lock, or
 * ORWRITE by the COMPARE_AND_WRITE of a store that is shared; WRITE_ATOMIC with a
 * journal); UNMAP and PREFETCH on a store without it are refused with -EOPNOTSUPP.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include "base/list.h"
#include "bs/channel.h"
#include "lu/scratch.h"
#include "reactor/mailbox.h"

struct lu;
struct lu_journal_slot;
struct lu_range_lock;
struct lu_channel;		/* opaque: one per LU per reactor, counted */

enum lu_op { LU_READ, LU_WRITE, LU_FLUSH, LU_UNMAP, LU_WRITE_ZEROES, LU_WRITE_SAME,
	     LU_VERIFY,		/* read and compare with iov, or only read (iovcnt 0) */
	     LU_COMPARE_AND_WRITE,
	     LU_ORWRITE,	/* what was written is left in iov's memory */
	     LU_WRITE_ATOMIC,	/* up to lu_atomic_bytes(): old or new for every reader
				 * and writer, also after a crash; see lu/atomic.c */
	     LU_PREFETCH,	/* into the store's cache, soon */
	     LU_BLOCK_STATUS,	/* result: bytes from off_bytes in one state */
	     LU_COPY,		/* by the store alone, from src; see lu/copy.h */
	     LU_NR_OPS };

#define LU_IO_FUA	0x1U
#define LU_IO_UNMAP	0x2U	/* WRITE_ZEROES/WRITE_SAME of zeroes may deallocate */
#define LU_IO_MAPPED	0x4U	/* out, BLOCK_STATUS: there is data, or may be */
#define LU_IO_LOCKED	0x8U	/* the submitter holds a range lock on all of it */

struct lu_io {			/* caller's memory; ours until done() */
	enum lu_op op;
	uint32_t flags;
	int iovcnt;
	const struct iovec *iov;	/* borrowed; len_bytes in all, but: */
	uint64_t off_bytes;
	uint64_t len_bytes;	/* WRITE_SAME: of the range; the pattern is iov (up
				 * to 64 KiB).  COMPARE_AND_WRITE: of the range; iov
				 * has twice that in at most BUFFER_IOV_MAX entries:
				 * what to compare, then what to write */
	uint64_t result;	/* -EILSEQ: byte offset of the first difference;
				 * BLOCK_STATUS: 1 to len_bytes */
	struct lu_channel *src;	/* COPY: kept by the caller.  -EOPNOTSUPP: */
	uint64_t src_bytes;	/* the stores cannot.  The ranges must not overlap */
	void (*done)(struct lu_io *io, int err);

	/* lu/ only. */
	struct lu_channel *ch;
	struct list_head node;	/* in flight, finished, blocked by a lock or a limit */
	uint64_t submit_ns;	/* reactor_clock_ns() */
	bool waits;		/* for a limit */
	bool cancelled;		/* not to be started any more */
	int err;
	struct bs_io bs;
	uint64_t step_bytes;	/* emulation: how far it is */
	struct lu_scratch scratch;
	union {
		struct {			/* emulation: held */
			struct lu_range_lock *lock;
			struct lu_journal_slot *slot;
		};
		/* Waits for a slot. */
		void (*granted)(struct lu_journal_slot *s);
		struct {			/* others: waits for locks */
			struct mail unblocked;
			uint64_t ticket;
		};
	};
};

/*
 * lu_io_submit() - start @io.
 *
 * Threads: the reactor owning @ch, which also runs done(): exactly once,
 *          never before this function returns.
 * Errors:  via done(): 0, -EIO, -ENODATA (medium), -ENOSPC, -ERANGE (outside
 *          the LU), -EROFS, -EILSEQ (VERIFY, COMPARE_AND_WRITE differ),
 *          -EOPNOTSUPP, -ETIMEDOUT, -ENXIO (store is gone), -ENOMEDIUM (there is
 *          none, or the channel's was taken out), -EINVAL (iov does not
 *          fit len_bytes, or the store's alignment is not met), -ENOMEM,
 *          -ECANCELED.
 */
void lu_io_submit(struct lu_channel *ch, struct lu_io *io);

/*
 * @io is of no use any more.  If a limit of the unit holds it back, it never starts,
 * and done() follows in this turn, with -ECANCELED.  A writer that a range lock holds
 * back does not start either; its done() comes when the lock goes.  What is emulated
 * in steps ends with the step that the store has.  What writes and is in the store is not
 * overtaken: later writers of its range wait for its end.  Else nothing happens.
 * Threads: as above; between submit and done().
 */
void lu_io_cancel(struct lu_io *io);

/* This reactor's channel, with a reference on @lu.  -ENOMEM or the store's. */
int lu_channel_get(struct lu *lu, struct lu_channel **ret_ch);
void lu_channel_put(struct lu_channel *ch);	/* I/O in flight keeps it alive */
struct lu *lu_channel_lu(struct lu_channel *ch);
/* Requests wait because of a limit; there is a limit. */
bool lu_channel_throttled(const struct lu_channel *ch);
bool lu_channel_limited(const struct lu_channel *ch);
