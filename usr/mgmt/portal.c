/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/portal.c - the driver is stopped by closing its portals, which are
 * remembered as text until it starts. */
#include "mgmt/portal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "iscsi/portal.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "net/addr.h"
#include "scsi/target.h"

static bool stopped;
static json_t *remembered;	/* as portal.list tells them, the oldest first */

bool mgmt_portal_driver_stopped(void)
{
	return stopped;
}

void mgmt_portal_create(struct mgmt_call *call)
{
	const uint16_t tpgt = (uint16_t)mgmt_rpc_int(call, "tpgt", ISCSI_PORTAL_GROUP);
	char why[192] = "out of memory";

	if (!mgmt_system_accepts(call))
		return;
	if (stopped)
		mgmt_rpc_fail(call, MGMT_ERR_NO_DRIVER, "lld", "the driver is stopped");
	else if (iscsi_portal_new(mgmt_rpc_text(call, "portal"), tpgt, why, sizeof(why)) < 0)
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "portal", "%s", why);
	else
		mgmt_rpc_reply(call, NULL);
}

void mgmt_portal_delete(struct mgmt_call *call)
{
	char why[192] = "";

	if (iscsi_portal_delete(mgmt_rpc_text(call, "portal"), why, sizeof(why)) < 0)
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "portal", "%s", why);
	else
		mgmt_rpc_reply(call, NULL);
}

static json_t *describe(const struct sockaddr_storage *addr, uint16_t tpgt)
{
	char text[NET_ADDR_TEXT_MAX];

	net_addr_format_endpoint(addr, text, sizeof(text));
	return json_pack("{s:s, s:i}", "portal", text, "tpgt", (int)tpgt);
}

static void add_portal(const struct sockaddr_storage *addr, uint16_t tpgt, void *arg)
{
	json_array_append_new(arg, describe(addr, tpgt));
}

void mgmt_portal_list(struct mgmt_call *call)
{
	json_t *portals = json_array();

	iscsi_portal_each(add_portal, portals);
	mgmt_rpc_reply(call, json_pack("{s:o}", "portals", portals));
}

/* --- the driver ------------------------------------------------------- */

static void add_target(struct mgmt_target *t, void *arg)
{
	json_array_insert_new(arg, 0, json_pack("{s:i, s:s}", "tid", t->tid, "name",
						t->scsi->name));
}

void mgmt_portal_driver_list(struct mgmt_call *call)
{
	json_t *targets = json_array();

	mgmt_target_each(add_target, targets);
	mgmt_rpc_reply(call, json_pack("{s:[{s:s, s:s, s:o}]}", "drivers", "name",
				       "iscsi", "state", stopped ? "stopped" : "ready",
				       "targets", targets));
}

static void remember(const struct sockaddr_storage *addr, uint16_t tpgt, void *arg)
{
	json_array_insert_new(arg, 0, describe(addr, tpgt));
}

json_t *mgmt_portal_config(void)
{
	json_t *portals = json_array();

	if (stopped)
		json_array_extend(portals, remembered);
	else
		iscsi_portal_each(remember, portals);
	return portals;
}

void mgmt_portal_driver_stop(struct mgmt_call *call)
{
	if (mgmt_target_count()) {
		mgmt_rpc_fail(call, MGMT_ERR_DRIVER_BUSY, "lld", "it has %u targets",
			      mgmt_target_count());
		return;
	}
	if (!stopped) {
		remembered = json_array();
		iscsi_portal_each(remember, remembered);
		iscsi_portal_close_all();
		stopped = true;
	}
	mgmt_rpc_reply(call, NULL);
}

void mgmt_portal_driver_start(struct mgmt_call *call)
{
	const json_t *p;
	char why[192];
	size_t i;

	if (!mgmt_system_accepts(call))
		return;
	stopped = false;
	json_array_foreach(remembered, i, p) {
		snprintf(why, sizeof(why), "out of memory");
		if (iscsi_portal_new(json_string_value(json_object_get(p, "portal")),
				     (uint16_t)json_integer_value(json_object_get(p, "tpgt")),
				     why, sizeof(why)) < 0)
			mgmt_rpc_warn(call, "a portal is lost: %s", why);
	}
	json_decref(remembered);
	remembered = NULL;
	mgmt_rpc_reply(call, NULL);
}
