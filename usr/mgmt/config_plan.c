/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config_plan.c - the targets that are wanted against those that are there, by
 * name.  What accounts and portals need is in config_access.c.
 *
 * Each wanted object is built as it would be published and then told in the form of
 * config.get; two that are told alike are alike.
 */
#include "mgmt/config_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/account.h"
#include "iscsi/acl.h"
#include "iscsi/proto.h"
#include "iscsi/register.h"
#include "iscsi/target.h"
#include "lu/lu.h"
#include "mgmt/config.h"
#include "mgmt/config_access.h"
#include "mgmt/config_words.h"
#include "mgmt/lun.h"
#include "mgmt/lun_update.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "mgmt/target_params.h"
#include "mgmt/tpg.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/target.h"

/* Members of a LUN that belong to its store: another value is another store. */
static const char *const store_members[] = { "path",	 "bstype",    "bsopts",
					     "bsoflags", "blocksize", "device_type" };

/* Another identity has other reservations, which are found when the store is opened. */
static const char *const identity_params[] = { "tgt_ids", "scsi_id" };

/* Parameters that a session sees as another disk, or as errors. */
static const char *const felt_params[] = { "scsi_sn", "readonly", "online" };

const char *mgmt_config_target_name(const struct mgmt_config_target *t)
{
	return t->name ? t->name : t->present->scsi->name;
}

static int __attribute__((format(printf, 3, 4)))
fault(struct mgmt_fault *f, const char *where, const char *fmt, ...)
{
	va_list ap;

	*f = (struct mgmt_fault){ .field = "state", .error = MGMT_ERR_INVALID };
	text_copy(f->where, sizeof(f->where), where);
	va_start(ap, fmt);
	vsnprintf(f->sentence, sizeof(f->sentence), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int __attribute__((format(printf, 4, 5)))
target_fault(struct mgmt_fault *f, const struct mgmt_config_target *t, const char *member,
	     const char *fmt, ...)
{
	char sentence[768], where[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	snprintf(where, sizeof(where), "state.targets[%u].%.160s", t->index, member);
	return fault(f, where, "target %s: %s", t->name, sentence);
}

static int no_memory(struct mgmt_fault *f)
{
	fault(f, "state", "out of memory");
	f->error = MGMT_ERR_NOMEM;
	return -ENOMEM;
}

static const json_t *wanted_of(const struct mgmt_config_target *t)
{
	return json_array_get(json_object_get(t->plan->state, "targets"), t->index);
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
		return no_memory(f);
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
			return target_fault(f, t, member, "a target has no parameter '%s' here",
					    json_is_array(v) ? "(array)" : name);
		if (mgmt_target_params_set(c, name, mgmt_fields_scalar(v, number), why,
					   sizeof(why)) < 0)
			return target_fault(f, t, member, "%s", why);
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
		return copy.err ? no_memory(f) : 0;
	}
	json_array_foreach(texts, i, v) {
		err = add_rule(acl, kind, json_string_value(v), why, sizeof(why));
		if (!err)
			continue;
		snprintf(member, sizeof(member), "%s[%zu]",
			 kind == ISCSI_ACL_NAME ? "initiators" : "addresses", i);
		if (err == -EEXIST)
			snprintf(why, sizeof(why), "'%.128s' is there twice", json_string_value(v));
		return target_fault(f, t, member, "%s", why);
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
		return no_memory(f);
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
		return target_fault(f, t, "groups", "%s", why);
	if (!groups && t->present && t->step == MGMT_CONFIG_NEW) {
		t->alua = scsi_alua_copy(t->present->scsi);
		if (!t->alua)
			return no_memory(f);
	}
	return 0;
}

/* --- logical units ---------------------------------------------------- */

static struct mgmt_config_lun *add_lun(struct mgmt_config_target *t)
{
	struct mgmt_config_lun *l = &t->luns[t->nr_luns++];

	*l = (struct mgmt_config_lun){ .target = t };
	return l;
}

static int lun_fault(struct mgmt_fault *f, const struct mgmt_config_lun *l,
		     const struct mgmt_fault *inner)
{
	const struct mgmt_config_target *t = l->target;
	char member[160];
	uint64_t lun;

	lun = (uint64_t)json_integer_value(json_object_get(
		json_array_get(json_object_get(wanted_of(t), "luns"), l->index), "lun"));
	snprintf(member, sizeof(member), "luns[%u].%.120s", l->index,
		 *inner->where ? inner->where : inner->field ? inner->field : "lun");
	return target_fault(f, t, member, "LUN %" PRIu64 ": %s", lun, inner->sentence);
}

/* Whether @a and @b differ in one of the @n members @names. */
static bool differ_in(const json_t *a, const json_t *b, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *x = json_object_get(a, names[i]);
		const json_t *y = json_object_get(b, names[i]);

		if (x != y && !json_equal(x, y))
			return true;
	}
	return false;
}

/* The wanted LUN against the one that is there. */
static void compare_lun(struct mgmt_config_lun *l)
{
	struct mgmt_config_target *t = l->target;
	const struct lu *lu = l->present->lu;
	struct mgmt_lun_spec s = l->spec;
	const json_t *p, *q;
	json_t *have, *want;
	char what[300];

	mgmt_lun_update_restore(&s.change, lu_reserve(lu));
	/* To ask for what the store does by itself is to ask for nothing. */
	if (s.change.write_cache == lu_store_info(lu)->write_cache)
		s.change.write_cache = -1;
	have = mgmt_config_lun_present(l->present);
	want = mgmt_config_lun(&s.open, s.type->name, &s.change);
	p = json_object_get(have, "params");
	q = json_object_get(want, "params");
	snprintf(what, sizeof(what), "target %s: LUN %" PRIu64 ": ", t->name, s.change.lun);
	if (differ_in(have, want, store_members, ARRAY_SIZE(store_members)) ||
	    differ_in(p, q, identity_params, ARRAY_SIZE(identity_params)) ||
	    (lu->open_flags & BS_OPEN_RDONLY && !(s.open.flags & BS_OPEN_RDONLY)))
		l->step = MGMT_CONFIG_REPLACE;
	else
		l->step = json_equal(p, q) ? MGMT_CONFIG_KEEP : MGMT_CONFIG_CHANGE;
	if (l->step != MGMT_CONFIG_KEEP)
		mgmt_config_words_diff(t->words, what, p, q);
	t->felt |= l->step == MGMT_CONFIG_REPLACE ||
		   differ_in(p, q, felt_params, ARRAY_SIZE(felt_params));
	l->news = mgmt_lun_params_news(p, q);
	if (l->step == MGMT_CONFIG_CHANGE) {
		mgmt_lun_update_restore(&l->spec.change, lu_reserve(lu));
		/* It starts from "by itself", not from what the cache was set to. */
		if (l->spec.change.write_cache < 0)
			l->spec.change.write_cache = lu_store_info(lu)->write_cache;
	}
	json_object_del(have, "params");
	json_object_del(want, "params");
	if (l->step == MGMT_CONFIG_REPLACE) {
		mgmt_config_words_diff(t->words, what, have, want);
		mgmt_config_words_add(t->words, "%sopened anew", what);
	}
	json_decref(have);
	json_decref(want);
}

static int plan_lun(struct mgmt_config_target *t, const json_t *in, unsigned int index,
		    struct mgmt_fault *f)
{
	struct mgmt_config_lun *l = add_lun(t);
	struct mgmt_fault inner;

	l->index = index;
	l->step = MGMT_CONFIG_NEW;
	if (mgmt_lun_create_parse(in, t->name, t->tid, &l->spec, &inner) < 0)
		return lun_fault(f, l, &inner);
	if (t->present && t->step != MGMT_CONFIG_NEW)
		l->present = mgmt_lun_find(t->present, l->spec.change.lun);
	l->lun = l->spec.change.lun;
	if (l->present) {
		compare_lun(l);
		return 0;
	}
	mgmt_config_words_add(t->words, "target %s: LUN %" PRIu64 ": new, %s %s", t->name,
			      l->spec.change.lun, l->spec.open.bstype, l->spec.open.path);
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_number(const uint64_t *numbers, size_t n, uint64_t lun)
{
	return bsearch(&lun, numbers, n, sizeof(lun), compare_numbers) != NULL;
}

/* Those that are there and not wanted. */
static void plan_gone_luns(struct mgmt_config_target *t, const uint64_t *wanted, size_t n)
{
	struct mgmt_lun *l;

	list_for_each(l, &t->present->luns, node) {
		struct mgmt_config_lun *gone;

		if (!l->lu || is_number(wanted, n, l->lun))
			continue;
		gone = add_lun(t);
		gone->step = MGMT_CONFIG_GONE;
		gone->present = l;
		gone->lun = l->lun;
		t->felt = true;
		mgmt_config_words_add(t->words, "target %s: LUN %" PRIu64 ": removed", t->name,
				      l->lun);
	}
}

/* Everything that happens to them happens in this thread's turn. */
static int check_settled(const struct mgmt_config_target *t, struct mgmt_fault *f)
{
	const struct mgmt_lun *l;

	list_for_each(l, &t->present->luns, node)
		if (l->state != MGMT_LUN_READY)
			return fault(f, "state.targets",
				     "target %s: LUN %" PRIu64 " is being %s; try again when it is",
				     mgmt_config_target_name(t), l->lun,
				     l->state == MGMT_LUN_OPENING ? "opened" : "removed");
	return 0;
}

static unsigned int count_present(const struct mgmt_config_target *t)
{
	const struct mgmt_lun *l;
	unsigned int n = 0;

	if (t->present)
		list_for_each(l, &t->present->luns, node)
			n++;
	return n;
}

static int plan_luns(struct mgmt_config_target *t, const json_t *in, struct mgmt_fault *f)
{
	const json_t *luns = json_object_get(in, "luns"), *v;
	const size_t n = json_array_size(luns);
	uint64_t *numbers;
	size_t i;
	int err = 0;

	if (!luns && t->present && t->step == MGMT_CONFIG_NEW)
		return target_fault(f, t, "luns", "its number changes: then 'luns' must be given");
	if (!luns)
		return 0;
	numbers = calloc(n + 1, sizeof(*numbers));
	t->luns = calloc(n + count_present(t) + 1, sizeof(*t->luns));
	if (!numbers || !t->luns) {
		free(numbers);
		return no_memory(f);
	}
	json_array_foreach(luns, i, v) {
		numbers[i] = (uint64_t)json_integer_value(json_object_get(v, "lun"));
	}
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	for (i = 1; i < n && !err; i++)
		if (numbers[i] == numbers[i - 1])
			err = target_fault(f, t, "luns", "LUN %" PRIu64 " is there twice",
					   numbers[i]);
	json_array_foreach(luns, i, v) {
		if (!err)
			err = plan_lun(t, v, (unsigned int)i, f);
	}
	if (!err && t->present && t->step != MGMT_CONFIG_NEW)
		plan_gone_luns(t, numbers, n);
	free(numbers);
	return err;
}

/* --- a target --------------------------------------------------------- */


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

static int plan_target(struct mgmt_config_target *t, struct mgmt_fault *f)
{
	const json_t *in = wanted_of(t);
	int err;

	if (t->present && check_settled(t, f) < 0)
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
		err = plan_luns(t, in, f);
	if (err || t->step == MGMT_CONFIG_NEW)
		return err;
	compare_face(t);
	compare_groups(t);
	if (!json_array_size(t->words))
		t->step = MGMT_CONFIG_KEEP;
	return 0;
}

/* --- names and numbers ------------------------------------------------ */

static bool in_scope(const struct mgmt_config_plan *p, const char *name)
{
	return !p->names.only || json_object_get(p->names.only, name);
}

/* The target with that name; -EINVAL: it is on its way out. */
static int find_present(struct mgmt_config_target *t, struct mgmt_fault *f)
{
	struct iscsi_target *i = iscsi_target_find(t->name);

	if (!i)
		return 0;
	t->present = mgmt_target_find(i->scsi->tid);
	iscsi_target_put(i);
	t->present_tid = t->present ? t->present->tid : 0;
	if (t->present)
		return 0;
	return target_fault(f, t, "name", "it is being removed; try again when it is gone");
}

static int find_wanted(struct mgmt_config_plan *p, const json_t *targets, struct mgmt_fault *f)
{
	const json_t *v;
	size_t i;

	json_array_foreach(targets, i, v) {
		struct mgmt_config_target t = { .plan = p, .index = (unsigned int)i };
		char quoted[256];

		t.name = json_string_value(json_object_get(v, "name"));
		if (json_object_get(p->names.wanted, t.name))
			return target_fault(f, &t, "name", "it is there twice");
		json_object_set_new(p->names.wanted, t.name, json_true());
		if (!in_scope(p, t.name))
			continue;
		if (!iscsi_target_valid_name(t.name))
			return fault(f, "state.targets", "'%s' is not an iSCSI name: iqn., eui. or "
				     "naa., then letters, digits, ':', '.' and '-', at most %d bytes",
				     text_quote(quoted, sizeof(quoted), t.name, strlen(t.name)),
				     ISCSI_NAME_MAX);
		if (find_present(&t, f) < 0)
			return -EINVAL;
		t.tid = (int)json_integer_value(json_object_get(v, "tid"));
		if (!t.tid && t.present)
			t.tid = t.present->tid;
		t.step = t.present && t.present->tid == t.tid ? MGMT_CONFIG_CHANGE :
								MGMT_CONFIG_NEW;
		t.words = json_array();
		p->targets[p->nr_targets++] = t;
	}
	return 0;
}

static void find_gone(struct mgmt_target *present, void *arg)
{
	struct mgmt_config_plan *p = arg;
	struct mgmt_config_target *t;

	if (json_object_get(p->names.wanted, present->scsi->name) ||
	    !in_scope(p, present->scsi->name))
		return;
	t = &p->targets[p->nr_targets++];
	*t = (struct mgmt_config_target){ .plan = p, .step = MGMT_CONFIG_GONE, .felt = true,
					  .present = present, .tid = present->tid,
					  .present_tid = present->tid,
					  .words = json_array() };
	mgmt_config_words_add(t->words, "target %s: removed", present->scsi->name);
}

/* The one of the plan that has to go before @tid is free; NULL: none. */
static const struct mgmt_config_target *who_frees(const struct mgmt_config_plan *p, int tid)
{
	for (unsigned int i = 0; i < p->nr_targets; i++) {
		const struct mgmt_config_target *t = &p->targets[i];

		if (t->present && t->present->tid == tid &&
		    (t->step == MGMT_CONFIG_GONE || t->step == MGMT_CONFIG_NEW))
			return t;
	}
	return NULL;
}

static int check_number(const struct mgmt_config_plan *p, const struct mgmt_config_target *t,
			struct mgmt_fault *f)
{
	const struct mgmt_target *other = mgmt_target_lookup(t->tid);

	if (!other || who_frees(p, t->tid))
		return 0;
	return target_fault(f, t, "tid", "number %d is that of target %s%s", t->tid,
			    other->scsi->name, other->leaving ? ", which is being removed" : "");
}

/* No two of what is wanted have one number. */
static int check_unique(const struct mgmt_config_plan *p, struct mgmt_fault *f)
{
	json_t *taken = json_object();
	char key[16];
	int err = 0;

	for (unsigned int i = 0; i < p->nr_targets && !err; i++) {
		const struct mgmt_config_target *t = &p->targets[i];

		if (!t->tid || t->step == MGMT_CONFIG_GONE)
			continue;
		snprintf(key, sizeof(key), "%d", t->tid);
		if (json_object_get(taken, key))
			err = target_fault(f, t, "tid", "number %d is that of target %s, too",
					   t->tid, json_string_value(json_object_get(taken, key)));
		json_object_set_new(taken, key, json_string(t->name));
	}
	json_decref(taken);
	return err;
}

static void find_highest(struct mgmt_target *t, void *arg)
{
	int *highest = arg;

	*highest = MAX(*highest, t->tid);
}

/* Those without a number get the highest and one more, as tgt-admin gave them. */
static int give_numbers(struct mgmt_config_plan *p, struct mgmt_fault *f)
{
	int highest = 0;

	if (check_unique(p, f) < 0)
		return -EINVAL;
	mgmt_target_each(find_highest, &highest);
	for (unsigned int i = 0; i < p->nr_targets; i++)
		highest = MAX(highest, p->targets[i].tid);
	for (unsigned int i = 0; i < p->nr_targets; i++) {
		struct mgmt_config_target *t = &p->targets[i];

		if (t->step == MGMT_CONFIG_NEW && t->tid) {
			if (check_number(p, t, f) < 0)
				return -EINVAL;
			continue;
		}
		while (!t->tid && highest < INT_MAX)
			if (!mgmt_target_lookup(++highest))
				t->tid = highest;
		if (!t->tid)
			return target_fault(f, t, "tid", "no number above %d is left", highest);
	}
	return 0;
}

/* --- the plan --------------------------------------------------------- */

static json_t *set_of(const json_t *names)
{
	json_t *set = names ? json_object() : NULL;
	const json_t *v;
	size_t i;

	json_array_foreach(names, i, v) {
		json_object_set_new(set, json_string_value(v), json_true());
	}
	return set;
}

static int plan_targets(struct mgmt_config_plan *p, struct mgmt_fault *f)
{
	const json_t *targets = json_object_get(p->state, "targets");
	int err;

	if (!targets)
		return 0;
	p->targets = calloc(json_array_size(targets) + mgmt_target_count() + 1,
			    sizeof(*p->targets));
	if (!p->targets)
		return no_memory(f);
	err = find_wanted(p, targets, f);
	if (err)
		return err;
	mgmt_target_each(find_gone, p);
	err = give_numbers(p, f);
	for (unsigned int i = 0; i < p->nr_targets && !err; i++)
		err = p->targets[i].step == MGMT_CONFIG_GONE ? check_settled(&p->targets[i], f) :
							      plan_target(&p->targets[i], f);
	return err;
}

static int plan_system(struct mgmt_config_plan *p, struct mgmt_fault *f)
{
	const json_t *wanted = json_object_get(p->state, "system");
	json_t *have = mgmt_system_config(), *want = json_object(), *v;
	char number[MGMT_SCALAR_BYTES], where[96];
	struct mgmt_fault inner;
	const char *name;
	int err = 0;

	json_object_foreach((json_t *)wanted, name, v) {
		const char *value = json_is_array(v) ? "" : mgmt_fields_scalar(v, number);

		if (err)
			break;
		snprintf(where, sizeof(where), "state.system.%.64s", name);
		if (mgmt_system_set(name, value, false, &inner) < 0)
			err = fault(f, where, "%s", inner.sentence);
		else if (json_object_get(have, name))
			json_object_set_new(want, name, json_string(value));
	}
	json_object_update_missing(want, have);
	mgmt_config_words_diff(p->words, "system: ", have, want);
	json_decref(have);
	json_decref(want);
	return err;
}

int mgmt_config_plan_new(const json_t *state, const json_t *only, bool force, bool keep,
			 struct mgmt_config_plan **ret_plan, struct mgmt_fault *ret_fault)
{
	struct mgmt_config_plan *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return no_memory(ret_fault);
	p->state = state;
	p->force = force;
	p->keep = keep;
	p->words = json_array();
	p->names.wanted = json_object();
	p->names.only = set_of(only);
	err = plan_system(p, ret_fault);
	if (!err)
		err = mgmt_config_access_plan(p, ret_fault);
	if (!err)
		err = plan_targets(p, ret_fault);
	if (!err)
		err = mgmt_config_plan_mark_in_use(p, ret_fault);
	if (err) {
		mgmt_config_plan_free(p);
		return err;
	}
	*ret_plan = p;
	return 0;
}

int mgmt_config_plan_mark_in_use(struct mgmt_config_plan *p, struct mgmt_fault *ret_fault)
{
	for (unsigned int i = 0; i < p->nr_targets; i++) {
		struct mgmt_config_target *t = &p->targets[i];

		if (t->present && t->felt && !p->force && t->step != MGMT_CONFIG_KEEP)
			t->in_use |= iscsi_register_count(t->present->tid) > 0;
	}
	for (unsigned int i = 0; i < p->nr_targets; i++) {
		const struct mgmt_config_target *t = &p->targets[i], *other;

		if (t->step != MGMT_CONFIG_NEW || t->in_use)
			continue;
		other = who_frees(p, t->tid);
		if (other && other->in_use)
			return target_fault(ret_fault, t, "tid", "number %d is that of target %s, "
					    "which is in use and stays", t->tid,
					    mgmt_config_target_name(other));
	}
	return 0;
}

bool mgmt_config_plan_is_valid(const struct mgmt_config_plan *p)
{
	for (unsigned int i = 0; i < p->nr_targets; i++) {
		const struct mgmt_config_target *t = &p->targets[i];

		if (!t->present)
			continue;
		if (mgmt_target_find(t->present_tid) != t->present)
			return false;
		for (unsigned int k = 0; k < t->nr_luns; k++) {
			const struct mgmt_config_lun *l = &t->luns[k];
			const struct mgmt_lun *now = l->present ?
				mgmt_lun_find(t->present, l->lun) : NULL;

			if (l->present && (now != l->present || now->state != MGMT_LUN_READY))
				return false;
		}
	}
	return true;
}

void mgmt_config_plan_free(struct mgmt_config_plan *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < p->nr_targets; i++) {
		struct mgmt_config_target *t = &p->targets[i];

		iscsi_target_config_free(t->config);
		free(t->alua);
		free(t->luns);
		json_decref(t->words);
	}
	free(p->targets);
	json_decref(p->words);
	json_decref(p->names.wanted);
	json_decref(p->names.only);
	mgmt_config_access_free(p);
	free(p);
}
