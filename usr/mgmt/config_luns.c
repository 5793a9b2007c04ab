/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_luns.c - see config_luns.h. */
#include "mgmt/config_luns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/macros.h"
#include "lu/lu.h"
#include "mgmt/config.h"
#include "mgmt/config_fault.h"
#include "mgmt/config_plan.h"
#include "mgmt/config_target.h"
#include "mgmt/config_words.h"
#include "mgmt/lun.h"
#include "mgmt/lun_update.h"
#include "mgmt/target.h"
#include "scsi/device_type.h"

/* Members of a LUN that belong to its store: another value is another store. */
static const char *const store_members[] = { "path",	 "bstype",    "bsopts",
					     "bsoflags", "blocksize", "device_type" };

/* Another identity has other reservations, and atomic writes a journal: what is found
 * when the store is opened. */
static const char *const opening_params[] = { "tgt_ids", "scsi_id", "atomic_write" };

/* Parameters that a session sees as another disk, or as errors. */
static const char *const felt_params[] = { "scsi_sn", "readonly", "online" };

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
		json_array_get(json_object_get(mgmt_config_target_wanted(t), "luns"), l->index), "lun"));
	snprintf(member, sizeof(member), "luns[%u].%.120s", l->index,
		 *inner->where ? inner->where : inner->field ? inner->field : "lun");
	return mgmt_config_fault_target(f, t, member, "LUN %" PRIu64 ": %s", lun, inner->sentence);
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
	    differ_in(p, q, opening_params, ARRAY_SIZE(opening_params)) ||
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

int mgmt_config_luns_check_settled(const struct mgmt_config_target *t, struct mgmt_fault *f)
{
	const struct mgmt_lun *l;

	list_for_each(l, &t->present->luns, node)
		if (l->state != MGMT_LUN_READY)
			return mgmt_config_fault(f, "state.targets",
						 "target %s: LUN %" PRIu64
						 " is being %s; try again when it is",
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

int mgmt_config_luns_plan(struct mgmt_config_target *t, const json_t *in, struct mgmt_fault *f)
{
	const json_t *luns = json_object_get(in, "luns"), *v;
	const size_t n = json_array_size(luns);
	uint64_t *numbers;
	size_t i;
	int err = 0;

	if (!luns && t->present && t->step == MGMT_CONFIG_NEW)
		return mgmt_config_fault_target(f, t, "luns",
						"its number changes: then 'luns' must be given");
	if (!luns)
		return 0;
	numbers = calloc(n + 1, sizeof(*numbers));
	t->luns = calloc(n + count_present(t) + 1, sizeof(*t->luns));
	if (!numbers || !t->luns) {
		free(numbers);
		return mgmt_config_fault_no_memory(f);
	}
	json_array_foreach(luns, i, v) {
		numbers[i] = (uint64_t)json_integer_value(json_object_get(v, "lun"));
	}
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	for (i = 1; i < n && !err; i++)
		if (numbers[i] == numbers[i - 1])
			err = mgmt_config_fault_target(f, t, "luns", "LUN %" PRIu64 " is there twice",
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
