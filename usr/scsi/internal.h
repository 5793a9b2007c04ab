/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/internal.h - what the files of this directory share. */
#pragma once
#include "base/list.h"
#include "reactor/reactor.h"
#include "scsi/task.h"

/* What a reactor's thread has of its own. */
struct scsi_local {
	struct list_head nexuses;
	struct list_head finished;	/* tasks whose transport is to be called */
	struct list_head answers;	/* struct scsi_tmf to be answered */
	struct list_head lingering;	/* tasks aborted, but still in the store */
	struct list_head copying;	/* tasks that may write to t->copies_to */
	struct list_head waits;		/* task management that waits for them */
	struct list_head accounts;	/* memory of the devices, memory.c */
	uint64_t lingered;		/* last number given out */
	struct reactor_hook deliver;	/* COMPLETE stage: finished, answers */
};

struct scsi_local *scsi_task_local(void);

/* Its initiator still waits for an answer. */
static inline bool scsi_task_is_owed(const struct scsi_task *t)
{
	return !t->aborted && !t->lingers &&
	       (t->state != SCSI_TASK_DONE || list_is_linked(&t->finished));
}

/* task.c: call respond(), or collect(), once this turn. */
void scsi_task_deliver_later(struct scsi_task *t);
/* The status is known, what follows is the transport's. */
void scsi_task_finish(struct scsi_task *t, enum scsi_status status);
/* End a task with an answer, even if it is in the store. */
void scsi_task_end(struct scsi_task *t, enum scsi_status status);

/* task_set.c: ordering among the tasks of an I_T_L nexus. */
void scsi_task_set_enter(struct scsi_task *t);
void scsi_task_set_leave(struct scsi_task *t);	/* its status is known */
void scsi_task_set_sent(struct scsi_task *t);	/* what it had borrowed was given back */
bool scsi_task_set_may_run(const struct scsi_task *t);
void scsi_task_set_unblock(struct reactor_hook *h);

/* memory.c: a buffer of @bytes in t->data, keeping what is there already.  False:
 * it waits and scsi_dispatch_advance() follows, or it has ended without. */
bool scsi_memory_get(struct scsi_task *t, uint64_t bytes);
void scsi_memory_put(struct scsi_task *t);
void scsi_memory_enter_store(const struct scsi_task *t);
void scsi_memory_leave_store(const struct scsi_task *t);
/* This reactor's account of @dev, counted by I_T_L nexuses.  NULL: no memory. */
struct scsi_memory_account *scsi_memory_account_get(const struct scsi_device *dev);
void scsi_memory_account_put(struct scsi_memory_account *a);	/* accepts NULL */

/* dispatch.c: go on with a task that waited for memory or for others. */
void scsi_dispatch_advance(struct scsi_task *t);

/* nexus.c */
void scsi_nexus_drop_itl(struct scsi_itl *itl);	/* no new tasks; freed when idle */
void scsi_nexus_task_gone(struct scsi_nexus *n, struct scsi_itl *itl);
void scsi_nexus_abort_tasks(struct list_head *tasks);

/* tmf.c */
void scsi_tmf_task_gone(const struct scsi_task *t);	/* one of local->lingering */
void scsi_tmf_deliver(struct list_head *answers);
