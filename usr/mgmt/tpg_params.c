/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/tpg_params.c - see tpg_params.h.  Values come as text (as tgtadm sends them), as
 * numbers or as booleans.
 */
#include "mgmt/tpg_params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "mgmt/rpc.h"
#include "scsi/alua.h"

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

const char *mgmt_tpg_params_state(uint8_t state)
{
	return word_of(states, state);
}

const char *mgmt_tpg_params_kind(uint8_t tpgs)
{
	return word_of(kinds, tpgs);
}

const char *mgmt_tpg_params_change(uint8_t status)
{
	return word_of(changes, status);
}

int mgmt_tpg_params_parse_state(const char *word, uint8_t *ret_state)
{
	return value_of(states, word, ret_state);
}

/* --- values ----------------------------------------------------------- */

static int set_state(struct mgmt_tpg_edit *e, const char *value)
{
	e->state_given = true;
	return value_of(states, value, &e->state);
}

static int set_kind(struct mgmt_tpg_edit *e, const char *value)
{
	return value_of(kinds, value, &e->g->tpgs);
}

static int set_preferred(struct mgmt_tpg_edit *e, const char *value)
{
	return parse_bool(value, &e->g->preferred);
}

static int set_transition(struct mgmt_tpg_edit *e, const char *value)
{
	uint64_t n;

	if (parse_u64(value, 0, UINT8_MAX, &n) < 0)
		return -EINVAL;
	e->g->transition_s = (uint8_t)n;
	return 0;
}

static int set_failed(struct mgmt_tpg_edit *e, const char *value)
{
	return parse_bool(value, &e->failed);
}

/* The first port= replaces those that the group had. */
static int set_port(struct mgmt_tpg_edit *e, const char *value)
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
	int (*set)(struct mgmt_tpg_edit *e, const char *value);	/* -EEXIST: e->why tells */
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

const char *mgmt_tpg_params_name(unsigned int n, const char **ret_range,
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

static int set_one(struct mgmt_tpg_edit *e, const struct param *p, const json_t *v)
{
	char number[MGMT_SCALAR_BYTES];
	const int err = p->set(e, mgmt_fields_scalar(v, number));

	if (err && err != -EEXIST)
		snprintf(e->why, sizeof(e->why), "parameter '%s' must be one of: %s",
			 p->name, p->range);
	return err;
}

static int set_param(struct mgmt_tpg_edit *e, const char *name, const json_t *v, bool of_lun)
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

int mgmt_tpg_params_set(struct mgmt_tpg_edit *e, const json_t *values, bool of_lun)
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

int mgmt_tpg_params_add(struct mgmt_tpg_edit *e, struct scsi_alua *a, uint16_t id, const json_t *values)
{
	struct scsi_alua_group g = { .id = id, .tpgs = SCSI_ALUA_IMPLICIT };
	char own[8];
	int err;

	*e = (struct mgmt_tpg_edit){ .g = &g, .all = a };
	err = mgmt_tpg_params_set(e, values, false);
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
