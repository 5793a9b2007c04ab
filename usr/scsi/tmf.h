/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/tmf.h - task management, SAM-5 clause 7.
 *
 * A function is answered when no task it concerns can still change the medium:
 * tasks outside the store end at once, writes in the store are waited for.  A
 * store that does not come back within SCSI_TMF_WAIT_MS makes the answer
 * SCSI_TMF_REJECTED, which is the truth; nothing else is delayed by it.
 *
 * Threads: started on and answered on the reactor of the nexus.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "reactor/timer.h"

#define SCSI_TMF_WAIT_MS	900

struct scsi_device;
struct scsi_nexus;
struct scsi_task;

enum scsi_tmf_function {
	SCSI_TMF_ABORT_TASK,
	SCSI_TMF_ABORT_TASK_SET,
	SCSI_TMF_CLEAR_TASK_SET,
	SCSI_TMF_LUN_RESET,
	SCSI_TMF_TARGET_RESET,	/* every logical unit of the target */
};

enum scsi_tmf_response {
	SCSI_TMF_COMPLETE,
	SCSI_TMF_NO_SUCH_LUN,
	SCSI_TMF_REJECTED,
};

struct scsi_tmf {		/* the transport's memory until done() */
	enum scsi_tmf_function fn;
	struct scsi_nexus *nexus;
	uint64_t lun;			/* 8-byte field; not for TARGET_RESET */
	struct scsi_task *task;		/* ABORT_TASK */
	void (*done)(struct scsi_tmf *tmf, enum scsi_tmf_response rsp);

	/* scsi/ only. */
	struct timer timer;
	struct list_head node;
	unsigned int pending;
	enum scsi_tmf_response rsp;
	void *priv[4];
};

/* done() is never called from within, and always called; a nexus that closes
 * meanwhile is answered too. */
void scsi_tmf_start(struct scsi_tmf *tmf);

/*
 * End the tasks of the nexuses and devices that @picks chooses, on every reactor (there
 * it is asked), in TASK ABORTED; then @done on the caller's reactor, when none of
 * them can change the medium any more, however long that takes.  What such a nexus
 * left in the store before, aborted otherwise, is waited for as well.  Threads: any
 * reactor, or control.  -ENOMEM.
 */
int scsi_tmf_preempt(bool (*picks)(const struct scsi_nexus *n, const struct scsi_device *dev,
				   const void *arg),
		     void (*done)(void *arg), void *arg);
