/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/background.h - an operation that has a logical unit to itself: SANITIZE,
 * FORMAT UNIT.
 *
 * It belongs to the logical unit, not to the task that asked for it: aborts and
 * resets do not end it (SBC-4 r22 4.10, 4.11).  Meanwhile every command but
 * INQUIRY, REPORT LUNS and REQUEST SENSE is refused, with the progress in the
 * sense data.  Nobody else writes: tasks that were there before are ended, and a
 * range lock holds writers of other front ends.  It stops when the logical unit
 * is taken out of its last target.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lu/io.h"
#include "lu/keep.h"
#include "scsi/sense.h"

struct scsi_device;
struct scsi_task;

enum scsi_background_state {
	SCSI_BACKGROUND_NONE,
	SCSI_BACKGROUND_SANITIZE,	/* under way */
	SCSI_BACKGROUND_FORMAT,
	SCSI_BACKGROUND_SANITIZE_FAILED, /* the medium is of no use until repaired */
	SCSI_BACKGROUND_FORMAT_FAILED,
};

struct scsi_background {		/* in struct scsi_device; any thread */
	_Atomic uint8_t state;
	_Atomic uint16_t progress;	/* of 65536 */
	atomic_bool unrestricted;	/* SANITIZE_FAILED: EXIT FAILURE MODE may end it */
};

/* What runs.  Embedded in the command set's own; its reactor only. */
struct scsi_background_job {
	/* By the command set. */
	enum scsi_background_state kind; /* SANITIZE or FORMAT */
	bool unrestricted;		/* AUSE */
	/* Set io.op, flags, range and iov of the next request, and done_units of
	 * total_units; false: there is none. */
	bool (*next)(struct scsi_background_job *job);
	void (*free)(struct scsi_background_job *job);
	struct lu_io io;
	uint64_t done_units, total_units;
	struct scsi_device *dev;	/* valid from start on; holds a reference */

	/* scsi/ only. */
	struct lu_channel *ch;
	struct lu_range_lock *lock;
	struct scsi_task *task;		/* to be answered; holds a reference; or NULL */
	bool immed;			/* ... when it has begun */
	uint8_t before;			/* what the state was */
	struct lu_reserve *owner;	/* of the mark, holds a reference; NULL: none */
	struct lu_keep_change mark;
	const struct scsi_task *origin;	/* only compared */
};

/*
 * Start @job for @t.  SCSI_GOOD: it runs, and @immed asked to be told now;
 * SCSI_PENDING: @t is answered at its end, or (@immed) when it is kept that a SANITIZE
 * is under way.  Anything else: it does not run, and
 * free() was called.  Takes @job.
 */
enum scsi_status scsi_background_start(struct scsi_task *t, struct scsi_background_job *job,
				       bool immed);

/* EXIT FAILURE MODE: what has failed is past, for good. */
enum scsi_status scsi_background_leave(struct scsi_task *t);

bool scsi_background_runs(const struct scsi_device *dev);
/* The medium is another, or the device is new: whether a SANITIZE of it was broken off
 * is what was kept.  Threads: control. */
void scsi_background_load(struct scsi_device *dev);

/* Why @dev is not ready, or its medium of no use.  False: nothing of the kind. */
bool scsi_background_sense(const struct scsi_device *dev, struct scsi_sense *ret_sense);

/* Whether a command with these SCSI_CMD_* is refused now; then also why. */
bool scsi_background_refuses(const struct scsi_device *dev, unsigned int flags,
			     struct scsi_sense *ret_sense);
