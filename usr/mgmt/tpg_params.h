/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/tpg_params.h - the parameters of a target port group: their words, and setting
 * them in a copy of the target's groups. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct scsi_alua;
struct scsi_alua_group;

struct mgmt_tpg_edit {			/* zeroed, but for the first two */
	struct scsi_alua_group *g;
	const struct scsi_alua *all;
	uint8_t state;			/* if state_given */
	bool state_given, ports_given, failed;
	char why[160];
};

/* What @values, an object, say to e->g; @of_lun: what goes for a logical unit only.  An
 * error: a sentence is in e->why. */
int mgmt_tpg_params_set(struct mgmt_tpg_edit *e, const json_t *values, bool of_lun);
/* Add group @id to @a; @e is filled here.  Errors likewise. */
int mgmt_tpg_params_add(struct mgmt_tpg_edit *e, struct scsi_alua *a, uint16_t id,
			const json_t *values);

const char *mgmt_tpg_params_state(uint8_t state);
const char *mgmt_tpg_params_kind(uint8_t tpgs);
const char *mgmt_tpg_params_change(uint8_t status);
int mgmt_tpg_params_parse_state(const char *word, uint8_t *ret_state);	/* -EINVAL */

/* Rows for the documentation, until NULL. */
const char *mgmt_tpg_params_name(unsigned int n, const char **ret_range,
				 const char **ret_help);
