/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/pr_out.c - PERSISTENT RESERVE OUT, SPC-4 r37 6.16.
 *
 * A command is a request for lu/reserve, which decides it in its turn, maybe after
 * writing it down; then those whom it concerns are told, on every reactor, and with
 * PREEMPT AND ABORT their tasks end; then it is answered.  The task may be aborted
 * on the way; what it asked for may happen all the same.
 */
#include <stdlib.h>
#include <string.h>
#include "base/be.h"
#include "base/cleanup.h"
#include "base/iov.h"
#include "base/macros.h"
#include "base/text.h"
#include "scsi/command.h"
#include "scsi/nexus.h"
#include "scsi/port.h"
#include "scsi/reservation.h"
#include "scsi/target.h"
#include "spc/handlers.h"
#include "spc/pr.h"

#define LIST_BYTES	24U		/* basic parameter list, 6.16.3 */
#define OTHERS_MAX	LU_RESERVE_REGS_MAX

#define SPEC_I_PT	0x08		/* byte 20 */
#define ALL_TG_PT	0x04
#define APTPL		0x01
#define MOVE_UNREG	0x02		/* byte 17, 6.16.4 */
#define MOVE_APTPL	0x01

struct pr_out {
	struct lu_reserve_change change;
	struct scsi_task *task;		/* holds a reference */
	bool abort;
	uint8_t *list;			/* parameter list, malloc'ed */
	struct lu_reserve_who *others;	/* idem */
	uint16_t ports[SCSI_PORTS_MAX];
};

/* --- the end --- */

static void pr_out_free(struct pr_out *p)
{
	if (!p)
		return;
	free(p->list);
	free(p->others);
	free(p);
}
DEFINE_CLEANUP(struct pr_out *, pr_out_free)

static void end(struct pr_out *p, enum scsi_status status)
{
	struct scsi_task *t = p->task;

	scsi_task_complete(t, status);
	scsi_task_put(t);
	lu_reserve_change_fini(&p->change);
	pr_out_free(p);
}

static enum scsi_status status_of(struct scsi_task *t, enum lu_reserve_result result)
{
	switch (result) {
	case LU_RESERVE_OK:
		return SCSI_GOOD;
	case LU_RESERVE_CONFLICT:
		return SCSI_RESERVATION_CONFLICT;
	case LU_RESERVE_BAD_KEY:
		return scsi_task_fail_param(t, 8, -1);
	case LU_RESERVE_BAD_TYPE:
		return scsi_task_fail_cdb(t, 2, -1);
	case LU_RESERVE_BAD_OTHERS:
		return t->cmd->sa == SPC_PR_OUT_MOVE ? scsi_task_fail_param(t, 24, -1) :
						       scsi_task_fail_param(t, 20, 3);
	case LU_RESERVE_NOT_HOLDER:		/* table 56 */
		return scsi_task_fail_cdb(t, 1, 4);
	case LU_RESERVE_WRONG_TYPE:
		return scsi_task_fail(t, SCSI_SENSE_INVALID_RELEASE);
	case LU_RESERVE_FULL:
		return scsi_task_fail(t, SCSI_SENSE_INSUFFICIENT_REGISTRATION_RESOURCES);
	case LU_RESERVE_NO_MEMORY:
		return SCSI_BUSY;
	case LU_RESERVE_NOT_KEPT:
		break;
	}
	return scsi_task_fail(t, SCSI_SENSE_INTERNAL_TARGET_FAILURE);
}

/* It has happened; GOOD would say that all of it has. */
static void told(void *arg, int err)
{
	struct pr_out *p = arg;

	end(p, err ? scsi_task_fail(p->task, SCSI_SENSE_INTERNAL_TARGET_FAILURE) : SCSI_GOOD);
}

static void decided(struct lu_reserve_change *c)
{
	struct pr_out *p = container_of(c, struct pr_out, change);

	if (!c->old)
		end(p, status_of(p->task, c->result));
	else if (scsi_reservation_tell(c, p->abort, told, p) < 0)
		told(p, -1);
}

/* --- the parameter list --- */

static struct pr_out *pr_out_new(struct scsi_task *t)
{
	_cleanup_(pr_out_freep) struct pr_out *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->task = t;
	p->list = malloc(t->out_bytes);
	if (!p->list)
		return NULL;
	iov_read(t->data.iov, t->data.iovcnt, 0, p->list, t->out_bytes);
	p->change.done = decided;
	p->change.q.key = be_load(p->list, 8);
	p->change.q.new_key = be_load(p->list + 8, 8);
	p->change.q.type = spc_pr_type(t->cdb[2]);
	scsi_reservation_who(t->nexus, &p->change.q.who);
	return TAKE_PTR(p);
}

/* SPEC_I_PT and APTPL are not for everybody, 6.16.3. */
static enum scsi_status check_flags(struct scsi_task *t, const struct pr_out *p)
{
	const uint8_t flags = p->list[20];
	const bool is_register = t->cmd->sa == SPC_PR_OUT_REGISTER;
	const bool sets_aptpl = is_register || t->cmd->sa == SPC_PR_OUT_REGISTER_ANYWAY;

	if (flags & SPEC_I_PT && !is_register)
		return scsi_task_fail_param(t, 20, 3);
	if (flags & APTPL && sets_aptpl && !lu_reserve_can_keep())
		return scsi_task_fail_param(t, 20, 0);
	if (!(flags & SPEC_I_PT) && t->out_bytes != LIST_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	return SCSI_GOOD;
}

/* The initiator port at byte @at, coming to @port.  0: it makes no sense. */
static size_t get_other(const struct scsi_task *t, struct pr_out *p, size_t at,
			uint16_t port)
{
	struct lu_reserve_request *q = &p->change.q;
	struct lu_reserve_who *w = &p->others[q->nr_others];
	size_t bytes;

	*w = (struct lu_reserve_who){ .port = port };
	bytes = spc_pr_get_transport_id(p->list + at, t->out_bytes - at, w->initiator,
					sizeof(w->initiator));
	text_copy(w->target, sizeof(w->target), t->nexus->target->name);
	q->nr_others += bytes > 0;
	return bytes;
}

/* SPEC_I_PT: TransportIDs after the list, 6.16.3. */
static enum scsi_status get_others(struct scsi_task *t, struct pr_out *p)
{
	struct lu_reserve_request *q = &p->change.q;
	size_t at = LIST_BYTES + 4, n;

	if (t->out_bytes < at || be_load(p->list + LIST_BYTES, 4) != t->out_bytes - at)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	/* The shortest TransportID has 24 bytes. */
	p->others = calloc(MIN(t->out_bytes / 24 + 1, (uint64_t)OTHERS_MAX),
			   sizeof(*p->others));
	if (!p->others)
		return SCSI_BUSY;
	q->others = p->others;
	for (; at < t->out_bytes; at += n) {
		if (q->nr_others == OTHERS_MAX)
			return scsi_task_fail(t,
				SCSI_SENSE_INSUFFICIENT_REGISTRATION_RESOURCES);
		n = get_other(t, p, at, t->nexus->target_port);
		if (!n)
			return scsi_task_fail_param(t, (unsigned int)at, -1);
	}
	return SCSI_GOOD;
}

/* ALL_TG_PT: those that there are, beside the one it came through. */
static void get_ports(const struct scsi_task *t, struct pr_out *p)
{
	const struct scsi_ports *all = scsi_port_list();
	struct lu_reserve_request *q = &p->change.q;

	for (unsigned int i = 0; all && i < MIN(all->n, (unsigned int)SCSI_PORTS_MAX); i++)
		if (all->id[i] != t->nexus->target_port)
			p->ports[q->nr_ports++] = all->id[i];
	q->ports = p->ports;
}

static bool is_port(const struct scsi_task *t, uint16_t port)
{
	const struct scsi_ports *all = scsi_port_list();

	for (unsigned int i = 0; all && i < all->n; i++)
		if (all->id[i] == port)
			return true;
	return port == t->nexus->target_port;
}

/* REGISTER AND MOVE has a list of its own, 6.16.4. */
static enum scsi_status get_move(struct scsi_task *t, struct pr_out *p)
{
	const uint16_t port = (uint16_t)be_load(p->list + 18, 2);

	if (be_load(p->list + 20, 4) != t->out_bytes - LIST_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	if (p->list[17] & MOVE_APTPL && !lu_reserve_can_keep())
		return scsi_task_fail_param(t, 17, 0);
	if (!is_port(t, port))
		return scsi_task_fail_param(t, 18, -1);
	p->others = calloc(1, sizeof(*p->others));
	if (!p->others)
		return SCSI_BUSY;
	p->change.q.others = p->others;
	p->change.q.durable = p->list[17] & MOVE_APTPL;
	p->change.q.leave = p->list[17] & MOVE_UNREG;
	if (get_other(t, p, LIST_BYTES, port) != t->out_bytes - LIST_BYTES)
		return scsi_task_fail_param(t, LIST_BYTES, -1);
	return SCSI_GOOD;
}

static enum scsi_status get_list(struct scsi_task *t, struct pr_out *p)
{
	enum scsi_status status;

	if (t->cmd->sa == SPC_PR_OUT_MOVE)
		return get_move(t, p);
	status = check_flags(t, p);
	if (status != SCSI_GOOD)
		return status;
	p->change.q.durable = p->list[20] & APTPL;
	if (p->list[20] & ALL_TG_PT && (t->cmd->sa == SPC_PR_OUT_REGISTER ||
					t->cmd->sa == SPC_PR_OUT_REGISTER_ANYWAY))
		get_ports(t, p);
	return p->list[20] & SPEC_I_PT ? get_others(t, p) : SCSI_GOOD;
}

/* --- the command --- */

static const enum lu_reserve_verb verbs[] = {
	[SPC_PR_OUT_REGISTER] = LU_RESERVE_REGISTER,
	[SPC_PR_OUT_RESERVE] = LU_RESERVE_RESERVE,
	[SPC_PR_OUT_RELEASE] = LU_RESERVE_RELEASE,
	[SPC_PR_OUT_CLEAR] = LU_RESERVE_CLEAR,
	[SPC_PR_OUT_PREEMPT] = LU_RESERVE_PREEMPT,
	[SPC_PR_OUT_PREEMPT_AND_ABORT] = LU_RESERVE_PREEMPT,
	[SPC_PR_OUT_REGISTER_ANYWAY] = LU_RESERVE_REGISTER_ANYWAY,
	[SPC_PR_OUT_MOVE] = LU_RESERVE_MOVE,
};

enum scsi_status spc_pr_out_run(struct scsi_task *t)
{
	_cleanup_(pr_out_freep) struct pr_out *p = NULL;
	struct lu_reserve *r;
	enum scsi_status status;

	if (t->out_bytes < LIST_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	p = pr_out_new(t);
	if (!p)
		return SCSI_BUSY;
	status = get_list(t, p);
	if (status != SCSI_GOOD)
		return status;
	r = lu_reserve_get(lu_reserve(t->dev->lu));
	if (!r)
		return SCSI_BUSY;
	p->change.q.verb = verbs[t->cmd->sa];
	p->abort = t->cmd->sa == SPC_PR_OUT_PREEMPT_AND_ABORT;
	scsi_task_get(t);
	lu_reserve_submit(r, &p->change);
	p = NULL;		/* it comes back in decided() */
	return SCSI_PENDING;
}
