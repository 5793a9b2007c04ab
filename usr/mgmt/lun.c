/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun.c - the logical units of a target, and how one goes: out of the map
 * first, then the store closes; a store that hangs keeps its memory and nothing
 * else.
 */
#include "mgmt/lun.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "reactor/reactor.h"
#include "scsi/activity.h"
#include "scsi/device.h"
#include "scsi/target.h"

static unsigned int nr_stores;

unsigned int mgmt_lun_nr_stores(void)
{
	return nr_stores;
}

void mgmt_lun_store_new(void)
{
	nr_stores++;
}

void mgmt_lun_store_gone(void)
{
	nr_stores--;
	mgmt_system_settled();
}

struct mgmt_lun *mgmt_lun_find(const struct mgmt_target *t, uint64_t lun)
{
	struct mgmt_lun *l;

	list_for_each(l, &t->luns, node)
		if (l->lun == lun)
			return l;
	return NULL;
}

struct mgmt_lun *mgmt_lun_new(struct mgmt_target *t, uint64_t lun)
{
	struct mgmt_lun *l = calloc(1, sizeof(*l)), *before;
	struct list_head *place = &t->luns;

	if (!l)
		return NULL;
	l->target = t;
	l->lun = lun;
	l->state = MGMT_LUN_OPENING;
	list_for_each(before, &t->luns, node)
		if (before->lun < lun)
			place = &before->node;
	list_add(place, &l->node);
	return l;
}

void mgmt_lun_unlink(struct mgmt_lun *l)
{
	struct mgmt_target *t = l->target;

	list_del(&l->node);
	l->target = NULL;
	if (l->awaited)
		mgmt_target_wait_over(t);
}

int mgmt_lun_add_controller(struct mgmt_target *t, struct scsi_device *controller)
{
	struct mgmt_lun *l = mgmt_lun_new(t, 0);

	if (!l)
		return -ENOMEM;
	l->dev = scsi_device_get(controller);
	l->state = MGMT_LUN_READY;
	return 0;
}

void mgmt_lun_drop_controller(struct mgmt_target *t)
{
	struct mgmt_lun *l = mgmt_lun_find(t, 0);

	if (!l)
		return;
	list_del(&l->node);
	scsi_device_put(l->dev);
	free(l);
}

/* --- out -------------------------------------------------------------- */

static void tell_left(struct mgmt_lun *l, bool closed)
{
	void (*const left)(void *arg, bool closed) = l->left;

	l->left = NULL;
	if (left)
		left(l->left_arg, closed);
}

static void store_closed(void *arg)
{
	struct mgmt_lun *l = arg;

	reactor_timer_cancel(reactor_current(), &l->timer);
	tell_left(l, true);
	free(l);
	mgmt_lun_store_gone();
}

static void close_expired(struct timer *timer)
{
	struct mgmt_lun *l = container_of(timer, struct mgmt_lun, timer);

	log_warn("LUN %" PRIu64 ": its store has not closed within %d s", l->lun,
		 MGMT_LUN_CLOSE_MS / 1000);
	tell_left(l, false);
}

static void out_of_map(void *arg)
{
	struct mgmt_lun *l = arg;

	log_info("target %d LUN %" PRIu64 ": removed", l->target->tid, l->lun);
	mgmt_lun_unlink(l);
	scsi_device_put(l->dev);
	l->lu->resized = NULL;
	l->timer.expired = close_expired;
	if (reactor_timer_arm(reactor_current(), &l->timer, MGMT_LUN_CLOSE_MS) < 0)
		log_warn("LUN %" PRIu64 ": out of memory for a timer", l->lun);
	lu_close(l->lu, store_closed, l);
}

int mgmt_lun_remove(struct mgmt_lun *l, void (*left)(void *arg, bool closed), void *arg)
{
	int err;

	assert(l->lu && l->state == MGMT_LUN_READY);
	l->state = MGMT_LUN_LEAVING;
	l->left = left;
	l->left_arg = arg;
	err = scsi_target_remove_lun(l->target->scsi, l->lun, out_of_map, l);
	if (err < 0) {
		l->state = MGMT_LUN_READY;
		l->left = NULL;
	}
	return err;
}

struct removal {		/* a lun.delete on its way */
	struct mgmt_call *call;
	const struct scsi_device *dev;	/* compared only: held while it is asked about */
	int tid;
	uint64_t lun;
};

static void deleted(void *arg, bool closed)
{
	struct mgmt_call *call = arg;

	if (!closed)
		mgmt_rpc_warn(call,
			      "the store has not closed within %d s: it is closed as soon as it answers",
			      MGMT_LUN_CLOSE_MS / 1000);
	mgmt_rpc_reply(call, NULL);
}

static void remove_now(struct mgmt_call *call, struct mgmt_lun *l)
{
	const int err = mgmt_lun_remove(l, deleted, call);

	if (err < 0)
		mgmt_rpc_fail_errno(call, err, "cannot remove the logical unit");
}

struct mgmt_lun *mgmt_lun_of(struct mgmt_call *call)
{
	struct mgmt_target *t = mgmt_target_of(call);
	const uint64_t lun = (uint64_t)mgmt_rpc_int(call, "lun", 0);
	struct mgmt_lun *l;

	if (!t)
		return NULL;
	l = mgmt_lun_find(t, lun);
	if (l && l->state == MGMT_LUN_READY && l->lu)
		return l;
	if (!l || l->state == MGMT_LUN_OPENING)
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "lun",
			      "target %d has no LUN %" PRIu64 "%s", t->tid, lun,
			      l ? " yet: it is being opened" : "");
	else if (!l->lu)
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "lun",
			      "LUN 0 is the controller that every target has");
	else
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "lun",
			      "LUN %" PRIu64 " of target %d is being removed", lun,
			      t->tid);
	return NULL;
}

static void activity_known(void *arg, bool active)
{
	struct removal *r = arg;
	struct mgmt_call *call = r->call;
	/* Meanwhile somebody else may have removed it, or its target. */
	const struct mgmt_target *t = mgmt_target_find(r->tid);
	struct mgmt_lun *l = t ? mgmt_lun_find(t, r->lun) : NULL;

	if (!l || l->dev != r->dev || l->state != MGMT_LUN_READY)
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "lun",
			      "LUN %" PRIu64 " is being removed", r->lun);
	else if (active)
		mgmt_rpc_fail(call, MGMT_ERR_LUN_ACTIVE, "lun",
			      "commands to LUN %" PRIu64 " of target %d are under way; "
			      "try again, or --force ends them", r->lun, r->tid);
	else
		remove_now(call, l);
	free(r);
}

void mgmt_lun_delete(struct mgmt_call *call)
{
	const int64_t tid = mgmt_rpc_int(call, "tid", -1);
	struct mgmt_lun *l;
	struct removal *r;
	int err;

	/* tgt's word for it here, and only here. */
	if (tid <= 0 || tid > INT_MAX || !mgmt_target_find((int)tid)) {
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "tid", "there is no target %" PRId64, tid);
		return;
	}
	l = mgmt_lun_of(call);
	if (!l)
		return;
	if (mgmt_rpc_bool(call, "force")) {
		remove_now(call, l);
		return;
	}
	if (atomic_load(&l->dev->prevent_removal)) {
		mgmt_rpc_fail(call, MGMT_ERR_PREVENT_REMOVAL, "lun",
			      "an initiator has locked the medium of LUN %" PRIu64
			      "; --force removes it", l->lun);
		return;
	}
	r = malloc(sizeof(*r));
	if (!r) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot remove the logical unit");
		return;
	}
	*r = (struct removal){ call, l->dev, l->target->tid, l->lun };
	err = scsi_activity_ask(l->dev, activity_known, r);
	if (err < 0) {
		free(r);
		mgmt_rpc_fail_errno(call, err, "cannot ask what the logical unit does");
	}
}
