/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_update.c - changing a logical unit: all of a call takes effect, or
 * nothing of it. */
#include "mgmt/lun_update.h"

#include <errno.h>
#include <inttypes.h>
#include "base/log.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "lu/resize.h"
#include "mgmt/lun.h"
#include "mgmt/lun_cache.h"
#include "mgmt/lun_params.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "scsi/device.h"
#include "scsi/target.h"
#include "scsi/unit_attention.h"

void mgmt_lun_update_tell(struct mgmt_lun *l, unsigned int news)
{
	static const enum scsi_sense_code codes[MGMT_LUN_NEWS_NR] = {
		[MGMT_LUN_NEWS_INQUIRY] = SCSI_SENSE_INQUIRY_DATA_HAS_CHANGED,
		[MGMT_LUN_NEWS_MODE] = SCSI_SENSE_MODE_PARAMETERS_CHANGED,
		[MGMT_LUN_NEWS_CAPACITY] = SCSI_SENSE_CAPACITY_DATA_HAS_CHANGED,
		[MGMT_LUN_NEWS_MEDIUM] = SCSI_SENSE_MEDIUM_MAY_HAVE_CHANGED,
	};

	for (unsigned int i = 0; i < MGMT_LUN_NEWS_NR; i++)
		if (news & BIT(i) && scsi_unit_attention_raise(l->dev, codes[i], 0) < 0)
			log_err("LUN %" PRIu64 ": out of memory for a unit attention",
				l->lun);
}

void mgmt_lun_update_apply(struct lu *lu, const struct mgmt_lun_change *c)
{
	atomic_store(&lu->read_only, c->config.readonly || lu_store_info(lu)->read_only ||
				     lu->open_flags & BS_OPEN_RDONLY);
	if (c->write_cache >= 0)
		atomic_store(&lu->write_cache, c->write_cache != 0);
}

/* 0, or -ENOMEM and nothing has changed. */
static int apply(struct mgmt_lun *l, const struct mgmt_lun_change *c)
{
	const struct lu_identity before = *lu_identity(l->lu);
	const struct lu_qos_limits limits = *lu_qos_limits(l->lu);

	if (lu_qos_set(l->lu, &c->limits) < 0)
		return -ENOMEM;
	if (lu_set_identity(l->lu, &c->id) < 0 ||
	    scsi_device_set_config(l->dev, &c->config) < 0) {
		if (lu_qos_set(l->lu, &limits) < 0)
			log_err("LUN %" PRIu64 ": out of memory, its limits have changed alone",
				l->lun);
		if (lu_set_identity(l->lu, &before) < 0)
			log_err("LUN %" PRIu64 ": out of memory, its ids have changed alone",
				l->lun);
		return -ENOMEM;
	}
	mgmt_lun_update_apply(l->lu, c);
	return 0;
}

void mgmt_lun_update_warn(struct mgmt_call *call, const struct lu *lu,
			  const struct mgmt_lun_change *c)
{
	if (*c->warning)
		mgmt_rpc_warn(call, "%s", c->warning);
	if (c->config.thin_provisioning &&
	    !(lu_store_info(lu)->ops & BS_OP_BIT(BS_UNMAP)))
		mgmt_rpc_warn(call,
			      "a store of type %s cannot give space back: thin provisioning is not offered",
			      lu->bstype);
	if (c->limits.iops_burst && !c->limits.iops_limit)
		mgmt_rpc_warn(call, "iops_burst has no effect without iops_limit");
	if (c->limits.bw_burst && !c->limits.bw_limit)
		mgmt_rpc_warn(call, "bw_burst has no effect without bw_limit");
	if (!c->config.readonly && lu->open_flags & BS_OPEN_RDONLY)
		mgmt_rpc_warn(call,
			      "the store was opened read-only: remove the LUN and add it anew to write");
}

static struct mgmt_lun_change as_it_is(const struct mgmt_lun *l)
{
	return (struct mgmt_lun_change){
		.config = *scsi_device_config(l->dev),
		.id = *lu_identity(l->lu),
		.write_cache = atomic_load(&l->lu->write_cache),
		.limits = *lu_qos_limits(l->lu),
		.target_name = l->target->scsi->name,
		.tid = l->target->tid,
		.lun = l->lun,
	};
}

/* False after the call was failed. */
static bool wanted(struct mgmt_call *call, const struct mgmt_lun *l,
		   struct mgmt_lun_change *ret)
{
	struct mgmt_fault fault;

	*ret = as_it_is(l);
	if (!mgmt_lun_params_set(ret, mgmt_rpc_pairs(call, "params"), &fault))
		return true;
	mgmt_rpc_fail(call, fault.error, fault.field, "%s", fault.sentence);
	return false;
}

/* All but the size. */
static void change(struct mgmt_call *call, struct mgmt_lun *l, struct mgmt_lun_change *c)
{
	int err;

	/* An initiator may be changing it: not ours. */
	if (c->write_cache == atomic_load(&l->lu->write_cache))
		c->write_cache = -1;
	err = apply(l, c);
	if (err < 0) {
		mgmt_rpc_fail_errno(call, err, "cannot change the logical unit");
		return;
	}
	mgmt_lun_update_tell(l, c->news);
	mgmt_lun_update_warn(call, l->lu, c);
	if (!c->write_cache)
		mgmt_lun_cache_flush(l->lu, call);
	else
		mgmt_rpc_reply(call, NULL);
}

/* The size is first, since it can fail; by then the LUN may be another, or gone. */
static void resized(void *arg, int err, const char *why)
{
	struct mgmt_call *call = arg;
	struct mgmt_lun_change c;
	struct mgmt_lun *l;

	if (err) {
		mgmt_rpc_fail(call, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			      "params", "parameter 'size': %s", why);
		return;
	}
	l = mgmt_lun_of(call);
	if (l && wanted(call, l, &c))
		change(call, l, &c);
}

void mgmt_lun_update_run(struct mgmt_call *call)
{
	struct mgmt_lun *l = mgmt_lun_of(call);
	struct mgmt_lun_change c;
	int err;

	if (!l || !wanted(call, l, &c))
		return;
	if (!c.resize) {
		change(call, l, &c);
		return;
	}
	err = lu_resize_start(l->lu, c.size_bytes, resized, call);
	if (err < 0)
		mgmt_rpc_fail_errno(call, err, "cannot change the size");
}
