/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/tpg_config.c - target port groups as they are told: to tpg.list, and as a part of
 * a configuration, which is read again. */
#include "mgmt/tpg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "mgmt/rpc.h"
#include "mgmt/target.h"
#include "mgmt/tpg_params.h"
#include "scsi/alua.h"

static json_t *ports_of(const struct scsi_alua_group *g)
{
	json_t *ports = json_array();

	for (unsigned int i = 0; i < g->nr_ports; i++)
		json_array_append_new(ports, json_integer(g->port[i]));
	return ports;
}

static json_t *config_lun(const struct scsi_alua_exception *x)
{
	return json_pack("{s:I, s:s}", "lun", (json_int_t)x->lun, "state",
			 mgmt_tpg_params_state(x->access.state));
}

/* The logical units whose state is not that of @g, each told by @tell. */
static json_t *luns_of(const struct scsi_alua *a, const struct scsi_alua_group *g,
		       json_t *(*tell)(const struct scsi_alua_exception *x))
{
	json_t *luns = json_array();

	for (unsigned int i = 0; i < a->nr_exceptions; i++)
		if (a->exception[i].group == g->id)
			json_array_append_new(luns, tell(&a->exception[i]));
	return luns;
}

/* --- list ------------------------------------------------------------- */

static json_t *describe_lun(const struct scsi_alua_exception *x)
{
	json_t *lun = config_lun(x);

	json_object_set_new(lun, "changed_by",
			    json_string(mgmt_tpg_params_change(x->access.status)));
	return lun;
}

static json_t *describe(const struct scsi_alua *a, const struct scsi_alua_group *g)
{
	return json_pack("{s:i, s:s, s:s, s:b, s:s, s:i, s:o, s:o}", "tpg", (int)g->id, "state",
			 mgmt_tpg_params_state(g->access.state), "changed_by",
			 mgmt_tpg_params_change(g->access.status), "preferred", (int)g->preferred,
			 "alua", mgmt_tpg_params_kind(g->tpgs), "transition_time",
			 (int)g->transition_s, "ports", ports_of(g), "luns",
			 luns_of(a, g, describe_lun));
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
	return json_pack("{s:i, s:{s:s, s:o, s:i, s:i, s:s}, s:o}", "tpg", (int)g->id, "params",
			 "alua", mgmt_tpg_params_kind(g->tpgs), "port", ports_of(g), "preferred",
			 (int)g->preferred, "transition_time", (int)g->transition_s, "state",
			 mgmt_tpg_params_state(g->access.state), "luns",
			 luns_of(a, g, config_lun));
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

		if (mgmt_tpg_params_parse_state(word, &access.state) < 0) {
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
	struct mgmt_tpg_edit e;
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

		err = mgmt_tpg_params_add(&e, a, id, json_object_get(v, "params"));
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
