/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/system.c - state, settings, and the end of everything. */
#include "mgmt/system.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "bs/loader.h"
#include "iscsi/account.h"
#include "iscsi/portal.h"
#include "iscsi/register.h"
#include "iscsi/target.h"
#include "mgmt/lun.h"
#include "mgmt/portal.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "scsi/device_type.h"

static bool offline;
static void (*shutdown_program)(void);

/* --- show ------------------------------------------------------------- */

static void add_store(void *ctx, const char *name, const struct bs_module *m,
		      const char *error)
{
	json_t *flags = json_array();

	if (m && m->open_flags & BS_OPEN_SYNC)
		json_array_append_new(flags, json_string("sync"));
	if (m && m->open_flags & BS_OPEN_DIRECT)
		json_array_append_new(flags, json_string("direct"));
	json_array_append_new(ctx, json_pack("{s:o, s:o, s:o}", "name",
					     mgmt_rpc_string(name), "bsoflags", flags,
					     "error",
					     error ? mgmt_rpc_string(error) : json_null()));
}

static void add_account(const char *user, bool outgoing, void *arg)
{
	json_array_append_new(arg, json_pack("{s:o, s:b}", "user", mgmt_rpc_string(user),
					     "outgoing", (int)outgoing));
}

void mgmt_system_show(struct mgmt_call *call)
{
	json_t *stores = json_array(), *types = json_array(), *accounts = json_array();
	const struct scsi_device_type *type;

	bs_loader_each(add_store, stores);
	for (unsigned int i = 0; (type = scsi_device_type_nth(i)); i++)
		json_array_append_new(types, json_string(type->name));
	iscsi_account_each_bound(iscsi_account_discovery(), add_account, accounts);
	mgmt_rpc_reply(call,
		       json_pack("{s:s, s:s, s:b, s:[{s:s, s:s}], s:o, s:o, s:o}",
				 "version", TGT_VERSION, "state",
				 offline ? "offline" : "ready", "debug",
				 (int)atomic_load(&log_debug_enabled), "drivers", "name",
				 "iscsi", "state",
				 mgmt_portal_driver_stopped() ? "stopped" : "ready",
				 "stores", stores, "device_types", types, "accounts",
				 accounts));
}

/* --- update ----------------------------------------------------------- */

static bool set_state(const char *value, bool really)
{
	if (strcmp(value, "ready") != 0 && strcmp(value, "offline") != 0)
		return false;
	if (really) {
		offline = !strcmp(value, "offline");
		iscsi_portal_set_open(!offline);
	}
	return true;
}

static bool set_debug(const char *value, bool really)
{
	bool on;

	if (parse_bool(value, &on) < 0)
		return false;
	if (really)
		atomic_store(&log_debug_enabled, on);
	return true;
}

/* There is no iSNS client: to switch it off is all that can be done. */
static bool set_isns(const char *value, bool really)
{
	bool on;

	(void)really;
	return parse_bool(value, &on) == 0 && !on;
}

static const struct {
	const char *name, *values;
	/* False: not one of the values.  Not @really: only look. */
	bool (*set)(const char *value, bool really);
} settings[] = {
	{ "State", "offline or ready", set_state },
	{ "debug", "on or off", set_debug },
	{ "iSNS", "Off: iSNS is not implemented", set_isns },
};

int mgmt_system_set(const char *name, const char *value, bool really,
		    struct mgmt_fault *ret_fault)
{
	char quoted[64];

	*ret_fault = (struct mgmt_fault){ .field = "value", .error = MGMT_ERR_INVALID };
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strcmp(settings[i].name, name) != 0)
			continue;
		if (settings[i].set(value, really))
			return 0;
		snprintf(ret_fault->sentence, sizeof(ret_fault->sentence), "%s must be %s",
			 name, settings[i].values);
		return -EINVAL;
	}
	ret_fault->field = "name";
	snprintf(ret_fault->sentence, sizeof(ret_fault->sentence),
		 "the system has no setting '%s'",
		 text_quote(quoted, sizeof(quoted), name, strlen(name)));
	return -EINVAL;
}

json_t *mgmt_system_config(void)
{
	return json_pack("{s:s, s:s}", "State", offline ? "offline" : "ready", "debug",
			 atomic_load(&log_debug_enabled) ? "on" : "off");
}

void mgmt_system_update(struct mgmt_call *call)
{
	struct mgmt_fault fault;

	if (mgmt_system_set(mgmt_rpc_text(call, "name"), mgmt_rpc_text(call, "value"), true,
			    &fault) < 0)
		mgmt_rpc_fail(call, fault.error, fault.field, "%s", fault.sentence);
	else
		mgmt_rpc_reply(call, NULL);
}

/* --- the end ---------------------------------------------------------- */

void mgmt_system_on_shutdown(void (*shutdown)(void))
{
	shutdown_program = shutdown;
}

void mgmt_system_shutdown(struct mgmt_call *call)
{
	const unsigned int n = mgmt_target_count();

	if (n) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, NULL,
			      "there are %u targets; delete them first", n);
		return;
	}
	if (!shutdown_program) {
		mgmt_rpc_fail(call, MGMT_ERR_UNSUPPORTED, NULL,
			      "this program is not ended from here");
		return;
	}
	mgmt_rpc_reply(call, NULL);
	shutdown_program();
}

static struct {
	void (*done)(void *arg);	/* NULL: not closing, or over */
	void *arg;
	bool begun, emptying;
} closing;

bool mgmt_system_accepts(struct mgmt_call *call)
{
	if (closing.begun)
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, NULL, "this tgtd is ending");
	return !closing.begun;
}

bool mgmt_system_ends(void)
{
	return closing.begun;
}

void mgmt_system_settled(void)
{
	void (*const done)(void *arg) = closing.done;

	if (!closing.emptying || !done || mgmt_target_count() || mgmt_lun_nr_stores())
		return;
	closing.done = NULL;
	done(closing.arg);
}

static void ignore_left(void *arg, unsigned int stuck)
{
	(void)arg, (void)stuck;
}

static void find_first(struct mgmt_target *t, void *arg)
{
	struct mgmt_target **first = arg;

	if (!*first)
		*first = t;
}

static void sessions_closed(void *arg)
{
	(void)arg;
	for (;;) {
		struct mgmt_target *t = NULL;

		mgmt_target_each(find_first, &t);
		if (!t)
			break;
		mgmt_target_remove(t, ignore_left, NULL);
	}
	closing.emptying = true;
	mgmt_system_settled();
}

void mgmt_system_close_all(unsigned int polite_ms, void (*done)(void *arg), void *arg)
{
	closing.begun = true;
	closing.done = done;
	closing.arg = arg;
	iscsi_register_close_all(-1, 0, polite_ms, sessions_closed, NULL);
}
