/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/config.c - what a client would send to be this state, we send ourselves. */
#include "tgtd/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "iscsi/portal.h"
#include "mgmt/methods.h"
#include "mgmt/rpc.h"

static void (*applied)(const char *why);

int tgtd_config_read(const char *path, json_t **ret_state, char *why, size_t why_bytes)
{
	json_error_t where;
	json_t *state;
	FILE *from = fopen(path, "re");

	if (!from) {
		const int err = -errno;

		snprintf(why, why_bytes, "cannot read %s: %s", path, strerrordesc_np(-err));
		return err;
	}
	state = json_loadf(from, JSON_REJECT_DUPLICATES, &where);
	fclose(from);
	if (!json_is_object(state)) {
		snprintf(why, why_bytes, "%s, line %d: %s", path, state ? 1 : where.line,
			 state ? "not an object" : where.text);
		json_decref(state);
		return -EINVAL;
	}
	*ret_state = state;
	return 0;
}

static void answered(void *arg, char *text)
{
	json_t *answer = text ? json_loads(text, 0, NULL) : NULL;
	const json_t *error = json_object_get(answer, "error"), *v;
	size_t i;

	(void)arg;
	json_array_foreach(json_object_get(json_object_get(answer, "result"), "warnings"), i, v) {
		log_warn("%s", json_string_value(v));
	}
	applied(answer ? json_string_value(json_object_get(error, "message")) : "out of memory");
	json_decref(answer);
	free(text);
}

void tgtd_config_apply(const json_t *state, void (*done)(const char *why))
{
	json_t *targets = json_copy((json_t *)state), *call;
	_cleanup_free_ char *line = NULL;

	json_object_del(targets, "portals");
	call = json_pack("{s:s, s:i, s:s, s:{s:o}}", "jsonrpc", "2.0", "id", 1, "method",
			 "config.apply", "params", "state", targets);
	line = call ? json_dumps(call, JSON_COMPACT) : NULL;
	json_decref(call);
	applied = done;
	if (line)
		mgmt_rpc_run(mgmt_methods, line, strlen(line), answered, NULL);
	else
		done("out of memory");
}

bool tgtd_config_has_portals(const json_t *state)
{
	return json_array_size(json_object_get(state, "portals")) > 0;
}

int tgtd_config_open_portals(const json_t *state, char *why, size_t why_bytes)
{
	const json_t *v, *tpgt;
	const char *text;
	size_t i;
	int err;

	json_array_foreach(json_object_get(state, "portals"), i, v) {
		text = json_string_value(json_object_get(v, "portal"));
		tpgt = json_object_get(v, "tpgt");
		if (!text || (tpgt && (json_integer_value(tpgt) < 1 ||
				       json_integer_value(tpgt) > UINT16_MAX))) {
			snprintf(why, why_bytes, "portals[%zu]: must have portal, and tpgt 1 to 65535",
				 i);
			return -EINVAL;
		}
		err = iscsi_portal_new(text, tpgt ? (uint16_t)json_integer_value(tpgt) :
						    ISCSI_PORTAL_GROUP, why, why_bytes);
		if (err < 0)
			return err;
	}
	return 0;
}
