/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config_apply.c - a plan takes effect.
 *
 *	1  The plan is made: what is wrong with the state is known.
 *	2  Every store that is needed is opened, all of them at once, on the workers;
 *	   then the new portals.  If one cannot be, all are closed again: nothing
 *	   has been touched.
 *	3  What is to go goes: targets with their sessions, logical units.
 *	4  In one turn of the control thread: accounts, what changes, what is new.
 *
 * Meanwhile no other call changes anything.  After 2 nothing but a lack of memory
 * can fail; that is logged and told, and the rest is done all the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/target.h"
#include "lu/lu.h"
#include "mgmt/config.h"
#include "mgmt/config_access.h"
#include "mgmt/config_plan.h"
#include "mgmt/config_target.h"
#include "mgmt/config_words.h"
#include "mgmt/lun.h"
#include "mgmt/lun_cache.h"
#include "mgmt/lun_update.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "scsi/target.h"

struct apply {
	struct mgmt_call *call;
	struct mgmt_config_plan *plan;
	unsigned int waits;		/* of the present stage */
	bool ignore_errors;
	bool failed;			/* a store or portal could not be opened */
	bool no_memory;
	char where[192], sentence[768];	/* of the first failure */
};

/* One store on its way. */
struct opening {
	struct apply *apply;
	struct mgmt_config_lun *lun;
};

#define FOR_EACH_TARGET(t, a)						\
	for (struct mgmt_config_target *t = (a)->plan->targets;	\
	     t < (a)->plan->targets + (a)->plan->nr_targets; t++)
#define FOR_EACH_LUN(l, t)						\
	for (struct mgmt_config_lun *l = (t)->luns; l < (t)->luns + (t)->nr_luns; l++)

static bool is_acted_on(const struct mgmt_config_target *t)
{
	return t->step != MGMT_CONFIG_KEEP && !t->in_use;
}

static bool is_opened(const struct mgmt_config_lun *l)
{
	return l->step == MGMT_CONFIG_NEW || l->step == MGMT_CONFIG_REPLACE;
}

/* --- the answer ------------------------------------------------------- */

static json_t *in_use_of(const struct apply *a)
{
	json_t *list = json_array();

	FOR_EACH_TARGET(t, a)
		if (t->in_use)
			json_array_append_new(list, json_pack("{s:s, s:i, s:O}", "name",
				mgmt_config_target_name(t), "tid", t->present->tid, "changes",
				t->words));
	return list;
}

static void answer(struct apply *a)
{
	const bool dry = mgmt_rpc_bool(a->call, "dry_run");
	json_t *words = json_copy(a->plan->words);
	json_t *result;
	size_t n;

	FOR_EACH_TARGET(t, a)
		if (is_acted_on(t))
			json_array_extend(words, t->words);
	n = json_array_size(words);
	if (!dry && !mgmt_rpc_bool(a->call, "tell"))
		json_array_clear(words);
	result = json_pack("{s:b, s:I, s:o, s:o}", "applied", !dry, "nr_changes", (json_int_t)n,
			   "changes", words, "in_use", in_use_of(a));
	if (a->no_memory)
		mgmt_rpc_warn(a->call, "out of memory: not all of it was done; do it again");
	mgmt_rpc_reply(a->call, result);
}

static void apply_free(struct apply *a)
{
	mgmt_config_plan_free(a->plan);
	free(a);
}

static void fail(struct apply *a)
{
	mgmt_rpc_fail(a->call, MGMT_ERR_INVALID, a->where, "%s", a->sentence);
	apply_free(a);
}

/* --- 4: in one turn --------------------------------------------------- */

static void finished(struct apply *a)
{
	if (--a->waits)
		return;
	answer(a);
	apply_free(a);
}

static void published(void *arg)
{
	finished(arg);
}

static void flushed(void *arg, int err)
{
	struct apply *a = arg;

	if (err)
		mgmt_lun_update_flush_failed(a->call, err);
	finished(a);
}

static void close_done(void *arg)
{
	(void)arg;
	mgmt_lun_store_gone();
}

static void close_unused(struct mgmt_config_lun *l)
{
	if (l->lu)
		lu_close(l->lu, close_done, NULL);
	l->lu = NULL;
}

static void add_lun(struct apply *a, struct mgmt_config_lun *l, struct mgmt_target *t)
{
	struct mgmt_lun *new = l->lu ? mgmt_lun_new(t, l->spec.change.lun) : NULL;

	if (!l->lu)			/* its failure was to be ignored */
		return;
	if (new && mgmt_lun_create_publish(new, &l->spec, l->lu) == 0) {
		mgmt_lun_update_warn(a->call, l->lu, &l->spec.change);
		l->lu = NULL;
		return;
	}
	a->no_memory = true;
	if (new) {
		mgmt_lun_unlink(new);
		free(new);
	}
	close_unused(l);
}

static void change_lun(struct apply *a, const struct mgmt_config_lun *l)
{
	struct mgmt_lun_change c = l->spec.change;
	const bool wce = atomic_load(&l->present->lu->write_cache);

	if (c.write_cache == wce)
		c.write_cache = -1;
	if (mgmt_lun_update_now(l->present, &c) < 0) {
		a->no_memory = true;
		return;
	}
	mgmt_lun_update_tell(l->present, l->news);
	mgmt_lun_update_warn(a->call, l->present->lu, &c);
	if (c.write_cache)
		return;
	a->waits++;
	mgmt_lun_cache_flush(l->present->lu, flushed, a);
}

static void publish_alua(struct apply *a, struct mgmt_config_target *t, struct mgmt_target *to)
{
	if (!t->alua)
		return;
	a->waits++;
	if (scsi_alua_publish(to->scsi, t->alua, &t->alua_change, published, a) < 0) {
		a->no_memory = true;
		a->waits--;
	}
	t->alua = NULL;
}

static void change_target(struct apply *a, struct mgmt_config_target *t)
{
	struct mgmt_target *to = t->present;

	if (t->step == MGMT_CONFIG_NEW && mgmt_target_new(t->name, t->tid, &to) < 0) {
		a->no_memory = true;
		FOR_EACH_LUN(l, t)
			close_unused(l);
		return;
	}
	FOR_EACH_LUN(l, t) {
		if (is_opened(l))
			add_lun(a, l, to);
		else if (l->step == MGMT_CONFIG_CHANGE)
			change_lun(a, l);
	}
	publish_alua(a, t, to);		/* has states of LUNs that are there only */
	/* Last: it lets initiators in. */
	if (t->config) {
		atomic_store(&to->scsi->offline, t->config->offline);
		iscsi_target_publish(to->iscsi, t->config);
		t->config = NULL;
	}
}

static void set_system(const struct apply *a)
{
	char number[MGMT_SCALAR_BYTES];
	struct mgmt_fault unused;
	const char *name;
	json_t *v;

	json_object_foreach(json_object_get(a->plan->state, "system"), name, v) {
		mgmt_system_set(name, mgmt_fields_scalar(v, number), true, &unused);
	}
}

static void make_it_so(struct apply *a)
{
	a->waits = 1;
	a->no_memory |= !mgmt_config_access_begin(a->plan);
	FOR_EACH_TARGET(t, a)
		if (is_acted_on(t) && t->step != MGMT_CONFIG_GONE)
			change_target(a, t);
	a->no_memory |= !mgmt_config_access_end(a->plan);
	set_system(a);
	finished(a);
}

/* --- 3: what goes ----------------------------------------------------- */

static void close_all_unused(const struct apply *a, bool of_all)
{
	FOR_EACH_TARGET(t, a)
		if (of_all || t->in_use)
			FOR_EACH_LUN(l, t)
				close_unused(l);
}

static bool ends(struct apply *a)
{
	if (mgmt_system_ends())
		snprintf(a->sentence, sizeof(a->sentence), "this tgtd is ending");
	return mgmt_system_ends();
}

static void went(struct apply *a)
{
	if (--a->waits)
		return;
	if (ends(a)) {			/* nothing of the plan need be there any more */
		close_all_unused(a, true);
		fail(a);
		return;
	}
	make_it_so(a);
}

static void target_left(void *arg, unsigned int stuck)
{
	struct apply *a = arg;

	if (stuck)
		mgmt_rpc_warn(a->call, "%u stores have not closed within %d s: they are closed as soon as they answer",
			      stuck, MGMT_LUN_CLOSE_MS / 1000);
	went(a);
}

static void lun_left(void *arg, bool closed)
{
	target_left(arg, !closed);
}

static void remove_lun(struct apply *a, struct mgmt_config_lun *l)
{
	a->waits++;
	if (mgmt_lun_remove(l->present, lun_left, a) == 0)
		return;
	a->waits--;
	a->no_memory = true;
	close_unused(l);		/* the old one stays */
}

static void remove_what_goes(struct apply *a)
{
	a->waits = 1;
	FOR_EACH_TARGET(t, a) {
		if (!is_acted_on(t))
			continue;
		if (t->present && t->step != MGMT_CONFIG_CHANGE) {
			a->waits++;
			mgmt_target_remove(t->present, target_left, a);
			continue;
		}
		FOR_EACH_LUN(l, t)
			if (l->step == MGMT_CONFIG_GONE ||
			    (l->step == MGMT_CONFIG_REPLACE && l->lu))
				remove_lun(a, l);
	}
	went(a);
}

/* --- 2: stores and portals -------------------------------------------- */

static void note_failure(struct apply *a, const struct mgmt_config_lun *l, const char *why)
{
	const struct mgmt_config_target *t = l->target;
	char sentence[768];

	snprintf(sentence, sizeof(sentence), "target %s: LUN %" PRIu64 ": %s", t->name,
		 l->spec.change.lun, why);
	if (a->ignore_errors) {
		mgmt_rpc_warn(a->call, "left out: %s", sentence);
		return;
	}
	if (!a->failed) {
		memcpy(a->sentence, sentence, sizeof(sentence));
		snprintf(a->where, sizeof(a->where), "state.targets[%u].luns[%u].path", t->index,
			 l->index);
	}
	a->failed = true;
}

/* In use meanwhile, or at its end: the daemon may have changed while stores opened. */
static bool still_possible(struct apply *a)
{
	struct mgmt_fault f;

	if (ends(a))
		return false;
	if (!mgmt_config_plan_is_valid(a->plan)) {
		snprintf(a->sentence, sizeof(a->sentence),
			 "a logical unit went meanwhile; try again");
		return false;
	}
	if (mgmt_config_plan_mark_in_use(a->plan, &f) < 0) {
		memcpy(a->sentence, f.sentence, sizeof(a->sentence));
		text_copy(a->where, sizeof(a->where), f.where);
		return false;
	}
	if (mgmt_config_access_open_portals(a->plan, a->sentence, sizeof(a->sentence)) < 0) {
		snprintf(a->where, sizeof(a->where), "state.portals");
		return false;
	}
	return true;
}

static void all_opened(struct apply *a)
{
	if (a->failed || !still_possible(a)) {
		close_all_unused(a, true);
		fail(a);
		return;
	}
	close_all_unused(a, false);
	remove_what_goes(a);
}

static void opened(void *arg, struct lu *lu, int err, const char *why)
{
	struct opening *o = arg;
	struct apply *a = o->apply;

	o->lun->lu = lu;
	if (err < 0) {
		note_failure(a, o->lun, why);
		mgmt_lun_store_gone();
	}
	free(o);
	if (!--a->waits)
		all_opened(a);
}

static void open_store(struct apply *a, struct mgmt_config_lun *l)
{
	struct opening *o = malloc(sizeof(*o));
	char why[512] = "out of memory";
	int err = -ENOMEM;

	if (o) {
		*o = (struct opening){ a, l };
		a->waits++;
		mgmt_lun_store_new();
		err = lu_open(&l->spec.open, &l->spec.change.id,
			      l->spec.change.atomic_bytes, why, sizeof(why), opened, o);
	}
	if (err < 0) {
		note_failure(a, l, why);
		if (o) {
			a->waits--;
			mgmt_lun_store_gone();
		}
		free(o);
	}
}

static void open_stores(struct apply *a)
{
	a->waits = 1;			/* ours, until all are on their way */
	FOR_EACH_TARGET(t, a) {
		if (!is_acted_on(t))
			continue;
		FOR_EACH_LUN(l, t)
			if (is_opened(l))
				open_store(a, l);
	}
	if (!--a->waits)
		all_opened(a);
}

/* --- the call --------------------------------------------------------- */

void mgmt_config_apply(struct mgmt_call *call)
{
	struct mgmt_fault fault;
	struct apply *a;

	if (!mgmt_system_accepts(call))
		return;
	a = calloc(1, sizeof(*a));
	if (!a) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot apply a configuration");
		return;
	}
	a->call = call;
	a->ignore_errors = mgmt_rpc_bool(call, "ignore_errors");
	if (mgmt_config_plan_new(mgmt_rpc_json(call, "state"), mgmt_rpc_json(call, "only"),
				 mgmt_rpc_bool(call, "force"), mgmt_rpc_bool(call, "keep"),
				 &a->plan, &fault) < 0) {
		mgmt_rpc_fail(call, fault.error, *fault.where ? fault.where : fault.field, "%s",
			      fault.sentence);
		free(a);
		return;
	}
	if (mgmt_rpc_bool(call, "dry_run")) {
		answer(a);
		apply_free(a);
		return;
	}
	mgmt_rpc_alone(call);
	open_stores(a);
}
