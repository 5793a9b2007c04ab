/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/login_keys.c - the keys of a Login Request.
 *
 * Those of the table below say who is there and prove it; the rest is for the
 * table of operational keys (iscsi/keys.c), and what is in neither is
 * NotUnderstood.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/acl.h"
#include "iscsi/conn.h"
#include "iscsi/login_state.h"
#include "iscsi/target.h"

/* Where an initiator may send it. */
enum use { FIRST_ONLY, ANYWHERE, SECURITY_ONLY, AFTER_LOGIN, TARGET_ONLY };

static const struct {
	const char *name;
	enum use use;
	uint32_t max_bytes;		/* of its value */
} rows[ISCSI_LOGIN_KEY_NR] = {
	[ISCSI_LOGIN_KEY_INITIATOR_NAME] = { "InitiatorName", FIRST_ONLY, ISCSI_NAME_MAX },
	[ISCSI_LOGIN_KEY_INITIATOR_ALIAS] = { "InitiatorAlias", ANYWHERE, 255 },
	[ISCSI_LOGIN_KEY_TARGET_NAME] = { "TargetName", FIRST_ONLY, ISCSI_NAME_MAX },
	[ISCSI_LOGIN_KEY_SESSION_TYPE] = { "SessionType", FIRST_ONLY, 255 },
	[ISCSI_LOGIN_KEY_AUTH_METHOD] = { "AuthMethod", SECURITY_ONLY, 255 },
	[ISCSI_LOGIN_KEY_CHAP_A] = { "CHAP_A", SECURITY_ONLY, 255 },
	[ISCSI_LOGIN_KEY_CHAP_I] = { "CHAP_I", SECURITY_ONLY, 255 },
	[ISCSI_LOGIN_KEY_CHAP_C] = { "CHAP_C", SECURITY_ONLY,
				 2 + 2 * ISCSI_CHAP_CHALLENGE_MAX },
	[ISCSI_LOGIN_KEY_CHAP_N] = { "CHAP_N", SECURITY_ONLY, ISCSI_CHAP_NAME_MAX },
	[ISCSI_LOGIN_KEY_CHAP_R] = { "CHAP_R", SECURITY_ONLY,
				 2 + 2 * ISCSI_CHAP_CHALLENGE_MAX },
	[ISCSI_LOGIN_KEY_TARGET_ALIAS] = { "TargetAlias", TARGET_ONLY, 255 },
	[ISCSI_LOGIN_KEY_TARGET_ADDRESS] = { "TargetAddress", TARGET_ONLY, 255 },
	[ISCSI_LOGIN_KEY_PORTAL_GROUP] = { "TargetPortalGroupTag", TARGET_ONLY, 255 },
	[ISCSI_LOGIN_KEY_SEND_TARGETS] = { "SendTargets", AFTER_LOGIN, 255 },
};

static_assert(ISCSI_LOGIN_KEY_NR <= 32, "l->seen has 32 bits");

static int find(const char *name)
{
	for (int k = 0; k < ISCSI_LOGIN_KEY_NR; k++)
		if (!strcmp(rows[k].name, name))
			return k;
	return -1;
}

bool iscsi_login_keys_has(const char *name)
{
	return find(name) >= 0;
}

static enum iscsi_login_status sort_one(struct iscsi_login *l, int k,
					const char *value)
{
	const bool in_place =
		rows[k].use == ANYWHERE ||
		(rows[k].use == FIRST_ONLY && l->state == ISCSI_LOGIN_FIRST) ||
		(rows[k].use == SECURITY_ONLY && l->stage == ISCSI_STAGE_SECURITY);

	if (l->seen & BIT(k))
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"a key is sent twice");
	l->seen |= BIT(k);
	if (strlen(value) > rows[k].max_bytes)
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"a value is too long");
	if (rows[k].use == TARGET_ONLY)
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"a key that only targets send");
	if (rows[k].use == FIRST_ONLY && !in_place)
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"names belong in the first request");
	if (!in_place)
		return iscsi_login_say(l, rows[k].name, "Reject");
	l->given[k] = value;
	return ISCSI_LOGIN_OK;
}

enum iscsi_login_status iscsi_login_keys_sort(struct iscsi_login *l)
{
	enum iscsi_login_status status = ISCSI_LOGIN_OK;
	const char *key, *value;
	uint32_t pos = 0;

	memset(l->given, 0, sizeof(l->given));
	while (status == ISCSI_LOGIN_OK && iscsi_text_next(&l->in, &pos, &key, &value)) {
		const int k = find(key);

		if (k >= 0)
			status = sort_one(l, k, value);
	}
	return status;
}

/* Names appear in logs and in output that scripts parse by line. */
static bool printable(const char *name, bool spaces)
{
	for (; *name; name++)
		if ((unsigned char)*name < ' ' || *name == 0x7f ||
		    (*name == ' ' && !spaces))
			return false;
	return true;
}

static enum iscsi_login_status identify_initiator(struct iscsi_login *l)
{
	const char *name = l->given[ISCSI_LOGIN_KEY_INITIATOR_NAME];

	if (!name || !*name)
		return iscsi_login_fail(l, ISCSI_LOGIN_MISSING_PARAMETER,
					"no InitiatorName");
	if (!printable(name, false))
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"not an InitiatorName");
	text_copy(l->initiator_name, sizeof(l->initiator_name), name);
	return ISCSI_LOGIN_OK;
}

static enum iscsi_login_status identify_type(struct iscsi_login *l)
{
	const char *type = l->given[ISCSI_LOGIN_KEY_SESSION_TYPE];

	if (!type || !strcmp(type, "Normal"))	/* 13.21: the default */
		l->discovery = false;
	else if (!strcmp(type, "Discovery"))
		l->discovery = true;
	else
		return iscsi_login_fail(l, ISCSI_LOGIN_SESSION_TYPE,
					"unknown SessionType");
	return ISCSI_LOGIN_OK;
}

static enum iscsi_login_status identify_target(struct iscsi_login *l)
{
	const char *name = l->given[ISCSI_LOGIN_KEY_TARGET_NAME];
	const struct iscsi_target_config *c;

	if (!name || !*name)
		return iscsi_login_fail(l, ISCSI_LOGIN_MISSING_PARAMETER,
					"no TargetName");
	l->target = iscsi_target_find(name);
	if (!l->target)
		return iscsi_login_fail(l, ISCSI_LOGIN_NOT_FOUND, "no such target");
	c = iscsi_target_config(l->target);
	if (!iscsi_acl_allows(c->acl, &l->conn->peer, l->initiator_name))
		return iscsi_login_fail(l, ISCSI_LOGIN_FORBIDDEN,
					"not in the target's ACL");
	if (c->offline)
		return iscsi_login_fail(l, ISCSI_LOGIN_UNAVAILABLE,
					"the target is offline");
	l->own = c->params;
	return ISCSI_LOGIN_OK;
}

enum iscsi_login_status iscsi_login_keys_identify(struct iscsi_login *l)
{
	enum iscsi_login_status status;
	char tag[8];

	status = identify_initiator(l);
	if (status == ISCSI_LOGIN_OK)
		status = identify_type(l);
	if (status != ISCSI_LOGIN_OK)
		return status;
	l->own = iscsi_params_default;
	if (!l->discovery) {
		status = identify_target(l);
		if (status != ISCSI_LOGIN_OK)
			return status;
		/* 13.9: in the first response of a normal session. */
		snprintf(tag, sizeof(tag), "%u", l->conn->tpgt);
		status = iscsi_login_say(l, "TargetPortalGroupTag", tag);
	}
	iscsi_keys_begin(&l->neg, &l->own, &l->conn->params, l->discovery);
	return status;
}

static void take_alias(struct iscsi_login *l)
{
	const char *alias = l->given[ISCSI_LOGIN_KEY_INITIATOR_ALIAS];

	if (alias && printable(alias, true))
		text_copy(l->initiator_alias, sizeof(l->initiator_alias), alias);
}

enum iscsi_login_status iscsi_login_keys_negotiate(struct iscsi_login *l)
{
	const enum iscsi_keys_stage stage = l->stage == ISCSI_STAGE_SECURITY ?
						    ISCSI_KEYS_SECURITY :
						    ISCSI_KEYS_OPERATIONAL;
	char answer[ISCSI_KEYS_VALUE_MAX + 1];
	enum iscsi_login_status status = ISCSI_LOGIN_OK;
	const char *key, *value;
	uint32_t pos = 0;

	take_alias(l);
	while (status == ISCSI_LOGIN_OK && iscsi_text_next(&l->in, &pos, &key, &value)) {
		if (find(key) >= 0)
			continue;
		switch (iscsi_keys_offer(&l->neg, stage, key, value, answer)) {
		case 0:
			if (answer[0])
				status = iscsi_login_say(l, key, answer);
			break;
		case -ENOENT:
			status = iscsi_login_say(l, key, "NotUnderstood");
			break;
		case -EEXIST:
			return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
						"a key is sent twice");
		default:
			return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
						"a declaration or an answer that may "
						"not be");
		}
	}
	return status;
}
