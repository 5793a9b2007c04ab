/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/target_params.c - a changed copy of the target's config is published;
 * sessions that exist keep what they negotiated. */
#include "mgmt/target_params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "iscsi/keys.h"
#include "iscsi/redirect.h"
#include "iscsi/target.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "scsi/target.h"

#define REDIRECT_VALUE_MAX	256	/* target.update takes no longer ones */

struct number {			/* of the config, beside the keys */
	const char *name;
	size_t off;		/* of a uint32_t */
	uint32_t min, max;
	bool first;		/* shown before the keys, else after */
};

static const struct number numbers[] = {
	{ "nop_interval", offsetof(struct iscsi_target_config, nop_interval_s), 0, 86400,
	  true },
	{ "nop_count", offsetof(struct iscsi_target_config, nop_count), 0, 1000, true },
	{ "MaxQueueCmd", offsetof(struct iscsi_target_config, max_queue_cmd), 1, 512,
	  false },
};

static uint32_t *number_of(struct iscsi_target_config *c, const struct number *n)
{
	return (uint32_t *)(void *)((char *)c + n->off);
}

static void add(json_t *params, const char *name, const char *value)
{
	json_array_append_new(params, json_pack("[s, s]", name, value));
}

static void add_numbers(json_t *params, const struct iscsi_target_config *c, bool first)
{
	char value[16];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct number *n = &numbers[i];
		uint32_t v;

		if (n->first != first)
			continue;
		memcpy(&v, (const char *)c + n->off, sizeof(v));
		snprintf(value, sizeof(value), "%" PRIu32, v);
		add(params, n->name, value);
	}
}

void mgmt_target_params_get(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const struct iscsi_target_config *c;
	char value[MAX(ISCSI_KEYS_VALUE_MAX, REDIRECT_VALUE_MAX) + 1];
	const char *name;
	json_t *params;

	if (!t)
		return;
	c = iscsi_target_config(t->iscsi);
	params = json_array();
	/* Where logins are sent elsewhere, the keys of ours do not matter. */
	for (unsigned int i = 0;
	     iscsi_redirect_show(&c->redirect, i, &name, value, sizeof(value)); i++)
		add(params, name, value);
	if (json_array_size(params)) {
		mgmt_rpc_reply(call, json_pack("{s:o}", "params", params));
		return;
	}
	add_numbers(params, c, true);
	for (int key = 0; key < ISCSI_KEYS_SHOWN; key++)
		add(params, iscsi_keys_name(key),
		    iscsi_keys_show(&c->params, key, value, sizeof(value)));
	add_numbers(params, c, false);
	mgmt_rpc_reply(call, json_pack("{s:o}", "params", params));
}

static void put_redirect(json_t *to, const struct iscsi_redirect *r)
{
	if (*r->address)
		json_object_set_new(to, "RedirectAddress", json_string(r->address));
	if (r->port)
		json_object_set_new(to, "RedirectPort", json_integer(r->port));
	if (r->reason != ISCSI_REDIRECT_NONE)
		json_object_set_new(to, "RedirectReason",
				    json_string(r->reason == ISCSI_REDIRECT_PERMANENT ?
						"Permanent" : "Temporary"));
	if (r->callback)
		json_object_set_new(to, "RedirectCallback", mgmt_rpc_string(r->callback));
}

json_t *mgmt_target_params_config(const struct iscsi_target_config *c)
{
	char value[ISCSI_KEYS_VALUE_MAX + 1];
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t v;

		memcpy(&v, (const char *)c + numbers[i].off, sizeof(v));
		json_object_set_new(all, numbers[i].name, json_integer(v));
	}
	for (int key = 0; key < ISCSI_KEYS_SHOWN; key++)
		if (c->params.set & BIT(key))
			json_object_set_new(all, iscsi_keys_name(key),
					    json_string(iscsi_keys_show(&c->params, key, value,
									sizeof(value))));
	put_redirect(all, &c->redirect);
	return all;
}

/* --- update ----------------------------------------------------------- */

/* 0, or -EINVAL with a sentence in @why. */
static int set_number(struct iscsi_target_config *c, const struct number *n,
		      const char *value, char *why, size_t why_bytes)
{
	uint64_t v;

	if (parse_u64(value, n->min, n->max, &v) < 0) {
		snprintf(why, why_bytes, "%s must be %" PRIu32 " to %" PRIu32, n->name,
			 n->min, n->max);
		return -EINVAL;
	}
	*number_of(c, n) = (uint32_t)v;
	return 0;
}

static int set_state(struct iscsi_target_config *c, const char *value, char *why,
		     size_t why_bytes)
{
	if (strcmp(value, "ready") != 0 && strcmp(value, "offline") != 0) {
		snprintf(why, why_bytes, "state must be ready or offline");
		return -EINVAL;
	}
	c->offline = !strcmp(value, "offline");
	return 0;
}

static int set_key(struct iscsi_target_config *c, enum iscsi_key key, const char *value,
		   char *why, size_t why_bytes)
{
	const int err = iscsi_keys_set(&c->params, key, value);
	char quoted[64];

	if (!err)
		return 0;
	text_quote(quoted, sizeof(quoted), value, strlen(value));
	snprintf(why, why_bytes, "%s=%s: %s", iscsi_keys_name(key), quoted,
		 err == -ENOTSUP ? "this value is not implemented" :
		 err == -ERANGE	 ? "outside the range of this key" :
				   "not a value of this key");
	return -EINVAL;
}

int mgmt_target_params_set(struct iscsi_target_config *c, const char *name,
			   const char *value, char *why, size_t why_bytes)
{
	enum iscsi_key key;
	char quoted[64];
	int err;

	if (!strcmp(name, "state"))
		return set_state(c, value, why, why_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(name, numbers[i].name))
			return set_number(c, &numbers[i], value, why, why_bytes);
	if (iscsi_keys_find(name, &key) == 0)
		return set_key(c, key, value, why, why_bytes);
	err = iscsi_redirect_set(&c->redirect, name, value, why, why_bytes);
	if (err == -ENOENT)
		snprintf(why, why_bytes, "a target has no parameter '%s'",
			 text_quote(quoted, sizeof(quoted), name, strlen(name)));
	return err;
}

void mgmt_target_params_update(struct mgmt_call *call)
{
	struct mgmt_target *t = mgmt_target_of(call);
	struct iscsi_target_config *c;
	char why[192];

	if (!t)
		return;
	c = mgmt_target_edit(call, t);
	if (!c)
		return;
	if (mgmt_target_params_set(c, mgmt_rpc_text(call, "name"),
				   mgmt_rpc_text(call, "value"), why, sizeof(why)) < 0) {
		iscsi_target_config_free(c);
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "value", "%s", why);
		return;
	}
	/* Logins look at the one, commands of sessions that exist at the other. */
	scsi_target_set_offline(t->scsi, c->offline);
	iscsi_target_publish(t->iscsi, c);
	mgmt_rpc_reply(call, NULL);
}
