/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/alua_ask.c - an initiator changes access states (SET TARGET PORT GROUPS,
 * SPC-4 r37 6.45).  Control judges it by the groups that it finds, since another
 * change may have come first; the task may be aborted on the way.
 */
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "reactor/group.h"
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/target.h"
#include "scsi/task.h"

struct request {
	struct mail mail;
	struct reactor *home;
	struct scsi_task *task;		/* holds a reference */
	struct scsi_target *target;	/* holds a reference */
	uint64_t lun, nexus_id;
	bool busy;			/* no memory; nothing changed */
	enum scsi_sense_code code;	/* NO_SENSE: done */
	uint16_t at;			/* of the descriptor at fault */
	unsigned int n;
	struct scsi_alua_wish wish[];
};

/* --- on the reactor --- */

static enum scsi_status verdict(struct scsi_task *t, const struct request *r)
{
	if (r->busy)
		return SCSI_BUSY;
	if (r->code == SCSI_SENSE_NO_SENSE)
		return SCSI_GOOD;
	if (r->code == SCSI_SENSE_INVALID_FIELD_IN_PARAMETER_LIST)
		return scsi_task_fail_param(t, r->at, -1);
	return scsi_task_fail(t, r->code);
}

static void answered(struct mail *m)
{
	struct request *r = container_of(m, struct request, mail);
	struct scsi_task *t = r->task;

	if (!t->aborted && t->state != SCSI_TASK_DONE)
		scsi_task_complete(t, verdict(t, r));
	scsi_task_put(t);
	scsi_target_put(r->target);
	free(r);
}

/* --- on control --- */

static void answer(void *arg)
{
	struct request *r = arg;

	reactor_mailbox_send(r->home, &r->mail, answered);
}

static bool refuse(struct request *r, enum scsi_sense_code code, uint16_t at)
{
	r->code = code;
	r->at = at;
	return false;
}

/* One wish, on the copy.  *ret_changed: the state is another now. */
static bool fulfil(struct request *r, struct scsi_alua *a, const struct scsi_alua_wish *w,
		   bool *ret_changed)
{
	const struct scsi_alua_group *g = scsi_alua_find(a, w->group);
	struct scsi_alua_access now;

	if (!g || !(g->tpgs & SCSI_ALUA_EXPLICIT))
		return refuse(r, SCSI_SENSE_INVALID_FIELD_IN_PARAMETER_LIST, w->at + 2);
	now = scsi_alua_access(a, g, r->lun);
	/* Whoever manages us is at work on it. */
	if (now.state == SCSI_ALUA_TRANSITIONING)
		return refuse(r, SCSI_SENSE_NOT_READY_TRANSITIONING, 0);
	if (now.state != w->state) {
		now = (struct scsi_alua_access){ w->state, SCSI_ALUA_BY_INITIATOR };
		scsi_alua_set_lun(a, g, r->lun, now);
		*ret_changed = true;
	}
	return true;
}

static bool fulfil_all(struct request *r, struct scsi_alua *a, bool *ret_changed)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (!fulfil(r, a, &r->wish[i], ret_changed))
			return false;
	return true;
}

static void judge(struct mail *m)
{
	struct request *r = container_of(m, struct request, mail);
	const struct scsi_alua_change change = {
		.code = SCSI_SENSE_ACCESS_STATE_CHANGED,
		.one_lun = true, .lun = r->lun, .except = r->nexus_id,
	};
	struct scsi_alua *a = scsi_alua_copy(r->target);
	bool changed = false;

	if (!a) {
		r->busy = true;
	} else if (!scsi_target_has(r->target, r->lun, r->task->dev)) {
		/* Gone meanwhile: the next one of this number begins anew. */
		r->code = SCSI_SENSE_LUN_NOT_SUPPORTED;
		free(a);
	} else if (!fulfil_all(r, a, &changed) || !changed) {
		free(a);
	} else if (scsi_alua_publish(r->target, a, &change, answer, r) == 0) {
		return;
	} else {
		r->busy = true;
	}
	answer(r);
}

enum scsi_status scsi_alua_ask(struct scsi_task *t, const struct scsi_alua_wish *w,
			       unsigned int n)
{
	struct request *r = calloc(1, sizeof(*r) + n * sizeof(*w));

	if (!r)
		return SCSI_BUSY;
	r->home = reactor_current();
	r->task = t;
	scsi_task_get(t);
	r->target = scsi_target_get(t->nexus->target);
	r->lun = t->itl->lun;
	r->nexus_id = t->nexus->id;
	r->code = SCSI_SENSE_NO_SENSE;
	r->n = n;
	memcpy(r->wish, w, n * sizeof(*w));
	reactor_mailbox_send(reactor_group_control(), &r->mail, judge);
	return SCSI_PENDING;
}
