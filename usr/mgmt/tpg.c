/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/tpg.c - a changed copy of the target's groups is published; the call is
 * answered when every reactor works by it.  All values are checked before any takes effect.
 */
#include "mgmt/tpg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "mgmt/tpg_params.h"
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/target.h"

static uint16_t id_of(const struct mgmt_call *call)
{
	return (uint16_t)mgmt_rpc_int(call, "tpg", 0);
}

static void published(void *call)
{
	mgmt_rpc_reply(call, NULL);
}

static void publish(struct mgmt_call *call, const struct mgmt_target *t,
		    struct scsi_alua *a, const struct scsi_alua_change *change)
{
	const int err = scsi_alua_publish(t->scsi, a, change, published, call);

	if (err < 0)
		mgmt_rpc_fail_errno(call, err, "cannot change the target port groups");
}

/* A copy to change, or NULL after the call was failed. */
static struct scsi_alua *copy_for(struct mgmt_call *call, const struct mgmt_target *t)
{
	struct scsi_alua *a = t ? scsi_alua_copy(t->scsi) : NULL;

	if (t && !a)
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot copy the target port groups");
	return a;
}

static struct scsi_alua_group *group_for(struct mgmt_call *call, struct scsi_alua *a)
{
	const struct scsi_alua_group *g = scsi_alua_find(a, id_of(call));

	if (g)
		return &a->group[g - a->group];
	mgmt_rpc_fail(call, MGMT_ERR_INVALID, "tpg",
		      "the target has no target port group %u", id_of(call));
	return NULL;
}

void mgmt_tpg_create(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const struct scsi_alua_change change = { .code = SCSI_SENSE_ACCESS_STATE_CHANGED,
						 .inquiry = true };
	struct scsi_alua *a = copy_for(call, t);
	struct mgmt_tpg_edit e;

	if (!a)
		return;
	if (mgmt_tpg_params_add(&e, a, id_of(call), mgmt_rpc_pairs(call, "params"))) {
		free(a);
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "params", "%s", e.why);
		return;
	}
	publish(call, t, a, &change);
}

void mgmt_tpg_delete(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const struct scsi_alua_change change = { .code = SCSI_SENSE_ACCESS_STATE_CHANGED,
						 .inquiry = true };
	struct scsi_alua *a = copy_for(call, t);
	struct scsi_alua_group *g = a ? group_for(call, a) : NULL;

	if (!g) {
		free(a);
		return;
	}
	scsi_alua_remove(a, g);
	publish(call, t, a, &change);
}

/* What is set to what it was is no news. */
static bool differs(const struct scsi_alua *a, const struct scsi_alua_group *before,
		    const struct scsi_alua_group *g, unsigned int nr_exceptions,
		    struct scsi_alua_change *change)
{
	change->inquiry = before->tpgs != g->tpgs || before->nr_ports != g->nr_ports ||
			  memcmp(before->port, g->port, sizeof(g->port)) != 0;
	return change->inquiry || before->preferred != g->preferred ||
	       before->transition_s != g->transition_s ||
	       before->access.state != g->access.state ||
	       a->nr_exceptions != nr_exceptions;
}

/* One logical unit. */
static bool update_lun(struct scsi_alua *a, const struct mgmt_tpg_edit *e, uint64_t lun)
{
	const struct scsi_alua_access now = scsi_alua_access(a, e->g, lun);

	if (now.state == e->state && !e->failed)
		return false;
	scsi_alua_set_lun(a, e->g, lun, (struct scsi_alua_access){
			  e->state, SCSI_ALUA_BY_TARGET });
	return true;
}

static bool update_group(struct scsi_alua *a, struct mgmt_tpg_edit *e,
			 const struct scsi_alua_group *before, struct scsi_alua_change *change)
{
	const unsigned int nr_exceptions = a->nr_exceptions;

	if (e->state_given)
		scsi_alua_set(a, e->g, (struct scsi_alua_access){
			      e->state, e->state == before->access.state && !e->failed ?
						before->access.status :
						SCSI_ALUA_BY_TARGET });
	return differs(a, before, e->g, nr_exceptions, change) || e->failed;
}

static int check_lun(struct mgmt_tpg_edit *e, const struct mgmt_target *t, int64_t lun)
{
	struct scsi_device *dev = scsi_target_find_lun(t->scsi, (uint64_t)lun);
	const bool usable = dev && dev->lu;

	scsi_device_put(dev);
	if (usable && e->state_given)
		return 0;
	snprintf(e->why, sizeof(e->why), usable ? "a logical unit needs a state" :
		 "the target has no logical unit %" PRId64 " with a medium", lun);
	return -EINVAL;
}

/* By its kind the group changes at the wish of initiators only. */
static int check_kind(struct mgmt_tpg_edit *e)
{
	if (!e->state_given || e->g->tpgs & SCSI_ALUA_IMPLICIT)
		return 0;
	snprintf(e->why, sizeof(e->why), "initiators alone change the state of group %u "
		 "(alua=explicit); set alua=both to change it here", e->g->id);
	return -EINVAL;
}

void mgmt_tpg_update(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const bool of_lun = mgmt_rpc_has(call, "lun");
	const int64_t lun = mgmt_rpc_int(call, "lun", 0);
	struct scsi_alua_change change = { .one_lun = of_lun, .lun = (uint64_t)lun };
	struct scsi_alua *a = copy_for(call, t);
	struct scsi_alua_group *g = a ? group_for(call, a) : NULL;
	struct mgmt_tpg_edit e = { .g = g, .all = a };
	struct scsi_alua_group before;
	int err;

	if (!g) {
		free(a);
		return;
	}
	before = *g;
	err = mgmt_tpg_params_set(&e, mgmt_rpc_pairs(call, "params"), of_lun);
	if (!err)
		err = of_lun ? check_lun(&e, t, lun) : 0;
	if (!err)
		err = check_kind(&e);
	if (err) {
		free(a);
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "params", "%s", e.why);
		return;
	}
	change.code = e.failed ? SCSI_SENSE_ACCESS_STATE_TRANSITION_FAILED :
				 SCSI_SENSE_ACCESS_STATE_CHANGED;
	if (of_lun ? !update_lun(a, &e, (uint64_t)lun) :
		     !update_group(a, &e, &before, &change)) {
		free(a);
		mgmt_rpc_reply(call, NULL);
		return;
	}
	publish(call, t, a, &change);
}
