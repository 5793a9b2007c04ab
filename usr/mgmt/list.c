/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/list.c - raw values; texts and units are for the client to make. */
#include "mgmt/list.h"

#include <stdatomic.h>
#include <string.h>
#include "iscsi/account.h"
#include "iscsi/acl.h"
#include "iscsi/register.h"
#include "iscsi/target.h"
#include "lu/lu.h"
#include "mgmt/lun.h"
#include "mgmt/lun_reserve.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/target.h"

static const char *open_flags(uint32_t flags)
{
	static const char *const texts[] = { "", "sync", "direct", "sync:direct" };

	return texts[!!(flags & BS_OPEN_SYNC) + 2 * !!(flags & BS_OPEN_DIRECT)];
}

/* What the LUN is made of. */
static void add_store(json_t *v, const struct lu *lu)
{
	const struct lu_geometry *g = lu_geometry(lu);
	const struct lu_qos_limits *q = lu_qos_limits(lu);

	json_object_set_new(v, "size_bytes",
			    json_integer((json_int_t)lu_geometry_bytes(g, g->nr_blocks)));
	json_object_set_new(v, "block_bytes", json_integer(g->block_bytes));
	json_object_set_new(v, "bstype", json_string(lu->bstype));
	json_object_set_new(v, "path",
			    lu->path && *lu->path ? mgmt_rpc_string(lu->path) : json_null());
	json_object_set_new(v, "bsoflags", json_string(open_flags(lu->open_flags)));
	json_object_set_new(v, "write_cache",
			    json_boolean(atomic_load(&lu->write_cache)));
	json_object_set_new(v, "iops_limit", json_integer((json_int_t)q->iops_limit));
	json_object_set_new(v, "iops_burst", json_integer((json_int_t)q->iops_burst));
	json_object_set_new(v, "bw_limit", json_integer((json_int_t)q->bw_limit));
	json_object_set_new(v, "bw_burst", json_integer((json_int_t)q->bw_burst));
	json_object_set_new(v, "reservation", mgmt_lun_reserve_describe(lu));
}

/* tgt shows the controller as a device of one-byte blocks without any. */
static void add_no_store(json_t *v)
{
	json_object_set_new(v, "size_bytes", json_integer(0));
	json_object_set_new(v, "block_bytes", json_integer(1));
	json_object_set_new(v, "bstype", json_string("null"));
	json_object_set_new(v, "path", json_null());
	json_object_set_new(v, "bsoflags", json_string(""));
	json_object_set_new(v, "write_cache", json_false());
}

static json_t *describe_lun(const struct mgmt_lun *l)
{
	const struct scsi_device_config *c = scsi_device_config(l->dev);
	struct lu_identity id;
	json_t *v;

	if (l->lu)
		id = *lu_identity(l->lu);
	else
		lu_identity_default(&id, l->target->scsi->name, l->target->tid, l->lun);
	v = json_pack("{s:I, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b}", "lun",
		      (json_int_t)l->lun, "type", l->dev->type->name, "scsi_id",
		      id.scsi_id, "scsi_sn", id.scsi_sn, "online", c->online && !atomic_load(&l->dev->ejected),
		      "removable", (int)c->removable, "prevent_removal",
		      atomic_load(&l->dev->prevent_removal) != 0, "readonly",
		      l->lu ? (int)atomic_load(&l->lu->read_only) : 0, "swp",
		      (int)c->swp, "thin_provisioning",
		      c->thin_provisioning && l->lu &&
			      lu_store_info(l->lu)->ops & BS_OP_BIT(BS_UNMAP));
	if (l->lu)
		add_store(v, l->lu);
	else
		add_no_store(v);
	return v;
}

static void add_session(const struct iscsi_session_info *s, void *arg)
{
	json_array_append_new(
		arg, json_pack("{s:I, s:o, s:o, s:[{s:i, s:o}]}", "sid",
			       (json_int_t)s->sid, "initiator",
			       mgmt_rpc_string(s->initiator_name), "alias",
			       mgmt_rpc_string(s->initiator_alias), "connections", "cid",
			       (int)s->cid, "address", mgmt_rpc_string(s->address)));
}

static void add_account(const char *user, bool outgoing, void *arg)
{
	json_array_append_new(arg, json_pack("{s:o, s:b}", "user", mgmt_rpc_string(user),
					     "outgoing", (int)outgoing));
}

static void add_rule(enum iscsi_acl_kind kind, const char *text, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s, s:o}", "kind",
					     kind == ISCSI_ACL_NAME ? "initiator" : "address",
					     "rule", mgmt_rpc_string(text)));
}

static void add_target(struct mgmt_target *t, void *arg)
{
	const struct iscsi_target_config *c = iscsi_target_config(t->iscsi);
	json_t *sessions = json_array(), *luns = json_array();
	json_t *accounts = json_array(), *acl = json_array();
	const struct mgmt_lun *l;

	iscsi_register_each(t->tid, add_session, sessions);
	list_for_each(l, &t->luns, node)
		if (l->state == MGMT_LUN_READY)
			json_array_append_new(luns, describe_lun(l));
	iscsi_account_each_bound(c->accounts, add_account, accounts);
	iscsi_acl_each(c->acl, add_rule, acl);
	json_array_append_new(
		arg, json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "tid",
			       t->tid, "name", t->scsi->name, "driver", "iscsi", "state",
			       c->offline ? "offline" : "ready", "nop_interval",
			       (json_int_t)c->nop_interval_s, "nop_count",
			       (json_int_t)c->nop_count, "sessions", sessions, "luns",
			       luns, "accounts", accounts, "acl", acl));
}

void mgmt_list_targets(struct mgmt_call *call)
{
	json_t *targets = json_array();

	mgmt_target_each(add_target, targets);
	mgmt_rpc_reply(call, json_pack("{s:o}", "targets", targets));
}
