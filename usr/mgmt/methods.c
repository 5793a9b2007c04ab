/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/methods.c - the one table.  A row drives decoding and its error
 * sentences, system.describe and doc/rpc.md.
 */
#include "mgmt/methods.h"

#include <limits.h>
#include "iscsi/account.h"
#include "iscsi/proto.h"
#include "mgmt/account.h"
#include "mgmt/acl.h"
#include "mgmt/config.h"
#include "mgmt/connection.h"
#include "mgmt/describe.h"
#include "mgmt/list.h"
#include "mgmt/lun.h"
#include "mgmt/lun_create.h"
#include "mgmt/lun_update.h"
#include "mgmt/portal.h"
#include "mgmt/rpc.h"
#include "mgmt/stats.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "mgmt/target_params.h"
#include "mgmt/tpg.h"
#include "scsi/scsi.h"

#define FIELDS(...)	.fields = (const struct mgmt_field[]){ __VA_ARGS__, { NULL } }
#define NO_FIELDS	.fields = (const struct mgmt_field[]){ { NULL } }

/* Fields that several methods have.  A number that is no target's is "can't
 * find the target", as is one out of range; only a new one must be in range. */
#define TID_NEW		{ "tid", "number of the target", MGMT_INT, true, 1, INT_MAX }
#define TID_OF(need)	{ "tid", "number of the target", MGMT_INT, need, 0, INT_MAX, \
			  .error = MGMT_ERR_NO_TARGET }
#define TID		TID_OF(true)
#define LUN		{ "lun", "logical unit number", MGMT_INT, true, 0, SCSI_LUN_MAX, \
			  .error = MGMT_ERR_NO_LUN }
#define SID		{ "sid", "number of the session", MGMT_INT, true, 0, INT64_MAX, \
			  .error = MGMT_ERR_NO_SESSION }
#define CID(need)	{ "cid", "number of the connection", MGMT_INT, need, 0, UINT16_MAX, \
			  .error = MGMT_ERR_NO_CONNECTION }
#define USER		{ "user", "name of the account", MGMT_TEXT, true, 1, \
			  ISCSI_ACCOUNT_USER_MAX }
#define OUTGOING	{ "outgoing", "the account by which the target proves itself", \
			  MGMT_BOOL }
#define FORCE(help)	{ "force", help, MGMT_BOOL }
#define PORTAL		{ "portal", "[address][:port]; IPv6 in brackets", MGMT_TEXT, true, 0, 128 }
#define TPG		{ "tpg", "number of the target port group", MGMT_INT, true, 1, UINT16_MAX }
#define TPG_PARAMS(need) { "params", "see: parameters of a target port group", MGMT_PAIRS, need }
#define ADDRESS		{ "address", "ALL, an IPv4 or IPv6 address, or a network (CIDR)", \
			  MGMT_TEXT, false, 1, 128 }
#define INITIATOR	{ "initiator", "iSCSI name of an initiator", MGMT_TEXT, false, 1, \
			  ISCSI_NAME_MAX }
#define LUN_PARAMS(need) { "params", "see: parameters of a logical unit", MGMT_PAIRS, need }

#define SESSION_ROWS	"`luns`: counters for each session and LUN"
#define LUN_ROWS	SESSION_ROWS "; `latency`: see below, for each LUN"

const struct mgmt_method mgmt_methods[] = {
	{ "account.bind", "Bind an account to a target, or to discovery if no tid is given",
	  .run = mgmt_account_bind, FIELDS(USER, TID_OF(false), OUTGOING) },
	{ "account.create", "Make a CHAP account", .run = mgmt_account_create,
	  FIELDS(USER, { "password", "its secret", MGMT_TEXT, true, 1,
			 ISCSI_ACCOUNT_PASSWORD_MAX }) },
	{ "account.delete", "Unbind an account everywhere and forget it",
	  .run = mgmt_account_delete, FIELDS(USER) },
	{ "account.list", "Tell the names of all accounts",
	  "`accounts`: names, the newest first", .run = mgmt_account_list, .reads = true, NO_FIELDS },
	{ "account.unbind", "Unbind an account from a target, or from discovery",
	  .run = mgmt_account_unbind, FIELDS(USER, TID_OF(false), OUTGOING) },

	{ "config.apply",
	  "Make a wanted state true: all of it or, if something is wrong, nothing; what is as "
	  "wanted is not touched",
	  "`applied`, `nr_changes`, `changes`: sentences; `in_use`: targets that were left alone, "
	  "each with `name`, `tid` and the `changes` that it lacks",
	  .run = mgmt_config_apply,
	  FIELDS({ "state", "see: the state; a member that is absent stays as it is",
		   MGMT_OBJECT, true, .of = mgmt_config_state_fields },
		 { "only", "names of targets; nothing happens to others", MGMT_LIST,
		   .max = MGMT_CONFIG_TARGETS_MAX },
		 { "keep", "accounts and portals that the state does not have stay", MGMT_BOOL },
		 FORCE("also what sessions would feel, on targets that have some"),
		 { "dry_run", "change nothing, only tell what is different", MGMT_BOOL },
		 { "tell", "tell `changes` also if it is done", MGMT_BOOL },
		 { "ignore_errors", "leave out a logical unit whose store cannot be opened",
		   MGMT_BOOL }) },
	{ "config.get", "Tell the whole configuration",
	  "`state`: what config.apply takes", .run = mgmt_config_get, .reads = true,
	  FIELDS({ "secrets", "with the passwords; for root and tgtd's own user", MGMT_BOOL }) },
	{ "connection.delete",
	  "End a connection, and so its session; answered when it is gone",
	  .run = mgmt_connection_delete, FIELDS(TID, SID, CID(true)) },
	{ "connection.list", "Tell the sessions of a target",
	  "`sessions`: each with `sid`, `initiator`, `alias`, `connections`",
	  .run = mgmt_connection_list, .reads = true, FIELDS(TID) },
	{ "connection.stat", "Tell the counters of a session's connections",
	  "`connections`: counters for each", .run = mgmt_stats_connection, .reads = true,
	  FIELDS(TID, SID, CID(false)) },

	{ "driver.list", "Tell the transports, with their states and targets",
	  "`drivers`", .run = mgmt_portal_driver_list, .reads = true, NO_FIELDS },
	{ "driver.start", "Open the portals again that driver.stop closed",
	  .run = mgmt_portal_driver_start, NO_FIELDS },
	{ "driver.stop", "Close all portals; there must be no target",
	  .run = mgmt_portal_driver_stop, NO_FIELDS },

	{ "lun.create", "Open a store and add it to a target as a logical unit",
	  .run = mgmt_lun_create_run,
	  FIELDS(TID,
		 { "lun", "its number; 0 is the controller's", MGMT_INT, true, 0,
		   SCSI_LUN_MAX },
		 { "path", "file, device or image", MGMT_TEXT },
		 { "bstype", "kind of store; default rdwr", MGMT_TEXT, false, 1, 64 },
		 { "bsopts", "options of that kind of store", MGMT_TEXT },
		 { "bsoflags", "sync, direct, or sync:direct", MGMT_TEXT, false, 0, 64 },
		 { "blocksize", "logical block size in bytes: 512, 1024, 2048, 4096", MGMT_INT,
		   false, 0, UINT32_MAX },
		 { "device_type", "kind of logical unit; default disk", MGMT_TEXT, false, 1,
		   64 },
		 LUN_PARAMS(false)) },
	{ "lun.delete",
	  "Remove a logical unit; answered when its store is closed",
	  .run = mgmt_lun_delete,
	  FIELDS(TID, LUN, FORCE("also if commands to it are under way, which end with an error, or its medium is locked")) },
	{ "lun.stat", "Tell the counters of a logical unit", LUN_ROWS,
	  .run = mgmt_stats_lun, .reads = true, FIELDS(TID, LUN) },
	{ "lun.update", "Change parameters of a logical unit: all of them, or none",
	  .run = mgmt_lun_update_run, FIELDS(TID, LUN, LUN_PARAMS(true)) },

	{ "portal.create", "Listen on an address", .run = mgmt_portal_create,
	  FIELDS(PORTAL, { "tpgt", "its portal group tag, by which SCSI knows the target port; default 1",
			   MGMT_INT, false, 1, UINT16_MAX }) },
	{ "portal.delete", "Listen there no longer; sessions stay",
	  .run = mgmt_portal_delete, FIELDS(PORTAL) },
	{ "portal.list", "Tell the portals",
	  "`portals`: each with `portal` and `tpgt`, the newest first",
	  .run = mgmt_portal_list, .reads = true, NO_FIELDS },

	{ "session.stat", "Tell the counters of a session",
	  SESSION_ROWS "; `connections`: counters for each",
	  .run = mgmt_stats_session, .reads = true, FIELDS(TID, SID) },

	{ "system.describe", "Tell these methods",
	  "`version`, `methods`, `lun_params`, `tpg_params`", .run = mgmt_describe_call, .reads = true, NO_FIELDS },
	{ "system.show", "Tell the state, drivers, stores and device types",
	  "`version`, `state`, `debug`, `drivers`, `stores`, `device_types`, `accounts` of discovery",
	  .run = mgmt_system_show, .reads = true, NO_FIELDS },
	{ "system.shutdown", "End the daemon; there must be no target",
	  "`{}`; the connection stays open until the daemon's end",
	  .run = mgmt_system_shutdown, NO_FIELDS },
	{ "system.stat", "Tell the counters of all logical units", LUN_ROWS,
	  .run = mgmt_stats_system, .reads = true, NO_FIELDS },
	{ "system.update", "Change a setting of the daemon", .run = mgmt_system_update,
	  FIELDS({ "name", "State (offline, ready), debug (on, off), iSNS (Off)", MGMT_TEXT,
		   true, 1, 64 },
		 { "value", "its new value", MGMT_TEXT, true, 0, 256 }) },

	{ "target.bind", "Let initiators log in: by address, by name, or by both",
	  .run = mgmt_acl_bind, FIELDS(TID, ADDRESS, INITIATOR) },
	{ "target.create", "Make a target, with a controller as LUN 0",
	  .run = mgmt_target_create,
	  FIELDS(TID_NEW, { "name", "its iSCSI name", MGMT_TEXT, true, 1, ISCSI_NAME_MAX }) },
	{ "target.delete",
	  "Remove a target with its logical units; answered when their stores are closed",
	  .run = mgmt_target_delete, FIELDS(TID, FORCE("also if it has sessions: they are closed")) },
	{ "target.get", "Tell the iSCSI parameters of a target",
	  "`params`: pairs of name and value", .run = mgmt_target_params_get, .reads = true, FIELDS(TID) },
	{ "target.list", "Tell everything about all targets",
	  "`targets`, in order of tid: each with `sessions`, `luns`, `accounts`, `acl`",
	  .run = mgmt_list_targets, .reads = true, NO_FIELDS },
	{ "target.stat", "Tell the counters of a target's logical units", LUN_ROWS,
	  .run = mgmt_stats_target, .reads = true, FIELDS(TID) },
	{ "target.unbind", "Take back what target.bind gave; sessions stay",
	  .run = mgmt_acl_unbind, FIELDS(TID, ADDRESS, INITIATOR) },
	{ "target.update", "Change an iSCSI parameter, for logins to come, or the state",
	  .run = mgmt_target_params_update,
	  FIELDS(TID,
		 { "name", "an iSCSI key, nop_interval, nop_count, MaxQueueCmd, "
		   "RedirectAddress, RedirectPort, RedirectReason, "
		   "RedirectCallback or state",
		   MGMT_TEXT, true, 1, 64 },
		 { "value", "its new value", MGMT_TEXT, true, 0, 256 }) },

	{ "tpg.create",
	  "Make a target port group; the first gives the target asymmetric access (ALUA)",
	  .run = mgmt_tpg_create, FIELDS(TID, TPG, TPG_PARAMS(false)) },
	{ "tpg.delete", "Remove a target port group; its ports become active/optimized",
	  .run = mgmt_tpg_delete, FIELDS(TID, TPG) },
	{ "tpg.list", "Tell the target port groups of a target",
	  "`groups`, in order of tpg: each with its parameters, `changed_by` (none, implicit, "
	  "explicit), `ports`, and `luns` with a state of their own",
	  .run = mgmt_tpg_list, .reads = true, FIELDS(TID) },
	{ "tpg.update",
	  "Change a target port group; with a lun, the state of that logical unit only, "
	  "else of all; answered when every command is judged by it",
	  .run = mgmt_tpg_update,
	  FIELDS(TID, TPG, { "lun", "logical unit number", MGMT_INT, false, 1, SCSI_LUN_MAX,
			     .error = MGMT_ERR_NO_LUN }, TPG_PARAMS(true)) },
	{ NULL }
};
