/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config_plan.c - the targets that are wanted against those that are there, by
 * name.  One of them is compared in config_target.c; what accounts and portals need is
 * in config_access.c.
 */
#include "mgmt/config_plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/proto.h"
#include "iscsi/register.h"
#include "iscsi/target.h"
#include "mgmt/config_access.h"
#include "mgmt/config_fault.h"
#include "mgmt/config_luns.h"
#include "mgmt/config_target.h"
#include "mgmt/config_words.h"
#include "mgmt/lun.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "scsi/target.h"

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
	return mgmt_config_fault_target(f, t, "name",
					"it is being removed; try again when it is gone");
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
			return mgmt_config_fault_target(f, &t, "name", "it is there twice");
		json_object_set_new(p->names.wanted, t.name, json_true());
		if (!in_scope(p, t.name))
			continue;
		if (!iscsi_target_valid_name(t.name))
			return mgmt_config_fault(f, "state.targets",
						 "'%s' is not an iSCSI name: letters, digits, ':', '.' "
						 "and '-', at most %d bytes",
						 text_quote(quoted, sizeof(quoted), t.name,
							    strlen(t.name)), ISCSI_NAME_MAX);
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
	return mgmt_config_fault_target(f, t, "tid", "number %d is that of target %s%s", t->tid,
					other->scsi->name,
					other->leaving ? ", which is being removed" : "");
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
			err = mgmt_config_fault_target(f, t, "tid",
						       "number %d is that of target %s, too", t->tid,
						       json_string_value(json_object_get(taken, key)));
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
			return mgmt_config_fault_target(f, t, "tid", "no number above %d is left",
							highest);
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
		return mgmt_config_fault_no_memory(f);
	err = find_wanted(p, targets, f);
	if (err)
		return err;
	mgmt_target_each(find_gone, p);
	err = give_numbers(p, f);
	for (unsigned int i = 0; i < p->nr_targets && !err; i++) {
		struct mgmt_config_target *t = &p->targets[i];

		err = t->step == MGMT_CONFIG_GONE ? mgmt_config_luns_check_settled(t, f) :
						    mgmt_config_target_plan(t, f);
	}
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
			err = mgmt_config_fault(f, where, "%s", inner.sentence);
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
		return mgmt_config_fault_no_memory(ret_fault);
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
			return mgmt_config_fault_target(ret_fault, t, "tid",
							"number %d is that of target %s, which is "
							"in use and stays", t->tid,
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
