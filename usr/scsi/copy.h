/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/copy.h - third-party copy operations (SPC-4 r37 5.17): segments that are
 * copied one after the other on behalf of a task, and what is remembered of them.
 *
 * A command set translates its parameter list into ends and segments.  An
 * operation runs in the task, which is in the store meanwhile, or goes on in the
 * background after the task was answered.  It ends early, before its next piece,
 * when the task is aborted, a logical unit is reset or taken away, the nexus is
 * lost, or COPY OPERATION ABORT asks for it; what waits for a limit, or is done in
 * steps, is cancelled as well.
 *
 * What is left is a record in the I_T_L nexus, found by its list identifier, until
 * newer ones need the place.
 *
 * Threads: the reactor of the nexus.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "scsi/scsi.h"
#include "scsi/sense.h"

struct lu;
struct lu_channel;
struct scsi_copy_run;
struct scsi_device;
struct scsi_itl;
struct scsi_reach;
struct scsi_task;

#define SCSI_COPY_ENDS_MAX	16U
#define SCSI_COPY_SEGMENTS_MAX	256U
#define SCSI_COPY_RECORDS_MAX	16U	/* of an I_T_L nexus */
#define SCSI_COPY_RUNNING_MAX	64U	/* of the daemon; above: BUSY */
#define SCSI_COPY_SHARE		16U	/* of them, of an I_T nexus; above: BUSY too */

#define SCSI_COPY_ZEROES	0xffU	/* as a segment's source */

struct scsi_copy_segment {
	uint8_t src, dst;		/* ends, as scsi_copy_add_device() numbered them */
	uint64_t src_bytes, dst_bytes, len_bytes;
};

enum scsi_copy_state {			/* COPY OPERATION STATUS, SPC-4 r37 table 248 */
	SCSI_COPY_DONE = 0x01,
	SCSI_COPY_FAILED = 0x02,
	SCSI_COPY_FOREGROUND = 0x11,
	SCSI_COPY_BACKGROUND = 0x12,
	SCSI_COPY_TERMINATED = 0x60,
};

struct scsi_copy {
	struct list_head node;		/* in itl->copies */
	uint32_t list_id;
	bool identified;		/* list_id counts */
	uint8_t sa;			/* service action that began it */
	enum scsi_copy_state state;
	int stop;			/* it is to end because of this error; 0: go on */
	struct scsi_copy_run *run;	/* NULL: over */

	/* What has become of it. */
	uint64_t done_bytes;
	uint16_t done_segments;
	uint32_t block_bytes;		/* of the logical unit that got the command */
	enum scsi_status status;
	uint8_t sense[SCSI_SENSE_MAX];
	uint8_t sense_bytes;
	uint8_t *result;		/* POPULATE TOKEN: the token; owned */
	uint16_t result_bytes;
};

struct scsi_copy_ops {			/* what a kind of command adds; members may be NULL */
	/* Is the source what it has to be?  0 or an errno for sense(). */
	int (*check)(void *arg);
	/* Why it failed; default: as a write of this logical unit. */
	enum scsi_status (*sense)(struct scsi_task *t, int err, bool reading);
	void (*over)(void *arg);	/* give up @arg: once, also by scsi_copy_drop() */
};

/*
 * A command comes with this list identifier: what was known by it is forgotten, even
 * if the command is refused after that.  GOOD, or CHECK CONDITION while an operation
 * with it runs.
 */
enum scsi_status scsi_copy_claim(struct scsi_task *t, uint32_t list_id);

/* Begin an operation; its identifier, if any, is claimed.  NULL: too many run. */
struct scsi_copy *scsi_copy_new(struct scsi_task *t, uint32_t list_id, bool identified,
				unsigned int nr_segments,
				const struct scsi_copy_ops *ops, void *arg);
/* An operation that is not to run after all. */
void scsi_copy_drop(struct scsi_copy *c);

/* Number an end; @through: by which session, if it is of another target.  Takes the
 * references.  -ENOSPC: too many; -ENOMEM. */
int scsi_copy_add_device(struct scsi_copy *c, struct scsi_device *dev, uint64_t lun,
			 struct scsi_reach *through);
/* A source that is known by its LU only; takes the reference. */
int scsi_copy_add_source(struct scsi_copy *c, struct lu *lu);
void scsi_copy_add_segment(struct scsi_copy *c, const struct scsi_copy_segment *s);

/* Returns SCSI_PENDING.  @immediate: the task is answered before the copy starts. */
enum scsi_status scsi_copy_start(struct scsi_copy *c, bool immediate);

/* A record without a copy (POPULATE TOKEN): it is done.  Takes @result. */
void scsi_copy_succeed(struct scsi_copy *c, uint64_t done_bytes, uint8_t *result,
		       uint16_t result_bytes);

/* NULL: none, or it has been forgotten. */
struct scsi_copy *scsi_copy_find(struct scsi_itl *itl, uint32_t list_id);
uint64_t scsi_copy_progress(const struct scsi_copy *c);	/* bytes */

/* Whether one that runs, for commands of @itl, reads or writes @dev. */
bool scsi_copy_uses(const struct scsi_itl *itl, const struct scsi_device *dev);

/* It is to end: COPY OPERATION ABORT.  No effect on one that is over. */
void scsi_copy_cancel(struct scsi_copy *c);
/* No new commands come from @itl: so are those that run. */
void scsi_copy_cancel_all(struct scsi_itl *itl);

/* With the I_T_L nexus: all of them. */
void scsi_copy_forget(struct scsi_itl *itl);
