/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config_target.c - see config_target.h.
 *
 * Each wanted object is built as it would be published and then told in the form of
 * config.get; two that are told alike are alike.
 */
#include "mgmt/config_target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "iscsi/account.h"
#include "iscsi/acl.h"
#include "iscsi/target.h"
#include "mgmt/config_access.h"
#include "mgmt/config_fault.h"
#include "mgmt/config_luns.h"
#include "mgmt/config_plan.h"
#include "mgmt/config_words.h"
#include "mgmt/target.h"
#include "mgmt/target_params.h"
#include "mgmt/tpg.h"
#include "scsi/target.h"

const json_t *mgmt_config_target_wanted(const struct mgmt_config_target *t)
{
	return json_array_get(json_object_get(t->plan->state, "targets"), t->index);
}

const char *mgmt_config_target_name(const struct mgmt_config_target *t)
{
	return t->name ? t->name : t->present->scsi->name;
}

/* --- the iSCSI face --------------------------------------------------- */

static int set_params(const struct mgmt_config_target *t, struct iscsi_target_config *c,
		      const json_t *params, struct mgmt_fault *f)
{
	struct iscsi_target_config *fresh = iscsi_target_config_new();
	char why[192], number[MGMT_SCALAR_BYTES], member[96];
	const char *name;
	json_t *v;

	if (!fresh)
		return mgmt_config_fault_no_memory(f);
	c->params = fresh->params;
	c->nop_interval_s = fresh->nop_interval_s;
	c->nop_count = fresh->nop_count;
	c->max_queue_cmd = fresh->max_queue_cmd;
	iscsi_target_config_free(fresh);
	iscsi_redirect_fini(&c->redirect);
	c->redirect = (struct iscsi_redirect){ 0 };
	json_object_foreach((json_t *)params, name, v) {
		snprintf(member, sizeof(member), "params.%.64s", name);
		if (json_is_array(v) || !strcmp(name, "state"))
			return mgmt_config_fault_target(f, t, member, "a target has no parameter '%s' here",
							json_is_array(v) ? "(array)" : name);
		if (mgmt_target_params_set(c, name, mgmt_fields_scalar(v, number), why,
					   sizeof(why)) < 0)
			return mgmt_config_fault_target(f, t, member, "%s", why);
	}
	return 0;
}

struct acl_copy {
	enum iscsi_acl_kind kind;
	struct iscsi_acl *to;
	int err;
};

static int add_rule(struct iscsi_acl **acl, enum iscsi_acl_kind kind, const char *text,
		    char *why, size_t why_bytes)
{
	struct iscsi_acl *more;
	const int err = iscsi_acl_add(*acl, kind, text, &more, why, why_bytes);

	if (err)
		return err;
	iscsi_acl_free(*acl);
	*acl = more;
	return 0;
}

static void copy_rule(enum iscsi_acl_kind kind, const char *text, void *arg)
{
	struct acl_copy *copy = arg;

	if (kind == copy->kind && !copy->err)
		copy->err = add_rule(&copy->to, kind, text, NULL, 0);
}

/* Rules of one kind: @texts, or if that is NULL those that were there. */
static int set_rules(const struct mgmt_config_target *t, const struct iscsi_acl *before,
		     enum iscsi_acl_kind kind, const json_t *texts, struct iscsi_acl **acl,
		     struct mgmt_fault *f)
{
	struct acl_copy copy = { kind, *acl, 0 };
	char why[192] = "out of memory", member[64];
	const json_t *v;
	size_t i;
	int err = 0;

	if (!texts) {
		iscsi_acl_each(before, copy_rule, &copy);
		*acl = copy.to;
		return copy.err ? mgmt_config_fault_no_memory(f) : 0;
	}
	json_array_foreach(texts, i, v) {
		err = add_rule(acl, kind, json_string_value(v), why, sizeof(why));
		if (!err)
			continue;
		snprintf(member, sizeof(member), "%s[%zu]",
			 kind == ISCSI_ACL_NAME ? "initiators" : "addresses", i);
		if (err == -EEXIST)
			snprintf(why, sizeof(why), "'%.128s' is there twice", json_string_value(v));
		return mgmt_config_fault_target(f, t, member, "%s", why);
	}
	return 0;
}

static int set_acl(const struct mgmt_config_target *t, struct iscsi_target_config *c,
		   const json_t *in, struct mgmt_fault *f)
{
	const json_t *addresses = json_object_get(in, "addresses");
	const json_t *initiators = json_object_get(in, "initiators");
	struct iscsi_acl *acl = NULL;
	int err;

	if (!addresses && !initiators)
		return 0;
	err = set_rules(t, c->acl, ISCSI_ACL_ADDRESS, addresses, &acl, f);
	if (!err)
		err = set_rules(t, c->acl, ISCSI_ACL_NAME, initiators, &acl, f);
	if (err) {
		iscsi_acl_free(acl);
		return err;
	}
	iscsi_acl_free(c->acl);
	c->acl = acl;
	return 0;
}

static int set_accounts(const struct mgmt_config_target *t, struct iscsi_target_config *c,
			const json_t *in, struct mgmt_fault *f)
{
	const json_t *bound = json_object_get(in, "accounts");
	char where[64], what[300];
	struct iscsi_accounts *set;

	if (!bound)
		return 0;
	snprintf(where, sizeof(where), "state.targets[%u].accounts", t->index);
	snprintf(what, sizeof(what), "target %s", t->name);
	if (mgmt_config_access_bind(t->plan, bound, where, what, &set, f) < 0)
		return -EINVAL;
	iscsi_account_free(c->accounts);
	c->accounts = set;
	return 0;
}

static int build_config(struct mgmt_config_target *t, const json_t *in, struct mgmt_fault *f)
{
	const char *state = json_string_value(json_object_get(in, "state"));
	const json_t *params = json_object_get(in, "params");
	int err = 0;

	t->config = t->present ? iscsi_target_config_copy(t->present->iscsi) :
				 iscsi_target_config_new();
	if (!t->config)
		return mgmt_config_fault_no_memory(f);
	if (state)
		t->config->offline = !strcmp(state, "offline");
	if (params)
		err = set_params(t, t->config, params, f);
	if (!err)
		err = set_acl(t, t->config, in, f);
	if (!err)
		err = set_accounts(t, t->config, in, f);
	return err;
}

/* --- target port groups ----------------------------------------------- */

static int build_groups(struct mgmt_config_target *t, const json_t *in, struct mgmt_fault *f)
{
	const json_t *groups = json_object_get(in, "groups");
	char why[256];

	t->alua_change = (struct scsi_alua_change){ .code = SCSI_SENSE_ACCESS_STATE_CHANGED,
						    .inquiry = true };
	if (groups && mgmt_tpg_parse(groups, &t->alua, why, sizeof(why)) < 0)
		return mgmt_config_fault_target(f, t, "groups", "%s", why);
	if (!groups && t->present && t->step == MGMT_CONFIG_NEW) {
		t->alua = scsi_alua_copy(t->present->scsi);
		if (!t->alua)
			return mgmt_config_fault_no_memory(f);
	}
	return 0;
}

/* --- against what is there -------------------------------------------- */

static void tell_rule(enum iscsi_acl_kind kind, const char *text, void *arg)
{
	json_array_append_new(json_object_get(arg, kind == ISCSI_ACL_NAME ? "initiators" :
									    "addresses"),
			      json_string(text));
}

static void tell_account(const char *user, bool outgoing, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s, s:b}", "user", user, "outgoing",
					     (int)outgoing));
}

static json_t *tell_lists(const struct iscsi_target_config *c)
{
	json_t *v = json_pack("{s:s, s:[], s:[], s:[]}", "state", c->offline ? "offline" : "ready",
			      "addresses", "initiators", "accounts");

	iscsi_acl_each(c->acl, tell_rule, v);
	iscsi_account_each_bound(c->accounts, tell_account, json_object_get(v, "accounts"));
	return v;
}

/* What is built against what is there; what is the same is dropped. */
static void compare_face(struct mgmt_config_target *t)
{
	const struct iscsi_target_config *c = iscsi_target_config(t->present->iscsi);
	json_t *have = mgmt_target_params_config(c), *want = mgmt_target_params_config(t->config);
	unsigned int n;
	char what[300];

	snprintf(what, sizeof(what), "target %s: ", t->name);
	n = mgmt_config_words_diff(t->words, what, have, want);
	json_decref(have);
	json_decref(want);
	have = tell_lists(c);
	want = tell_lists(t->config);
	n += mgmt_config_words_diff(t->words, what, have, want);
	json_decref(have);
	json_decref(want);
	t->felt |= t->config->offline && !c->offline;
	if (!n) {
		iscsi_target_config_free(t->config);
		t->config = NULL;
	}
}

static void keep_status(struct scsi_alua *a, const struct scsi_alua *old)
{
	for (unsigned int i = 0; i < a->nr_groups; i++) {
		struct scsi_alua_group *g = &a->group[i];
		const struct scsi_alua_group *was = old ? scsi_alua_find(old, g->id) : NULL;

		g->access.status = SCSI_ALUA_BY_TARGET;
		if (!was || was->access.state == g->access.state)
			g->access.status = was ? was->access.status : SCSI_ALUA_NO_CHANGE;
	}
}

static void compare_groups(struct mgmt_config_target *t)
{
	const struct scsi_alua *old = scsi_alua_of(t->present->scsi);
	json_t *have, *want;

	if (!t->alua)
		return;
	have = mgmt_tpg_config(old);
	want = mgmt_tpg_config(t->alua);
	keep_status(t->alua, old);
	if (json_equal(have, want)) {
		free(t->alua);
		t->alua = NULL;
	} else {
		mgmt_config_words_add(t->words, "target %s: its target port groups change", t->name);
	}
	json_decref(have);
	json_decref(want);
}

int mgmt_config_target_plan(struct mgmt_config_target *t, struct mgmt_fault *f)
{
	const json_t *in = mgmt_config_target_wanted(t);
	int err;

	if (t->present && mgmt_config_luns_check_settled(t, f) < 0)
		return -EINVAL;
	if (t->step == MGMT_CONFIG_NEW && t->present)
		mgmt_config_words_add(t->words, "target %s: number %d -> %d, made anew", t->name,
				      t->present->tid, t->tid);
	else if (t->step == MGMT_CONFIG_NEW)
		mgmt_config_words_add(t->words, "target %s: new, number %d", t->name, t->tid);
	t->felt = t->step == MGMT_CONFIG_NEW && t->present;
	err = build_config(t, in, f);
	if (!err)
		err = build_groups(t, in, f);
	if (!err)
		err = mgmt_config_luns_plan(t, in, f);
	if (err || t->step == MGMT_CONFIG_NEW)
		return err;
	compare_face(t);
	compare_groups(t);
	if (!json_array_size(t->words))
		t->step = MGMT_CONFIG_KEEP;
	return 0;
}
