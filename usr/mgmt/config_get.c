/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_get.c - the state as it is; and the rows that describe its form. */
#include "mgmt/config.h"

#include <limits.h>
#include <stdatomic.h>
#include "bs/bs.h"
#include "iscsi/account.h"
#include "iscsi/acl.h"
#include "iscsi/proto.h"
#include "iscsi/target.h"
#include "lu/lu.h"
#include "mgmt/lun.h"
#include "mgmt/lun_params.h"
#include "mgmt/lun_update.h"
#include "mgmt/portal.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "mgmt/target_params.h"
#include "mgmt/tpg.h"
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/scsi.h"
#include "scsi/target.h"

/* --- the form --------------------------------------------------------- */

#define ROWS(...)	((const struct mgmt_field[]){ __VA_ARGS__, { NULL } })
#define LIST(name, help, most, rows)	{ name, help, MGMT_LIST, .max = most, .of = rows }
#define NUMBER(name, help, need, from, to)	{ name, help, MGMT_INT, need, from, to }
#define USER	{ "user", "name of the account", MGMT_TEXT, true, 1, ISCSI_ACCOUNT_USER_MAX }
#define OUTGOING { "outgoing", "the target proves itself with it", MGMT_BOOL }

static const struct mgmt_field lun_rows[] = {
	NUMBER("lun", "its number", true, 1, SCSI_LUN_MAX),
	{ "path", "file, device or image", MGMT_TEXT },
	{ "bstype", "kind of store; default rdwr", MGMT_TEXT, false, 1, 64 },
	{ "bsopts", "options of that kind of store", MGMT_TEXT },
	{ "bsoflags", "sync, direct, or sync:direct", MGMT_TEXT, false, 0, 64 },
	NUMBER("blocksize", "logical block size in bytes; default 512", false, 0, UINT32_MAX),
	{ "device_type", "kind of logical unit; default disk", MGMT_TEXT, false, 1, 64 },
	{ "params", "see: parameters of a logical unit", MGMT_PAIRS },
	{ NULL }
};

static const struct mgmt_field group_rows[] = {
	NUMBER("tpg", "number of the target port group", true, 1, UINT16_MAX),
	{ "params", "see: parameters of a target port group", MGMT_PAIRS },
	LIST("luns", "those with another access state than the group", SCSI_LUN_MAX,
	     ROWS(NUMBER("lun", "its number", true, 1, SCSI_LUN_MAX),
		  { "state", "its access state", MGMT_TEXT, true, 1, 64 })),
	{ NULL }
};

static const char *const states[] = { "ready", "offline", NULL };

static const struct mgmt_field target_rows[] = {
	{ "name", "its iSCSI name", MGMT_TEXT, true, 1, ISCSI_NAME_MAX },
	NUMBER("tid", "its number; default: the one it has, or the highest there is and one more",
	       false, 1, INT_MAX),
	{ "state", "default ready", MGMT_TEXT, .words = states },
	{ "params", "what target.update takes, without state", MGMT_PAIRS },
	LIST("addresses", "of initiators that may log in; see target.bind", 4096, NULL),
	LIST("initiators", "names of those that may", 4096, NULL),
	LIST("accounts", "that are bound to it", 4096, ROWS(USER, OUTGOING)),
	LIST("groups", "its target port groups", SCSI_ALUA_GROUPS_MAX, group_rows),
	LIST("luns", "its logical units, without the controller", SCSI_LUN_MAX, lun_rows),
	{ NULL }
};

const struct mgmt_field mgmt_config_state_fields[] = {
	NUMBER("format", "of this object", false, MGMT_CONFIG_FORMAT, MGMT_CONFIG_FORMAT),
	{ "system", "settings as of system.update", MGMT_PAIRS },
	LIST("portals", "where to listen", 256,
	     ROWS({ "portal", "[address][:port]; IPv6 in brackets", MGMT_TEXT, true, 0, 128 },
		  NUMBER("tpgt", "its portal group tag; default 1", false, 1, UINT16_MAX))),
	LIST("accounts", "CHAP accounts", ISCSI_ACCOUNTS_MAX,
	     ROWS(USER, { "password", "its secret; default: the one it has", MGMT_TEXT, false, 1,
			  ISCSI_ACCOUNT_PASSWORD_MAX })),
	LIST("discovery", "accounts that are bound to discovery", 4096, ROWS(USER, OUTGOING)),
	LIST("targets", "the targets", MGMT_CONFIG_TARGETS_MAX, target_rows),
	{ NULL }
};

/* --- a logical unit --------------------------------------------------- */

static const char *open_flags(uint32_t flags)
{
	static const char *const texts[] = { NULL, "sync", "direct", "sync:direct" };

	return texts[!!(flags & BS_OPEN_SYNC) + 2 * !!(flags & BS_OPEN_DIRECT)];
}

static void put_text(json_t *to, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(to, name, mgmt_rpc_string(text));
}

json_t *mgmt_config_lun(const struct bs_open_spec *open, const char *device_type,
			const struct mgmt_lun_change *c)
{
	json_t *v = json_pack("{s:I}", "lun", (json_int_t)c->lun);

	put_text(v, "path", open->path);
	put_text(v, "bstype", open->bstype);
	put_text(v, "bsopts", open->bsopts);
	put_text(v, "bsoflags", open_flags(open->flags));
	json_object_set_new(v, "blocksize", json_integer(open->block_bytes));
	put_text(v, "device_type", device_type);
	json_object_set_new(v, "params", mgmt_lun_params_get(c));
	return v;
}

static json_t *present(const struct mgmt_lun *l, bool configured)
{
	const struct bs_open_spec open = {
		.bstype = l->lu->bstype,
		.path = l->lu->path,
		.bsopts = l->lu->bsopts,
		.flags = l->lu->open_flags,
		.block_bytes = lu_geometry(l->lu)->block_bytes,
	};
	struct mgmt_lun_change c;

	mgmt_lun_update_present(l, &c);
	if (configured)
		mgmt_lun_update_unrestore(&c, lu_reserve(l->lu));
	/* What the store does by itself is worth a word only against what was saved. */
	if (c.write_cache == lu_store_info(l->lu)->write_cache &&
	    !(configured && c.config.mode_fixed & SCSI_DEVICE_MODE_WCE))
		c.write_cache = -1;
	return mgmt_config_lun(&open, l->dev->type->name, &c);
}

json_t *mgmt_config_lun_present(const struct mgmt_lun *l)
{
	return present(l, false);
}

/* --- the whole -------------------------------------------------------- */

static void add_bound(const char *user, bool outgoing, void *arg)
{
	json_array_append_new(arg, json_pack("{s:o, s:b}", "user", mgmt_rpc_string(user),
					     "outgoing", (int)outgoing));
}

struct rules {
	json_t *addresses, *initiators;
};

static void add_rule(enum iscsi_acl_kind kind, const char *text, void *arg)
{
	const struct rules *r = arg;

	json_array_append_new(kind == ISCSI_ACL_NAME ? r->initiators : r->addresses,
			      mgmt_rpc_string(text));
}

static void add_target(struct mgmt_target *t, void *arg)
{
	const struct iscsi_target_config *c = iscsi_target_config(t->iscsi);
	struct rules rules = { json_array(), json_array() };
	json_t *accounts = json_array(), *luns = json_array();
	const struct mgmt_lun *l;

	iscsi_acl_each(c->acl, add_rule, &rules);
	iscsi_account_each_bound(c->accounts, add_bound, accounts);
	list_for_each(l, &t->luns, node)
		if (l->lu && l->state == MGMT_LUN_READY)
			json_array_append_new(luns, present(l, true));
	json_array_append_new(
		arg, json_pack("{s:s, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			       t->scsi->name, "tid", t->tid, "state",
			       c->offline ? "offline" : "ready", "params",
			       mgmt_target_params_config(c), "addresses", rules.addresses,
			       "initiators", rules.initiators, "accounts", accounts, "groups",
			       mgmt_tpg_config(scsi_alua_of(t->scsi)), "luns", luns));
}

static void add_account(const char *user, void *arg)
{
	json_array_insert_new(arg, 0, json_pack("{s:o}", "user", mgmt_rpc_string(user)));
}

static void add_secrets(json_t *accounts)
{
	json_t *v;
	size_t i;

	json_array_foreach(accounts, i, v) {
		json_object_set_new(v, "password",
			json_string(iscsi_account_password(
				json_string_value(json_object_get(v, "user")))));
	}
}

void mgmt_config_get(struct mgmt_call *call)
{
	json_t *accounts = json_array(), *discovery = json_array(), *targets = json_array();

	if (mgmt_rpc_bool(call, "secrets") && !mgmt_rpc_trusted(call)) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "secrets",
			      "only root and tgtd's own user may see secrets");
		goto out;
	}
	iscsi_account_each(add_account, accounts);
	if (mgmt_rpc_bool(call, "secrets"))
		add_secrets(accounts);
	iscsi_account_each_bound(iscsi_account_discovery(), add_bound, discovery);
	mgmt_target_each(add_target, targets);
	mgmt_rpc_reply(call, json_pack("{s:{s:i, s:o, s:o, s:O, s:O, s:O}}", "state", "format",
				       MGMT_CONFIG_FORMAT, "system", mgmt_system_config(),
				       "portals", mgmt_portal_config(), "accounts", accounts,
				       "discovery", discovery, "targets", targets));
out:
	json_decref(accounts);
	json_decref(discovery);
	json_decref(targets);
}
