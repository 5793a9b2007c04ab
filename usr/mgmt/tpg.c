/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/tpg.c - a changed copy of the target's groups is published; the call is
 * answered when every reactor works by it.
 *
 * Values come as text (as tgtadm sends them), as numbers or as booleans.  All of
 * them are checked before any takes effect.
 */
#include "mgmt/tpg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/target.h"

struct edit {
	struct scsi_alua_group *g;
	const struct scsi_alua *all;
	uint8_t state;			/* if state_given */
	bool state_given, ports_given, failed;
	char why[160];
};

struct word {
	const char *word;
	uint8_t value;
};

static const struct word states[] = {
	{ "active_optimized", SCSI_ALUA_OPTIMIZED },
	{ "active_nonoptimized", SCSI_ALUA_NON_OPTIMIZED },
	{ "standby", SCSI_ALUA_STANDBY },
	{ "unavailable", SCSI_ALUA_UNAVAILABLE },
	{ "offline", SCSI_ALUA_OFFLINE },
	{ "transitioning", SCSI_ALUA_TRANSITIONING },
	{ NULL }
};

static const struct word kinds[] = {
	{ "implicit", SCSI_ALUA_IMPLICIT },
	{ "explicit", SCSI_ALUA_EXPLICIT },
	{ "both", SCSI_ALUA_IMPLICIT | SCSI_ALUA_EXPLICIT },
	{ NULL }
};

static const struct word changes[] = {
	{ "none", SCSI_ALUA_NO_CHANGE },
	{ "explicit", SCSI_ALUA_BY_INITIATOR },
	{ "implicit", SCSI_ALUA_BY_TARGET },
	{ NULL }
};

static const char *word_of(const struct word *w, uint8_t value)
{
	while (w->word && w->value != value)
		w++;
	return w->word ? w->word : "unknown";
}

static int value_of(const struct word *w, const char *word, uint8_t *ret)
{
	while (w->word && strcmp(w->word, word) != 0)
		w++;
	if (!w->word)
		return -EINVAL;
	*ret = w->value;
	return 0;
}

/* --- parameters ------------------------------------------------------- */

static int set_state(struct edit *e, const char *value)
{
	e->state_given = true;
	return value_of(states, value, &e->state);
}

static int set_kind(struct edit *e, const char *value)
{
	return value_of(kinds, value, &e->g->tpgs);
}

static int set_preferred(struct edit *e, const char *value)
{
	return parse_bool(value, &e->g->preferred);
}

static int set_transition(struct edit *e, const char *value)
{
	uint64_t n;

	if (parse_u64(value, 0, UINT8_MAX, &n) < 0)
		return -EINVAL;
	e->g->transition_s = (uint8_t)n;
	return 0;
}

static int set_failed(struct edit *e, const char *value)
{
	return parse_bool(value, &e->failed);
}

/* The first port= replaces those that the group had. */
static int set_port(struct edit *e, const char *value)
{
	const struct scsi_alua_group *other;
	uint64_t n;

	if (parse_u64(value, 1, UINT16_MAX, &n) < 0)
		return -EINVAL;
	if (!e->ports_given)
		e->g->nr_ports = 0;
	e->ports_given = true;
	/* Of its own ports, which may be in e->all, those that are given count. */
	other = scsi_alua_find_port(e->all, (uint16_t)n);
	if (other || e->g->nr_ports == SCSI_ALUA_PORTS_MAX) {
		if (other)
			snprintf(e->why, sizeof(e->why), "port %" PRIu64
				 " is in group %u already", n, other->id);
		else
			snprintf(e->why, sizeof(e->why), "a group has %d ports at most",
				 SCSI_ALUA_PORTS_MAX);
		return -EEXIST;
	}
	e->g->port[e->g->nr_ports++] = (uint16_t)n;
	return 0;
}

static const struct param {
	const char *name;
	int (*set)(struct edit *e, const char *value);	/* -EEXIST: e->why tells */
	bool of_lun;			/* goes with a lun */
	const char *range, *help;
} params[] = {
	{ "alua", set_kind, false, "implicit, explicit, both",
	  "who changes the state: management, initiators (SET TARGET PORT GROUPS), or both; default implicit" },
	{ "port", set_port, false, "1 to 65535, repeatable",
	  "portal groups (or ports of another daemon with the same logical units) that form the group; default: that of its number" },
	{ "preferred", set_preferred, false, "0, 1", "the PREF bit; default 0" },
	{ "transition_time", set_transition, false, "0 to 255",
	  "seconds that initiators shall allow for a transition; 0, the default: not told" },
	{ "state", set_state, true,
	  "active_optimized, active_nonoptimized, standby, unavailable, offline, transitioning",
	  "access state; default active_optimized" },
	{ "failed", set_failed, true, "0, 1",
	  "with state: a transition has failed, which initiators are told" },
};

const char *mgmt_tpg_param_name(unsigned int n, const char **ret_range,
				const char **ret_help)
{
	if (n >= ARRAY_SIZE(params))
		return NULL;
	*ret_range = params[n].range;
	*ret_help = params[n].help;
	return params[n].name;
}

static const struct param *find_param(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(params); i++)
		if (!strcmp(params[i].name, name))
			return &params[i];
	return NULL;
}

static int set_one(struct edit *e, const struct param *p, const json_t *v)
{
	char number[MGMT_SCALAR_BYTES];
	const int err = p->set(e, mgmt_fields_scalar(v, number));

	if (err && err != -EEXIST)
		snprintf(e->why, sizeof(e->why), "parameter '%s' must be one of: %s",
			 p->name, p->range);
	return err;
}

static int set_param(struct edit *e, const char *name, const json_t *v, bool of_lun)
{
	const struct param *p = find_param(name);
	const json_t *item;
	char quoted[48];
	size_t i;
	int err = 0;

	if (!p || (of_lun && !p->of_lun)) {
		snprintf(e->why, sizeof(e->why), "%s has no parameter '%s'",
			 p ? "a logical unit" : "a target port group",
			 text_quote(quoted, sizeof(quoted), name, strlen(name)));
		return -EINVAL;
	}
	if (!json_is_array(v))
		return set_one(e, p, v);
	json_array_foreach(v, i, item) {
		if (!err)
			err = set_one(e, p, item);
	}
	return err;
}

static int set_params(struct edit *e, const json_t *values, bool of_lun)
{
	const char *name;
	json_t *v;
	int err = 0;

	json_object_foreach((json_t *)values, name, v) {
		if (!err)
			err = set_param(e, name, v, of_lun);
	}
	if (!err && e->failed && !e->state_given) {
		snprintf(e->why, sizeof(e->why), "'failed' goes with 'state'");
		err = -EINVAL;
	}
	return err;
}

/* --- calls ------------------------------------------------------------ */

static uint16_t id_of(const struct mgmt_call *call)
{
	return (uint16_t)mgmt_rpc_int(call, "tpg", 0);
}

static void published(void *call)
{
	mgmt_rpc_reply(call, NULL);
}

static void publish(struct mgmt_call *call, const struct mgmt_target *t,
		    struct scsi_alua *a, const struct scsi_alua_change *change)
{
	const int err = scsi_alua_publish(t->scsi, a, change, published, call);

	if (err < 0)
		mgmt_rpc_fail_errno(call, err, "cannot change the target port groups");
}

/* A copy to change, or NULL after the call was failed. */
static struct scsi_alua *copy_for(struct mgmt_call *call, const struct mgmt_target *t)
{
	struct scsi_alua *a = t ? scsi_alua_copy(t->scsi) : NULL;

	if (t && !a)
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot copy the target port groups");
	return a;
}

static struct scsi_alua_group *group_for(struct mgmt_call *call, struct scsi_alua *a)
{
	const struct scsi_alua_group *g = scsi_alua_find(a, id_of(call));

	if (g)
		return &a->group[g - a->group];
	mgmt_rpc_fail(call, MGMT_ERR_INVALID, "tpg",
		      "the target has no target port group %u", id_of(call));
	return NULL;
}

/* Add group @id to @a; or an error and a sentence in e->why. */
static int add_group(struct edit *e, struct scsi_alua *a, uint16_t id, const json_t *values)
{
	struct scsi_alua_group g = { .id = id, .tpgs = SCSI_ALUA_IMPLICIT };
	char own[8];
	int err;

	*e = (struct edit){ .g = &g, .all = a };
	err = set_params(e, values, false);
	if (!err && !e->ports_given) {
		snprintf(own, sizeof(own), "%u", g.id);
		err = set_port(e, own);
	}
	if (err)
		return err;
	g.access.state = e->state;
	err = scsi_alua_add(a, &g);
	if (err)
		snprintf(e->why, sizeof(e->why), err == -EEXIST ?
			 "target port group %u exists already" :
			 "target port group %u is one too many", g.id);
	return err;
}

void mgmt_tpg_create(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const struct scsi_alua_change change = { .code = SCSI_SENSE_ACCESS_STATE_CHANGED,
						 .inquiry = true };
	struct scsi_alua *a = copy_for(call, t);
	struct edit e;

	if (!a)
		return;
	if (add_group(&e, a, id_of(call), mgmt_rpc_pairs(call, "params"))) {
		free(a);
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "params", "%s", e.why);
		return;
	}
	publish(call, t, a, &change);
}

void mgmt_tpg_delete(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const struct scsi_alua_change change = { .code = SCSI_SENSE_ACCESS_STATE_CHANGED,
						 .inquiry = true };
	struct scsi_alua *a = copy_for(call, t);
	struct scsi_alua_group *g = a ? group_for(call, a) : NULL;

	if (!g) {
		free(a);
		return;
	}
	scsi_alua_remove(a, g);
	publish(call, t, a, &change);
}

/* What is set to what it was is no news. */
static bool differs(const struct scsi_alua *a, const struct scsi_alua_group *before,
		    const struct scsi_alua_group *g, unsigned int nr_exceptions,
		    struct scsi_alua_change *change)
{
	change->inquiry = before->tpgs != g->tpgs || before->nr_ports != g->nr_ports ||
			  memcmp(before->port, g->port, sizeof(g->port)) != 0;
	return change->inquiry || before->preferred != g->preferred ||
	       before->transition_s != g->transition_s ||
	       before->access.state != g->access.state ||
	       a->nr_exceptions != nr_exceptions;
}

/* One logical unit. */
static bool update_lun(struct scsi_alua *a, const struct edit *e, uint64_t lun)
{
	const struct scsi_alua_access now = scsi_alua_access(a, e->g, lun);

	if (now.state == e->state && !e->failed)
		return false;
	scsi_alua_set_lun(a, e->g, lun, (struct scsi_alua_access){
			  e->state, SCSI_ALUA_BY_TARGET });
	return true;
}

static bool update_group(struct scsi_alua *a, struct edit *e,
			 const struct scsi_alua_group *before, struct scsi_alua_change *change)
{
	const unsigned int nr_exceptions = a->nr_exceptions;

	if (e->state_given)
		scsi_alua_set(a, e->g, (struct scsi_alua_access){
			      e->state, e->state == before->access.state && !e->failed ?
						before->access.status :
						SCSI_ALUA_BY_TARGET });
	return differs(a, before, e->g, nr_exceptions, change) || e->failed;
}

static int check_lun(struct edit *e, const struct mgmt_target *t, int64_t lun)
{
	struct scsi_device *dev = scsi_target_find_lun(t->scsi, (uint64_t)lun);
	const bool usable = dev && dev->lu;

	scsi_device_put(dev);
	if (usable && e->state_given)
		return 0;
	snprintf(e->why, sizeof(e->why), usable ? "a logical unit needs a state" :
		 "the target has no logical unit %" PRId64 " with a medium", lun);
	return -EINVAL;
}

/* By its kind the group changes at the wish of initiators only. */
static int check_kind(struct edit *e)
{
	if (!e->state_given || e->g->tpgs & SCSI_ALUA_IMPLICIT)
		return 0;
	snprintf(e->why, sizeof(e->why), "initiators alone change the state of group %u "
		 "(alua=explicit); set alua=both to change it here", e->g->id);
	return -EINVAL;
}

void mgmt_tpg_update(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const bool of_lun = mgmt_rpc_has(call, "lun");
	const int64_t lun = mgmt_rpc_int(call, "lun", 0);
	struct scsi_alua_change change = { .one_lun = of_lun, .lun = (uint64_t)lun };
	struct scsi_alua *a = copy_for(call, t);
	struct scsi_alua_group *g = a ? group_for(call, a) : NULL;
	struct edit e = { .g = g, .all = a };
	struct scsi_alua_group before;
	int err;

	if (!g) {
		free(a);
		return;
	}
	before = *g;
	err = set_params(&e, mgmt_rpc_pairs(call, "params"), of_lun);
	if (!err)
		err = of_lun ? check_lun(&e, t, lun) : 0;
	if (!err)
		err = check_kind(&e);
	if (err) {
		free(a);
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "params", "%s", e.why);
		return;
	}
	change.code = e.failed ? SCSI_SENSE_ACCESS_STATE_TRANSITION_FAILED :
				 SCSI_SENSE_ACCESS_STATE_CHANGED;
	if (of_lun ? !update_lun(a, &e, (uint64_t)lun) :
		     !update_group(a, &e, &before, &change)) {
		free(a);
		mgmt_rpc_reply(call, NULL);
		return;
	}
	publish(call, t, a, &change);
}

/* --- list ------------------------------------------------------------- */

static json_t *describe(const struct scsi_alua *a, const struct scsi_alua_group *g)
{
	json_t *ports = json_array(), *luns = json_array();

	for (unsigned int i = 0; i < g->nr_ports; i++)
		json_array_append_new(ports, json_integer(g->port[i]));
	for (unsigned int i = 0; i < a->nr_exceptions; i++) {
		const struct scsi_alua_exception *x = &a->exception[i];

		if (x->group == g->id)
			json_array_append_new(luns, json_pack("{s:I, s:s, s:s}", "lun",
				(json_int_t)x->lun, "state", word_of(states, x->access.state),
				"changed_by", word_of(changes, x->access.status)));
	}
	return json_pack("{s:i, s:s, s:s, s:b, s:s, s:i, s:o, s:o}", "tpg", (int)g->id, "state",
			 word_of(states, g->access.state), "changed_by",
			 word_of(changes, g->access.status), "preferred", (int)g->preferred,
			 "alua", word_of(kinds, g->tpgs), "transition_time",
			 (int)g->transition_s, "ports", ports, "luns", luns);
}

void mgmt_tpg_list(struct mgmt_call *call)
{
	const struct mgmt_target *t = mgmt_target_of(call);
	const struct scsi_alua *a;
	json_t *groups;

	if (!t)
		return;
	a = scsi_alua_of(t->scsi);
	groups = json_array();
	for (unsigned int i = 0; a && i < a->nr_groups; i++)
		json_array_append_new(groups, describe(a, &a->group[i]));
	mgmt_rpc_reply(call, json_pack("{s:o}", "groups", groups));
}

/* --- a whole configuration -------------------------------------------- */

static json_t *config_of(const struct scsi_alua *a, const struct scsi_alua_group *g)
{
	json_t *ports = json_array(), *luns = json_array();

	for (unsigned int i = 0; i < g->nr_ports; i++)
		json_array_append_new(ports, json_integer(g->port[i]));
	for (unsigned int i = 0; i < a->nr_exceptions; i++) {
		const struct scsi_alua_exception *x = &a->exception[i];

		if (x->group == g->id)
			json_array_append_new(luns, json_pack("{s:I, s:s}", "lun",
				(json_int_t)x->lun, "state", word_of(states, x->access.state)));
	}
	return json_pack("{s:i, s:{s:s, s:o, s:i, s:i, s:s}, s:o}", "tpg", (int)g->id, "params",
			 "alua", word_of(kinds, g->tpgs), "port", ports, "preferred",
			 (int)g->preferred, "transition_time", (int)g->transition_s, "state",
			 word_of(states, g->access.state), "luns", luns);
}

json_t *mgmt_tpg_config(const struct scsi_alua *a)
{
	json_t *groups = json_array();

	for (unsigned int i = 0; a && i < a->nr_groups; i++)
		json_array_append_new(groups, config_of(a, &a->group[i]));
	return groups;
}

static int parse_exceptions(struct scsi_alua *a, const struct scsi_alua_group *g,
			    const json_t *luns, char *why, size_t why_bytes)
{
	struct scsi_alua_access access = { .status = SCSI_ALUA_BY_TARGET };
	const json_t *v;
	size_t i;

	json_array_foreach(luns, i, v) {
		const char *word = json_string_value(json_object_get(v, "state"));

		if (value_of(states, word, &access.state) < 0) {
			snprintf(why, why_bytes, "target port group %u: a logical unit has no state '%s'",
				 g->id, word);
			return -EINVAL;
		}
		scsi_alua_set_lun(a, g, (uint64_t)json_integer_value(json_object_get(v, "lun")),
				  access);
	}
	return 0;
}

int mgmt_tpg_parse(const json_t *groups, struct scsi_alua **ret_a, char *why, size_t why_bytes)
{
	unsigned int room = 0;
	struct scsi_alua *a;
	struct edit e;
	const json_t *v;
	size_t i;
	int err = 0;

	json_array_foreach(groups, i, v) {
		room += (unsigned int)json_array_size(json_object_get(v, "luns"));
	}
	a = scsi_alua_new(room);
	if (!a) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	json_array_foreach(groups, i, v) {
		const uint16_t id = (uint16_t)json_integer_value(json_object_get(v, "tpg"));

		err = add_group(&e, a, id, json_object_get(v, "params"));
		if (err)
			snprintf(why, why_bytes, "target port group %u: %s", id, e.why);
		else
			err = parse_exceptions(a, scsi_alua_find(a, id),
					       json_object_get(v, "luns"), why, why_bytes);
		if (err) {
			free(a);
			return -EINVAL;
		}
	}
	*ret_a = a;
	return 0;
}
