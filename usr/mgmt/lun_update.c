/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_update.c - changing a logical unit: all of a call takes effect, or
 * nothing of it. */
#include "mgmt/lun_update.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "lu/medium.h"
#include "lu/reserve.h"
#include "lu/resize.h"
#include "mgmt/lun.h"
#include "mgmt/lun_cache.h"
#include "mgmt/lun_params.h"
#include "mgmt/lun_reserve.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"
#include "scsi/background.h"
#include "scsi/device.h"
#include "scsi/medium.h"
#include "scsi/target.h"
#include "scsi/unit_attention.h"
#include "spc/mode_saved.h"

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

/* The settings that were saved, and are not the user's. */
static unsigned int saved_settings(const struct mgmt_lun_change *c, struct lu_reserve *r,
				   unsigned int *ret_on)
{
	return spc_mode_saved(lu_reserve_keep(r), ret_on) &
	       ~(unsigned int)c->config.mode_fixed;
}

void mgmt_lun_update_restore(struct mgmt_lun_change *c, struct lu_reserve *r)
{
	unsigned int on;
	const unsigned int which = saved_settings(c, r, &on);

	if (which & SCSI_DEVICE_MODE_WCE)
		c->write_cache = !!(on & SCSI_DEVICE_MODE_WCE);
	if (which & SCSI_DEVICE_MODE_D_SENSE)
		c->config.sense_descriptor = on & SCSI_DEVICE_MODE_D_SENSE;
	if (which & SCSI_DEVICE_MODE_SWP)
		c->config.swp = on & SCSI_DEVICE_MODE_SWP;
}

void mgmt_lun_update_unrestore(struct mgmt_lun_change *c, struct lu_reserve *r)
{
	unsigned int on;
	const unsigned int which = saved_settings(c, r, &on);

	if (which & SCSI_DEVICE_MODE_WCE && c->write_cache == !!(on & SCSI_DEVICE_MODE_WCE))
		c->write_cache = -1;
	if (which & on & SCSI_DEVICE_MODE_D_SENSE)
		c->config.sense_descriptor = false;
	if (which & on & SCSI_DEVICE_MODE_SWP)
		c->config.swp = false;
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
		.atomic_bytes = lu_atomic_bytes(l->lu),
		.target_name = l->target->scsi->name,
		.tid = l->target->tid,
		.lun = l->lun,
	};
}

/* --- lun.update ------------------------------------------------------- */

struct updating {		/* what can fail, and takes time, comes first */
	struct mgmt_call *call;		/* answered, if answered */
	struct mgmt_lun_change c;
	struct lu_reserve *r;		/* of the identity to come, a reference; NULL: it stays */
	struct lu_medium *m;		/* to come; NULL: it stays */
	struct lu *lu;			/* from the change on; holds a reference */
	bool answered;
	struct timer timer;		/* how long the answer waits for the old store */
};

static void updating_free(struct updating *u)
{
	lu_reserve_put(u->r);
	lu_put(u->lu);
	free(u);
}

static void medium_over(void *arg)
{
	(void)arg;
	mgmt_lun_store_gone();
}

/* After the call was failed. */
static void give_up(struct updating *u)
{
	if (u->m)
		lu_medium_drop(u->m, medium_over, NULL);
	updating_free(u);
}

/* What a medium that is locked in, or that cannot be taken out, does not allow. */
static int check_medium(const struct mgmt_lun *l, const struct mgmt_lun_change *c,
			struct mgmt_fault *f)
{
	const bool leaves = c->path || (!c->config.online &&
					scsi_device_config(l->dev)->online);

	*f = (struct mgmt_fault){ .field = "params", .error = MGMT_ERR_INVALID };
	if (c->path && !c->config.removable) {
		snprintf(f->sentence, sizeof(f->sentence),
			 "parameter 'path': LUN %" PRIu64 " is not removable: set removable=1, or remove the LUN and add it anew",
			 l->lun);
	} else if (c->path && c->resize) {
		snprintf(f->sentence, sizeof(f->sentence),
			 "parameter 'path': a new medium has its own size: change that afterwards");
	} else if (leaves && atomic_load(&l->dev->prevent_removal)) {
		f->error = MGMT_ERR_PREVENT_REMOVAL;
		snprintf(f->sentence, sizeof(f->sentence),
			 "an initiator has locked the medium of LUN %" PRIu64 ": have it unlocked there first",
			 l->lun);
	} else if (c->path && scsi_background_runs(l->dev)) {
		snprintf(f->sentence, sizeof(f->sentence),
			 "parameter 'path': the medium of LUN %" PRIu64 " is being formatted or sanitized: wait for the end",
			 l->lun);
	} else {
		return 0;
	}
	return -EINVAL;
}

/* What says that a sanitize has not succeeded is kept by the identity. */
static int check_identity(const struct mgmt_lun *l, const struct mgmt_lun_change *c,
			  struct mgmt_fault *f)
{
	struct scsi_sense s;

	if (!strcmp(c->id.scsi_id, lu_identity(l->lu)->scsi_id) ||
	    !scsi_background_sense(l->dev, &s))
		return 0;
	*f = (struct mgmt_fault){ .field = "params", .error = MGMT_ERR_INVALID };
	snprintf(f->sentence, sizeof(f->sentence),
		 "parameter 'scsi_id': the medium of LUN %" PRIu64 " is being formatted or sanitized, or that has failed: have it done to the end first",
		 l->lun);
	return -EINVAL;
}

static int check_constant(const struct mgmt_lun *l, const struct mgmt_lun_change *c,
			  struct mgmt_fault *f)
{
	if (c->atomic_bytes == lu_atomic_bytes(l->lu))
		return 0;
	*f = (struct mgmt_fault){ .field = "params", .error = MGMT_ERR_INVALID };
	snprintf(f->sentence, sizeof(f->sentence),
		 "parameter 'atomic_write': LUN %" PRIu64 " has it as it was made: remove the LUN and add it anew",
		 l->lun);
	return -EINVAL;
}

/* Asked anew after each wait: the LUN may be another by then, or gone.  NULL after
 * the call was failed, and @u is gone. */
static struct mgmt_lun *wanted(struct updating *u)
{
	struct mgmt_lun *l = mgmt_lun_of(u->call);
	struct mgmt_fault fault;

	if (l) {
		mgmt_lun_update_present(l, &u->c);
		if (!mgmt_lun_params_set(&u->c, mgmt_rpc_pairs(u->call, "params"), &fault) &&
		    !check_constant(l, &u->c, &fault) &&
		    !check_identity(l, &u->c, &fault) && !check_medium(l, &u->c, &fault))
			return l;
		mgmt_rpc_fail(u->call, fault.error, fault.field, "%s", fault.sentence);
	}
	give_up(u);
	return NULL;
}

/* --- the last step: it has changed --- */

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

static void answer(struct updating *u)
{
	void (*const then)(struct lu *lu, struct mgmt_call *call) =
		u->c.write_cache ? reply : flush;

	u->answered = true;
	mgmt_lun_update_warn(u->call, u->lu, &u->c);
	if (u->c.pr_clear)
		mgmt_lun_reserve_clear(u->lu, u->call, then);
	else
		then(u->lu, u->call);
}

/* --- the medium --- */

static void close_expired(struct timer *timer)
{
	struct updating *u = container_of(timer, struct updating, timer);

	mgmt_rpc_warn(u->call,
		      "the old store has not closed within %d s: it is closed as soon as it answers",
		      MGMT_LUN_CLOSE_MS / 1000);
	answer(u);
}

static void medium_changed(void *arg)
{
	struct updating *u = arg;

	log_info("target %d LUN %" PRIu64 ": medium %s", u->c.tid, u->c.lun,
		 *u->lu->path ? u->lu->path : "taken out");
	u->timer.expired = close_expired;
	if (reactor_timer_arm(reactor_current(), &u->timer, MGMT_LUN_CLOSE_MS) < 0)
		log_warn("LUN %" PRIu64 ": out of memory for a timer", u->c.lun);
}

/* Even if somebody has taken the LUN away meanwhile. */
static void old_closed(void *arg, int err)
{
	struct updating *u = arg;

	if (err)
		log_err("target %d LUN %" PRIu64 ": the old medium could not be flushed: %s",
			u->c.tid, u->c.lun, strerrordesc_np(-err) ?: "unknown error");
	if (!u->answered) {
		reactor_timer_cancel(reactor_current(), &u->timer);
		if (err)
			mgmt_rpc_warn(u->call,
				      "the old medium could not be flushed, writes to it may be lost: %s",
				      strerrordesc_np(-err) ?: "unknown error");
		answer(u);
	}
	updating_free(u);
	mgmt_lun_store_gone();
}

/* 0, or an error after which the medium is as it was, and no longer held. */
static int apply_with_medium(struct mgmt_lun *l, struct updating *u)
{
	struct scsi_medium_change *held;
	int err = scsi_medium_hold(l->dev, &held);

	if (err < 0)
		return err;
	err = mgmt_lun_update_now(l, &u->c);
	if (err < 0)
		scsi_medium_release(held);
	else
		scsi_medium_change(held, TAKE_PTR(u->m), medium_changed, old_closed, u);
	return err;
}

/* --- all of it --- */

static void change(struct updating *u)
{
	struct mgmt_lun *l = wanted(u);
	const bool medium = u->m != NULL;
	int err;

	if (!l)
		return;
	if (u->r) {
		mgmt_lun_update_restore(&u->c, u->r);
		u->c.news |= BIT(MGMT_LUN_NEWS_MODE);
	}
	/* An initiator may be changing it: not ours. */
	if (u->c.write_cache == atomic_load(&l->lu->write_cache))
		u->c.write_cache = -1;
	err = medium ? apply_with_medium(l, u) : mgmt_lun_update_now(l, &u->c);
	if (err < 0) {
		mgmt_rpc_fail_errno(u->call, err, "cannot change the logical unit");
		give_up(u);
		return;
	}
	if (u->r)
		lu_set_reserve(l->lu, TAKE_PTR(u->r));
	u->lu = lu_get(l->lu);
	mgmt_lun_update_tell(l, u->c.news);
	if (medium)
		return;
	answer(u);
	updating_free(u);
}

static void resized(void *arg, int err, const char *why)
{
	struct updating *u = arg;

	if (err) {
		mgmt_rpc_fail(u->call, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			      "params", "parameter 'size': %s", why);
		give_up(u);
		return;
	}
	change(u);
}

static void medium_opened(void *arg, struct lu_medium *m, int err, const char *why)
{
	struct updating *u = arg;

	if (err < 0) {
		mgmt_lun_store_gone();
		mgmt_rpc_fail(u->call, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			      "params", "parameter 'path': %s", why);
		give_up(u);
		return;
	}
	u->m = m;
	change(u);
}

static void open_medium(struct updating *u, struct mgmt_lun *l)
{
	const uint32_t flags = (l->lu->open_flags & ~BS_OPEN_RDONLY) |
			       (u->c.config.readonly ? BS_OPEN_RDONLY : 0);
	char why[512] = "out of memory";
	int err;

	mgmt_lun_store_new();
	err = lu_medium_open(l->lu, u->c.path, flags, why, sizeof(why), medium_opened, u);
	if (err < 0)
		medium_opened(u, NULL, err, why);
}

static void prepare(struct updating *u)
{
	struct mgmt_lun *l = wanted(u);
	int err = 0;

	if (!l)
		return;
	if (u->c.path)
		open_medium(u, l);
	else if (u->c.resize)
		err = lu_resize_start(l->lu, u->c.size_bytes, resized, u);
	else
		change(u);
	if (err < 0) {
		mgmt_rpc_fail_errno(u->call, err, "cannot change the size");
		give_up(u);
	}
}

static void reserve_opened(void *arg, struct lu_reserve *r, int err, const char *why)
{
	struct updating *u = arg;

	if (err < 0) {
		mgmt_rpc_fail(u->call, MGMT_ERR_INVALID, "params", "%s", why);
		give_up(u);
		return;
	}
	u->r = r;
	prepare(u);
}

/* Of the controller, too, as in tgt. */
static void change_nothing(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);

	if (!t)
		return;
	if (mgmt_lun_find(t, (uint64_t)mgmt_rpc_int(call, "lun", 0)))
		mgmt_rpc_reply(call, NULL);
	else
		mgmt_lun_of(call);	/* says what there is not */
}

void mgmt_lun_update_run(struct mgmt_call *call)
{
	struct updating *u;
	struct mgmt_lun *l;
	int err;

	if (!json_object_size(mgmt_rpc_pairs(call, "params"))) {
		change_nothing(call);
		return;
	}
	u = calloc(1, sizeof(*u));
	if (!u) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot change the logical unit");
		return;
	}
	u->call = call;
	l = wanted(u);
	if (!l)
		return;
	if (!strcmp(u->c.id.scsi_id, lu_identity(l->lu)->scsi_id)) {
		prepare(u);
		return;
	}
	err = lu_reserve_open(u->c.id.scsi_id, reserve_opened, u);
	if (err < 0) {
		mgmt_rpc_fail_errno(call, err, "cannot change the logical unit");
		give_up(u);
	}
}
