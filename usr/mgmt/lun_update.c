/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_update.c - changing a logical unit: all of a call takes effect, or
 * nothing of it. */
#include "mgmt/lun_update.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "lu/resize.h"
#include "mgmt/lun.h"
#include "mgmt/lun_cache.h"
#include "mgmt/lun_params.h"
#include "mgmt/lun_reserve.h"
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

int mgmt_lun_update_now(struct mgmt_lun *l, const struct mgmt_lun_change *c)
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

void mgmt_lun_update_present(const struct mgmt_lun *l, struct mgmt_lun_change *ret_c)
{
	*ret_c = (struct mgmt_lun_change){
		.config = *scsi_device_config(l->dev),
		.id = *lu_identity(l->lu),
		.write_cache = atomic_load(&l->lu->write_cache),
		.limits = *lu_qos_limits(l->lu),
		.target_name = l->target->scsi->name,
		.tid = l->target->tid,
		.lun = l->lun,
	};
}

/* --- lun.update ------------------------------------------------------- */

struct updating {		/* what can fail, and takes time, comes first */
	struct mgmt_call *call;
	struct lu_reserve *r;	/* of the identity to come, a reference; NULL: it stays */
};

static void updating_free(struct updating *u)
{
	lu_reserve_put(u->r);
	free(u);
}

/* Asked anew after each wait: the LUN may be another by then, or gone.  NULL after
 * the call was failed, and @u is gone. */
static struct mgmt_lun *wanted(struct updating *u, struct mgmt_lun_change *ret)
{
	struct mgmt_lun *l = mgmt_lun_of(u->call);
	struct mgmt_fault fault;

	if (l) {
		mgmt_lun_update_present(l, ret);
		if (!mgmt_lun_params_set(ret, mgmt_rpc_pairs(u->call, "params"), &fault))
			return l;
		mgmt_rpc_fail(u->call, fault.error, fault.field, "%s", fault.sentence);
	}
	updating_free(u);
	return NULL;
}

void mgmt_lun_update_flush_failed(struct mgmt_call *call, int err)
{
	mgmt_rpc_warn(call, "the write cache is off, but what it held was not flushed: %s",
		      strerrordesc_np(-err) ?: "unknown error");
}

static void flushed(void *arg, int err)
{
	struct mgmt_call *call = arg;

	if (err)
		mgmt_lun_update_flush_failed(call, err);
	mgmt_rpc_reply(call, NULL);
}

static void flush(struct lu *lu, struct mgmt_call *call)
{
	mgmt_lun_cache_flush(lu, flushed, call);
}

static void reply(struct lu *lu, struct mgmt_call *call)
{
	(void)lu;
	mgmt_rpc_reply(call, NULL);
}

static void change(struct updating *u)
{
	void (*then)(struct lu *lu, struct mgmt_call *call);
	struct mgmt_call *call = u->call;
	struct mgmt_lun_change c;
	struct mgmt_lun *l = wanted(u, &c);
	int err;

	if (!l)
		return;
	/* An initiator may be changing it: not ours. */
	if (c.write_cache == atomic_load(&l->lu->write_cache))
		c.write_cache = -1;
	err = mgmt_lun_update_now(l, &c);
	if (err < 0) {
		mgmt_rpc_fail_errno(call, err, "cannot change the logical unit");
		updating_free(u);
		return;
	}
	if (u->r)
		lu_set_reserve(l->lu, TAKE_PTR(u->r));
	updating_free(u);
	mgmt_lun_update_tell(l, c.news);
	mgmt_lun_update_warn(call, l->lu, &c);
	then = c.write_cache ? reply : flush;
	if (c.pr_clear)
		mgmt_lun_reserve_clear(l->lu, call, then);
	else
		then(l->lu, call);
}

static void resized(void *arg, int err, const char *why)
{
	struct updating *u = arg;

	if (err) {
		mgmt_rpc_fail(u->call, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			      "params", "parameter 'size': %s", why);
		updating_free(u);
		return;
	}
	change(u);
}

static void resize(struct updating *u)
{
	struct mgmt_lun_change c;
	struct mgmt_lun *l = wanted(u, &c);
	int err;

	if (!l)
		return;
	if (!c.resize) {
		change(u);
		return;
	}
	err = lu_resize_start(l->lu, c.size_bytes, resized, u);
	if (err < 0) {
		mgmt_rpc_fail_errno(u->call, err, "cannot change the size");
		updating_free(u);
	}
}

static void reserve_opened(void *arg, struct lu_reserve *r, int err, const char *why)
{
	struct updating *u = arg;

	if (err < 0) {
		mgmt_rpc_fail(u->call, MGMT_ERR_INVALID, "params", "%s", why);
		updating_free(u);
		return;
	}
	u->r = r;
	resize(u);
}

void mgmt_lun_update_run(struct mgmt_call *call)
{
	struct updating *u = calloc(1, sizeof(*u));
	struct mgmt_lun_change c;
	struct mgmt_lun *l;
	int err;

	if (!u) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot change the logical unit");
		return;
	}
	u->call = call;
	l = wanted(u, &c);
	if (!l)
		return;
	if (!strcmp(c.id.scsi_id, lu_identity(l->lu)->scsi_id)) {
		resize(u);
		return;
	}
	err = lu_reserve_open(c.id.scsi_id, reserve_opened, u);
	if (err < 0) {
		mgmt_rpc_fail_errno(call, err, "cannot change the logical unit");
		updating_free(u);
	}
}
