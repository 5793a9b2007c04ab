/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_access.c - who may come, and where: accounts and portals. */
#include "mgmt/config_access.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "iscsi/account.h"
#include "iscsi/portal.h"
#include "iscsi/proto.h"
#include "mgmt/config_fault.h"
#include "mgmt/config_plan.h"
#include "mgmt/config_words.h"
#include "mgmt/portal.h"
#include "net/addr.h"

static const char *text_of(const json_t *v, const char *name)
{
	return json_string_value(json_object_get(v, name));
}

/* --- accounts --------------------------------------------------------- */

static int plan_account(struct mgmt_config_plan *p, const json_t *v, size_t i, json_t *seen,
			struct mgmt_fault *f)
{
	const char *user = text_of(v, "user"), *password = text_of(v, "password");
	const char *now = iscsi_account_password(user);
	char where[64];

	snprintf(where, sizeof(where), "state.accounts[%zu]", i);
	if (json_object_get(seen, user))
		return mgmt_config_fault(f, where, "account %s: it is there twice", user);
	json_object_set_new(seen, user, json_true());
	if (!now && !password)
		return mgmt_config_fault(f, where, "account %s: it has no password here, and "
					 "there is no such account yet", user);
	for (const char *c = user; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return mgmt_config_fault(f, where, "the name of an account has no control characters");
	if (!now) {
		json_array_append(p->new_accounts, (json_t *)v);
		mgmt_config_words_add(p->words, "account %s: new", user);
	} else if (password && strcmp(now, password) != 0) {
		json_array_append(p->new_passwords, (json_t *)v);
		mgmt_config_words_add(p->words, "account %s: another password", user);
	}
	return 0;
}

struct leaving {
	struct mgmt_config_plan *p;
	const json_t *wanted;
};

static void find_old_account(const char *user, void *arg)
{
	const struct leaving *l = arg;

	if (json_object_get(l->wanted, user))
		return;
	json_array_append_new(l->p->old_accounts, json_string(user));
	mgmt_config_words_add(l->p->words, "account %s: removed", user);
}

static int plan_accounts(struct mgmt_config_plan *p, struct mgmt_fault *f)
{
	const json_t *accounts = json_object_get(p->state, "accounts"), *v;
	json_t *seen = json_object();
	struct leaving leaving = { p, seen };
	size_t i;
	int err = 0;

	json_array_foreach(accounts, i, v) {
		if (!err)
			err = plan_account(p, v, i, seen, f);
	}
	if (!err && accounts && !p->keep)
		iscsi_account_each(find_old_account, &leaving);
	json_decref(seen);
	return err;
}

/* The password that @user will have; NULL: there will be no such account. */
static const char *password_of(const struct mgmt_config_plan *p, const char *user)
{
	const json_t *v;
	size_t i;

	json_array_foreach(p->new_accounts, i, v) {
		if (!strcmp(text_of(v, "user"), user))
			return text_of(v, "password");
	}
	json_array_foreach(p->new_passwords, i, v) {
		if (!strcmp(text_of(v, "user"), user))
			return text_of(v, "password");
	}
	json_array_foreach(p->old_accounts, i, v) {
		if (!strcmp(json_string_value(v), user))
			return NULL;
	}
	return iscsi_account_password(user);
}

int mgmt_config_access_bind(const struct mgmt_config_plan *p, const json_t *bound,
			    const char *where, const char *what, struct iscsi_accounts **ret,
			    struct mgmt_fault *ret_fault)
{
	struct iscsi_accounts *set = NULL, *more;
	const json_t *v;
	size_t i;

	json_array_foreach(bound, i, v) {
		const bool outgoing = json_is_true(json_object_get(v, "outgoing"));
		const char *user = text_of(v, "user"), *password = password_of(p, user);
		char place[128];
		int err = -ENOENT;

		if (password)
			err = iscsi_account_add_to(set, user, password, outgoing, &more);
		if (!err) {
			iscsi_account_free(set);
			set = more;
			continue;
		}
		iscsi_account_free(set);
		snprintf(place, sizeof(place), "%s[%zu]", where, i);
		return mgmt_config_fault(ret_fault, place, "%s: account %s%s %s", what, user,
					 outgoing ? " (outgoing)" : "",
					 err == -ENOENT ? "does not exist" :
					 err == -EEXIST ? "is bound twice" :
					 err == -EBUSY ? "is a second outgoing account" :
							 "needs more memory");
	}
	*ret = set;
	return 0;
}

static void tell_account(const char *user, bool outgoing, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s, s:b}", "user", user, "outgoing",
					     (int)outgoing));
}

static int plan_discovery(struct mgmt_config_plan *p, struct mgmt_fault *f)
{
	const json_t *bound = json_object_get(p->state, "discovery");
	json_t *have, *want;
	int err;

	if (!bound)
		return 0;
	err = mgmt_config_access_bind(p, bound, "state.discovery", "discovery", &p->discovery, f);
	if (err)
		return err;
	have = json_pack("{s:[]}", "accounts");
	want = json_pack("{s:[]}", "accounts");
	iscsi_account_each_bound(iscsi_account_discovery(), tell_account,
				 json_object_get(have, "accounts"));
	iscsi_account_each_bound(p->discovery, tell_account, json_object_get(want, "accounts"));
	p->set_discovery = mgmt_config_words_diff(p->words, "discovery: ", have, want) > 0;
	json_decref(have);
	json_decref(want);
	return 0;
}

/* --- portals ---------------------------------------------------------- */

static json_t *find_portal(const json_t *portals, const struct sockaddr_storage *addr)
{
	char text[NET_ADDR_TEXT_MAX];
	json_t *v;
	size_t i;

	net_addr_format_endpoint(addr, text, sizeof(text));
	json_array_foreach(portals, i, v) {
		if (!strcmp(text_of(v, "portal"), text))
			return v;
	}
	return NULL;
}

static int tpgt_of(const json_t *v)
{
	const json_t *tpgt = json_object_get(v, "tpgt");

	return tpgt ? (int)json_integer_value(tpgt) : ISCSI_PORTAL_GROUP;
}

/* Whether @addr is a portal with that group tag; it then is wanted. */
static bool keep_portal(const json_t *present, const struct sockaddr_storage *addr, int tpgt)
{
	json_t *v = find_portal(present, addr);

	if (!v || tpgt_of(v) != tpgt)
		return false;
	json_object_set_new(v, "wanted", json_true());
	return true;
}

static int plan_portal(struct mgmt_config_plan *p, const json_t *v, size_t i,
		       const json_t *present, struct mgmt_fault *f)
{
	struct sockaddr_storage addr, v4, v6;
	const int tpgt = tpgt_of(v);
	char why[192], where[64];
	bool kept;

	snprintf(where, sizeof(where), "state.portals[%zu]", i);
	if (net_addr_parse(text_of(v, "portal"), ISCSI_DEFAULT_PORT, &addr, why, sizeof(why)) < 0)
		return mgmt_config_fault(f, where, "portal: %s", why);
	if (addr.ss_family == AF_UNSPEC) {
		net_addr_wildcard(AF_INET, net_addr_port(&addr), &v4);
		net_addr_wildcard(AF_INET6, net_addr_port(&addr), &v6);
		kept = keep_portal(present, &v4, tpgt);
		kept = keep_portal(present, &v6, tpgt) || kept;
	} else {
		kept = keep_portal(present, &addr, tpgt);
		if (!kept && find_portal(present, &addr)) {
			json_t *old = find_portal(present, &addr);

			json_object_set_new(old, "wanted", json_true());
			json_array_append(p->old_portals, old);
		}
	}
	if (kept)
		return 0;
	json_array_append(p->new_portals, (json_t *)v);
	mgmt_config_words_add(p->words, "portal %s,%d: new", text_of(v, "portal"), tpgt);
	return 0;
}

static int plan_portals(struct mgmt_config_plan *p, struct mgmt_fault *f)
{
	const json_t *portals = json_object_get(p->state, "portals"), *v;
	json_t *present;
	size_t i;
	int err = 0;

	if (!portals)
		return 0;
	if (mgmt_portal_driver_stopped())
		return mgmt_config_fault(f, "state.portals", "the driver is stopped: there are no portals");
	present = mgmt_portal_config();
	json_array_foreach(portals, i, v) {
		if (!err)
			err = plan_portal(p, v, i, present, f);
	}
	json_array_foreach(present, i, v) {
		if (err || p->keep || json_object_get(v, "wanted"))
			continue;
		json_array_append(p->old_portals, (json_t *)v);
		mgmt_config_words_add(p->words, "portal %s: removed", text_of(v, "portal"));
	}
	json_decref(present);
	return err;
}

static int open_portal(const json_t *v, char *why, size_t why_bytes)
{
	snprintf(why, why_bytes, "out of memory");
	return iscsi_portal_new(text_of(v, "portal"), (uint16_t)tpgt_of(v), why, why_bytes);
}

static void close_portals(const json_t *portals, size_t n)
{
	char why[192];

	for (size_t i = 0; i < n; i++)
		if (iscsi_portal_delete(text_of(json_array_get(portals, i), "portal"), why,
					sizeof(why)) < 0)
			log_warn("portal: %s", why);
}

static void reopen_old(const struct mgmt_config_plan *p)
{
	char why[192];
	const json_t *v;
	size_t i;

	json_array_foreach(p->old_portals, i, v) {
		if (open_portal(v, why, sizeof(why)) < 0)
			log_err("portal: %s", why);
	}
}

/* All new ones, or none. */
static int open_new(const struct mgmt_config_plan *p, char *why, size_t why_bytes)
{
	const json_t *v;
	size_t i;
	int err;

	json_array_foreach(p->new_portals, i, v) {
		err = open_portal(v, why, why_bytes);
		if (!err)
			continue;
		close_portals(p->new_portals, i);
		return err;
	}
	return 0;
}

int mgmt_config_access_open_portals(struct mgmt_config_plan *p, char *why, size_t why_bytes)
{
	int err = open_new(p, why, why_bytes);

	if (err != -EADDRINUSE && err != -EEXIST)
		return err;
	/* One that goes may be in the way: another group tag, or all addresses. */
	close_portals(p->old_portals, json_array_size(p->old_portals));
	p->old_portals_closed = true;
	err = open_new(p, why, why_bytes);
	if (err)
		reopen_old(p);
	return err;
}

/* --- together --------------------------------------------------------- */

int mgmt_config_access_plan(struct mgmt_config_plan *p, struct mgmt_fault *ret_fault)
{
	int err;

	p->new_accounts = json_array();
	p->new_passwords = json_array();
	p->old_accounts = json_array();
	p->new_portals = json_array();
	p->old_portals = json_array();
	err = plan_accounts(p, ret_fault);
	if (!err)
		err = plan_discovery(p, ret_fault);
	if (!err)
		err = plan_portals(p, ret_fault);
	return err;
}

void mgmt_config_access_free(struct mgmt_config_plan *p)
{
	json_decref(p->new_accounts);
	json_decref(p->new_passwords);
	json_decref(p->old_accounts);
	json_decref(p->new_portals);
	json_decref(p->old_portals);
	iscsi_account_free(p->discovery);
}

bool mgmt_config_access_begin(struct mgmt_config_plan *p)
{
	const json_t *v;
	size_t i;
	bool ok = true;

	json_array_foreach(p->new_accounts, i, v) {
		ok &= iscsi_account_new(text_of(v, "user"), text_of(v, "password")) == 0;
	}
	json_array_foreach(p->new_passwords, i, v) {
		ok &= iscsi_account_set_password(text_of(v, "user"), text_of(v, "password")) == 0;
	}
	if (p->set_discovery) {
		iscsi_account_publish_discovery(p->discovery);
		p->discovery = NULL;
	}
	return ok;
}

bool mgmt_config_access_end(struct mgmt_config_plan *p)
{
	const json_t *v;
	size_t i;
	bool ok = true;

	json_array_foreach(p->old_accounts, i, v) {
		ok &= iscsi_account_delete(json_string_value(v)) == 0;
	}
	if (!p->old_portals_closed)
		close_portals(p->old_portals, json_array_size(p->old_portals));
	return ok;
}
