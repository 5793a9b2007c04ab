/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/target.c - the table of targets: sorted by tid, written only here.
 *
 * The way out of a target: logins are refused, its sessions close, its name is
 * unpublished, its LUNs leave the map and close their stores; the tid is taken
 * until the end of that.
 */
#include "mgmt/target.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/text.h"
#include "iscsi/proto.h"
#include "iscsi/register.h"
#include "iscsi/target.h"
#include "mgmt/lun.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "scsi/device.h"
#include "scsi/target.h"
#include "spc/spc.h"

#define UNTYPED	"target %s: the name does not begin with iqn., eui. or naa., some initiators will refuse it"

static struct {
	struct mgmt_target **v;		/* by tid */
	unsigned int n, max;
} targets;

/* The place of @tid in the table, or where it would be. */
static unsigned int place_of(int tid)
{
	unsigned int from = 0, to = targets.n;

	while (from < to) {
		const unsigned int mid = from + (to - from) / 2;

		if (targets.v[mid]->tid < tid)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct mgmt_target *mgmt_target_lookup(int tid)
{
	const unsigned int i = place_of(tid);

	return i < targets.n && targets.v[i]->tid == tid ? targets.v[i] : NULL;
}

struct mgmt_target *mgmt_target_find(int tid)
{
	struct mgmt_target *t = mgmt_target_lookup(tid);

	return t && !t->leaving ? t : NULL;
}

struct mgmt_target *mgmt_target_of(struct mgmt_call *call)
{
	const int64_t tid = mgmt_rpc_int(call, "tid", -1);
	struct mgmt_target *t = NULL;

	if (tid > 0 && tid <= INT_MAX)
		t = mgmt_target_find((int)tid);
	if (!t)
		mgmt_rpc_fail(call, MGMT_ERR_NO_TARGET, "tid",
			      "there is no target %" PRId64, tid);
	return t;
}

unsigned int mgmt_target_count(void)
{
	return targets.n;
}

void mgmt_target_each(void (*visit)(struct mgmt_target *t, void *arg), void *arg)
{
	for (unsigned int i = 0; i < targets.n; i++)
		if (!targets.v[i]->leaving)
			visit(targets.v[i], arg);
}

static int reserve_place(void)
{
	const unsigned int max = targets.max ? targets.max * 2 : 16;
	struct mgmt_target **v;

	if (targets.n < targets.max)
		return 0;
	v = reallocarray(targets.v, max, sizeof(*v));
	if (!v)
		return -ENOMEM;
	targets.v = v;
	targets.max = max;
	return 0;
}

static void table_add(struct mgmt_target *t)
{
	const unsigned int i = place_of(t->tid);

	memmove(targets.v + i + 1, targets.v + i, (targets.n - i) * sizeof(*targets.v));
	targets.v[i] = t;
	targets.n++;
}

static void table_del(const struct mgmt_target *t)
{
	const unsigned int i = place_of(t->tid);

	targets.n--;
	memmove(targets.v + i, targets.v + i + 1, (targets.n - i) * sizeof(*targets.v));
	if (!targets.n) {
		free(targets.v);
		targets.v = NULL;
		targets.max = 0;
	}
}

struct iscsi_target_config *mgmt_target_edit(struct mgmt_call *call,
					     const struct mgmt_target *t)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(t->iscsi);

	if (!c)
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot copy the configuration");
	return c;
}

/* --- new -------------------------------------------------------------- */

static void target_free(struct mgmt_target *t)
{
	mgmt_lun_drop_controller(t);
	if (t->scsi)
		scsi_target_put(t->scsi);
	free(t);
}

static int target_new(const char *name, int tid, struct mgmt_target **ret_t)
{
	struct scsi_device *controller;
	struct mgmt_target *t;
	int err = -ENOMEM;

	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->tid = tid;
	list_init(&t->luns);
	controller = scsi_device_new(spc_controller_type(), NULL, &scsi_device_default);
	if (controller) {
		t->scsi = scsi_target_new(name, tid, controller);
		if (t->scsi)
			err = mgmt_lun_add_controller(t, controller);
		scsi_device_put(controller);
	}
	if (!err)
		err = iscsi_target_new(t->scsi, &t->iscsi);
	if (err) {
		target_free(t);
		return err;
	}
	*ret_t = t;
	return 0;
}

int mgmt_target_new(const char *name, int tid, struct mgmt_target **ret_t)
{
	int err = mgmt_target_lookup(tid) ? -EEXIST : reserve_place();

	if (!err)
		err = target_new(name, tid, ret_t);
	if (err)
		return err;
	table_add(*ret_t);
	log_info("target %d %s: created", tid, name);
	if (!iscsi_target_typed_name(name))
		log_warn(UNTYPED, name);
	return 0;
}

void mgmt_target_create(struct mgmt_call *call)
{
	const int tid = (int)mgmt_rpc_int(call, "tid", 0);
	const char *name = mgmt_rpc_text(call, "name");
	const struct mgmt_target *other = mgmt_target_lookup(tid);
	char quoted[256];
	struct mgmt_target *t;
	int err;

	if (!mgmt_system_accepts(call))
		return;
	if (other) {
		mgmt_rpc_fail(call, MGMT_ERR_TARGET_EXISTS, "tid",
			      "target %d is %s%s", tid, other->scsi->name,
			      other->leaving ? ", which is being removed" : "");
		return;
	}
	if (!iscsi_target_valid_name(name)) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "name",
			      "'%s' is not an iSCSI name: letters, digits, ':', '.' and '-', "
			      "at most %d bytes",
			      text_quote(quoted, sizeof(quoted), name, strlen(name)),
			      ISCSI_NAME_MAX);
		return;
	}
	err = mgmt_target_new(name, tid, &t);
	if (err == -EEXIST) {
		mgmt_rpc_fail(call, MGMT_ERR_TARGET_EXISTS, "name",
			      "there is a target %s", name);
		return;
	}
	if (err) {
		mgmt_rpc_fail_errno(call, err, "cannot make the target");
		return;
	}
	if (!iscsi_target_typed_name(name))
		mgmt_rpc_warn(call, UNTYPED, name);
	mgmt_rpc_reply(call, NULL);
}

/* --- state ------------------------------------------------------------ */

static void refuse_logins(struct mgmt_target *t)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(t->iscsi);

	if (!c) {
		log_err("target %d: out of memory on its way offline", t->tid);
		return;
	}
	c->offline = true;
	iscsi_target_publish(t->iscsi, c);
}

/* --- delete ----------------------------------------------------------- */

void mgmt_target_wait_over(struct mgmt_target *t)
{
	assert(t->leaving && t->waits);
	if (--t->waits)
		return;
	log_info("target %d %s: removed", t->tid, t->scsi->name);
	table_del(t);
	t->left(t->left_arg, t->stuck);
	target_free(t);
	mgmt_system_settled();
}

static void lun_left(void *arg, bool closed)
{
	struct mgmt_target *t = arg;

	t->stuck += !closed;
	mgmt_target_wait_over(t);
}

static void remove_lun(struct mgmt_target *t, struct mgmt_lun *l)
{
	t->waits++;
	if (mgmt_lun_remove(l, lun_left, t) < 0) {
		log_err("target %d: out of memory, LUN %" PRIu64 " cannot be removed",
			t->tid, l->lun);
		t->waits--;
	}
}

static void sessions_closed(void *arg)
{
	struct mgmt_target *t = arg;
	struct mgmt_lun *l, *tmp;

	iscsi_target_delete(t->iscsi);
	t->iscsi = NULL;
	list_for_each_safe(l, tmp, &t->luns, node)
		if (l->lu && l->state == MGMT_LUN_READY)
			remove_lun(t, l);
	mgmt_target_wait_over(t);
}

void mgmt_target_remove(struct mgmt_target *t, void (*left)(void *arg, unsigned int stuck),
			void *arg)
{
	struct mgmt_lun *l;

	assert(!t->leaving);
	t->leaving = true;
	t->waits = 1;			/* ours, until every LUN is on its way */
	list_for_each(l, &t->luns, node)
		if (l->state != MGMT_LUN_READY) {
			l->awaited = true;
			t->waits++;
		}
	t->left = left;
	t->left_arg = arg;
	refuse_logins(t);
	iscsi_register_close_all(t->tid, 0, 0, sessions_closed, t);
}

static void deleted(void *arg, unsigned int stuck)
{
	struct mgmt_call *call = arg;

	if (stuck)
		mgmt_rpc_warn(call,
			      "%u stores have not closed within %d s: they are closed as soon as they answer",
			      stuck, MGMT_LUN_CLOSE_MS / 1000);
	mgmt_rpc_reply(call, NULL);
}

void mgmt_target_delete(struct mgmt_call *call)
{
	struct mgmt_target *t = mgmt_target_of(call);
	const struct mgmt_lun *l;
	unsigned int sessions;

	if (!t)
		return;
	sessions = iscsi_register_count(t->tid);
	if (sessions && !mgmt_rpc_bool(call, "force")) {
		mgmt_rpc_fail(call, MGMT_ERR_TARGET_ACTIVE, "tid",
			      "target %d has %u sessions; --force closes them", t->tid,
			      sessions);
		return;
	}
	list_for_each(l, &t->luns, node) {
		if (l->state == MGMT_LUN_READY)
			continue;
		mgmt_rpc_fail(call, MGMT_ERR_TARGET_ACTIVE, "tid",
			      "LUN %" PRIu64 " of target %d is being %s", l->lun, t->tid,
			      l->state == MGMT_LUN_OPENING ? "opened" : "removed");
		return;
	}
	mgmt_target_remove(t, deleted, call);
}
