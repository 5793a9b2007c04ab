/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/task_set.c - order among the tasks of an I_T_L nexus, SAM-5 r21 8.6.
 *
 * There is one task set per I_T nexus (Control mode page, TST=001b), so order is
 * a matter of one reactor.  Tasks are in itl->tasks in order of arrival:
 *
 *	SIMPLE         waits for older ORDERED tasks and for any HEAD OF QUEUE
 *	ORDERED        waits for all that is older, and for any HEAD OF QUEUE
 *	HEAD OF QUEUE  never waits
 *
 * A HEAD OF QUEUE task without memory holds nobody: what it waits for may be the
 * memory of those that it would hold.
 *
 * nr_ordered counts the unfinished ones that others may wait for; while it is 0
 * nothing is looked at.
 */
#include "scsi/internal.h"
#include "scsi/nexus.h"
#include "scsi/task.h"

static bool holds_others(const struct scsi_task *t)
{
	return t->attr == SCSI_ATTR_ORDERED || t->attr == SCSI_ATTR_HEAD_OF_QUEUE;
}

void scsi_task_set_enter(struct scsi_task *t)
{
	list_add_tail(&t->itl->tasks, &t->node);
	if (unlikely(holds_others(t)))
		t->itl->nr_ordered++;
}

void scsi_task_set_leave(struct scsi_task *t)
{
	struct scsi_itl *itl = t->itl;

	if (!itl || likely(!itl->nr_ordered))
		return;
	if (holds_others(t))
		itl->nr_ordered--;
	if (!itl->removed)
		reactor_hook_arm(reactor_current(), &itl->unblock, REACTOR_COMPLETE);
}

void scsi_task_set_sent(struct scsi_task *t)
{
	if (unlikely(t->itl->nr_ordered) && !t->itl->removed)
		reactor_hook_arm(reactor_current(), &t->itl->unblock, REACTOR_COMPLETE);
}

/* What is borrowed is read when it is sent: a write that was to come after would
 * show. */
static bool is_over(const struct scsi_task *t)
{
	return t->state == SCSI_TASK_DONE && !t->loan.p;
}

bool scsi_task_set_may_run(const struct scsi_task *t)
{
	const struct scsi_task *other;
	bool older = true;

	if (likely(!t->itl->nr_ordered) || t->attr == SCSI_ATTR_HEAD_OF_QUEUE)
		return true;
	list_for_each(other, &t->itl->tasks, node) {
		if (other == t) {
			older = false;
			continue;
		}
		if (is_over(other))
			continue;
		if (other->attr == SCSI_ATTR_HEAD_OF_QUEUE &&
		    other->state != SCSI_TASK_BUFFER)
			return false;
		if (older && (t->attr == SCSI_ATTR_ORDERED ||
			      other->attr == SCSI_ATTR_ORDERED))
			return false;
	}
	return true;
}

/* Running a task may release it and others, so look from the start each time. */
void scsi_task_set_unblock(struct reactor_hook *h)
{
	struct scsi_itl *itl = container_of(h, struct scsi_itl, unblock);
	struct scsi_task *t;
	bool again;

	do {
		again = false;
		list_for_each(t, &itl->tasks, node)
			if (t->state == SCSI_TASK_BLOCKED && scsi_task_set_may_run(t)) {
				scsi_dispatch_advance(t);
				again = true;
				break;
			}
	} while (again);
}
