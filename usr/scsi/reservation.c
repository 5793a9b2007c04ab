/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/reservation.c - each I_T_L nexus keeps what is denied to it, as of one
 * version of the reservations, and asks anew when there is another.
 */
#include "scsi/reservation.h"

#include <errno.h>
#include <stdlib.h>
#include "base/text.h"
#include "reactor/group.h"
#include "scsi/command.h"
#include "scsi/nexus.h"
#include "scsi/target.h"
#include "scsi/tmf.h"

void scsi_reservation_who(const struct scsi_nexus *n, struct lu_reserve_who *ret_who)
{
	*ret_who = (struct lu_reserve_who){ .port = n->target_port };
	text_copy(ret_who->initiator, sizeof(ret_who->initiator), n->initiator_port);
	text_copy(ret_who->target, sizeof(ret_who->target), n->target->name);
}

/* --- may it run --- */

/* What a command needs, LU_RESERVE_*. */
static unsigned int needs(const struct scsi_task *t)
{
	if (!t->cmd)			/* it is going to be refused */
		return LU_RESERVE_USE;
	switch (t->cmd->pr) {
	case SCSI_PR_ALWAYS:
		return 0;
	case SCSI_PR_READS:
		return LU_RESERVE_READ;
	case SCSI_PR_PREVENT:
		return t->cdb[4] & 0x03 ? LU_RESERVE_WRITE : 0;
	case SCSI_PR_START:		/* START=1 and POWER CONDITION=0 */
		return (t->cdb[4] & 0xf1) == 0x01 ? 0 : LU_RESERVE_WRITE;
	case SCSI_PR_CONFLICTS:
	case SCSI_PR_WRITES:
		break;
	}
	return LU_RESERVE_WRITE;
}

/* Under a RESERVE what is harmless to a persistent reservation may conflict; the
 * row says so (SPC-2 r20 table 10), but for those that their CDB decides. */
static bool is_for_all(const struct scsi_task *t)
{
	if (!t->cmd)
		return false;
	if (t->cmd->pr == SCSI_PR_PREVENT || t->cmd->pr == SCSI_PR_START)
		return !needs(t);
	return t->cmd->flags & SCSI_CMD_UNRESERVED;
}

enum scsi_status scsi_reservation_check(struct scsi_task *t)
{
	struct lu_reserve *r = lu_reserve(t->dev->lu);
	const uint64_t version = lu_reserve_active(r);
	struct scsi_itl *itl = t->itl;
	struct lu_reserve_who who;

	if (!version)
		return SCSI_GOOD;
	if (itl->reserve_version != version) {
		scsi_reservation_who(t->nexus, &who);
		itl->denied = (uint8_t)lu_reserve_denied(r, &who, t->nexus->id);
		itl->reserve_version = version;
	}
	if (likely(!itl->denied))
		return SCSI_GOOD;
	if (itl->denied & LU_RESERVE_USE)
		return is_for_all(t) ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT;
	return itl->denied & needs(t) ? SCSI_RESERVATION_CONFLICT : SCSI_GOOD;
}

bool scsi_reservation_denies(const struct scsi_nexus *n, const struct lu *lu,
			     unsigned int what)
{
	const struct lu_reserve *r = lu_reserve(lu);
	struct lu_reserve_who who;

	if (likely(!lu_reserve_active(r)))
		return false;
	scsi_reservation_who(n, &who);
	return lu_reserve_denied(r, &who, n->id) & what;
}

/* --- telling --- */

struct telling {
	const struct lu_reserve_change *c;
	bool abort;
	void (*done)(void *arg, int err);
	void *arg;
};

static bool is_unit(const struct scsi_device *dev, const struct lu_reserve_change *c)
{
	return dev->lu && lu_reserve(dev->lu) == c->r;
}

static enum lu_reserve_event event_of(const struct scsi_nexus *n,
				      const struct lu_reserve_change *c)
{
	struct lu_reserve_who who;
	int i;

	scsi_reservation_who(n, &who);
	i = lu_reserve_state_find(c->old, &who);
	return i < 0 ? LU_RESERVE_NO_EVENT : (enum lu_reserve_event)c->event[i];
}

static void tell_itl(struct scsi_itl *itl, void *arg)
{
	static const enum scsi_sense_code codes[] = {
		[LU_RESERVE_RELEASED] = SCSI_SENSE_RESERVATIONS_RELEASED,
		[LU_RESERVE_PREEMPTED] = SCSI_SENSE_RESERVATIONS_PREEMPTED,
		[LU_RESERVE_UNREGISTERED] = SCSI_SENSE_REGISTRATIONS_PREEMPTED,
	};
	const struct telling *g = arg;
	enum lu_reserve_event event;

	if (!is_unit(itl->dev, g->c))
		return;
	event = event_of(itl->nexus, g->c);
	if (event != LU_RESERVE_NO_EVENT)
		scsi_unit_attention_add(itl, codes[event]);
}

static void tell_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, tell_itl, arg);
}

static void tell_here(struct reactor_spread *s, void *arg)
{
	scsi_nexus_each(NULL, tell_nexus, arg);
	reactor_group_spread_put(s);
}

static void end(struct telling *g, int err)
{
	g->done(g->arg, err);
	free(g);
}

static void all_gone(void *arg)
{
	end(arg, 0);
}

static bool is_preempted(const struct scsi_nexus *n, const struct scsi_device *dev,
			 const void *arg)
{
	const struct telling *g = arg;

	return is_unit(dev, g->c) && event_of(n, g->c) == LU_RESERVE_UNREGISTERED;
}

static void told(void *arg)
{
	struct telling *g = arg;

	if (!g->abort)
		end(g, 0);
	else if (scsi_tmf_preempt(is_preempted, all_gone, g) < 0)
		end(g, -ENOMEM);
}

int scsi_reservation_tell(const struct lu_reserve_change *c, bool abort,
			  void (*done)(void *arg, int err), void *arg)
{
	struct telling *g = malloc(sizeof(*g));

	if (!g)
		return -ENOMEM;
	*g = (struct telling){ c, abort, done, arg };
	if (reactor_group_spread(tell_here, told, g) < 0) {
		free(g);
		return -ENOMEM;
	}
	return 0;
}
