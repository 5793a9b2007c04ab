/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config_plan.h - what would have to be done to make a wanted state true: all
 * of it is checked and built here, and nothing is touched.
 *
 * Threads: control.  A plan borrows the state that it was made of.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "mgmt/fields.h"
#include "mgmt/lun_create.h"
#include "scsi/alua.h"

struct iscsi_accounts;
struct iscsi_target_config;
struct mgmt_config_plan;
struct mgmt_config_target;
struct mgmt_lun;
struct mgmt_target;

enum mgmt_config_step {
	MGMT_CONFIG_KEEP,
	MGMT_CONFIG_NEW,	/* a target: after the removal of .present, if any */
	MGMT_CONFIG_CHANGE,	/* as it stands */
	MGMT_CONFIG_REPLACE,	/* a LUN: with another store */
	MGMT_CONFIG_GONE,
};

struct mgmt_config_lun {
	enum mgmt_config_step step;
	struct mgmt_config_target *target;
	unsigned int index;		/* in the wanted state */
	uint64_t lun;
	struct mgmt_lun_spec spec;	/* not of GONE */
	struct mgmt_lun *present;	/* NULL: NEW */
	unsigned int news;		/* CHANGE: for initiators */

	/* config_apply.c: NEW and REPLACE. */
	struct lu *lu;			/* opened and not yet anybody's */
};

struct mgmt_config_target {
	enum mgmt_config_step step;
	struct mgmt_config_plan *plan;
	unsigned int index;		/* in the wanted state; not of GONE */
	int tid;
	const char *name;		/* not of GONE, which has .present */
	struct mgmt_target *present;	/* NULL: there is none */
	int present_tid;
	struct iscsi_target_config *config;	/* to publish; NULL: stays */
	struct scsi_alua *alua;			/* idem */
	struct scsi_alua_change alua_change;
	struct mgmt_config_lun *luns;
	unsigned int nr_luns;
	json_t *words;			/* array of sentences: what is different */
	bool felt;			/* by sessions, as an error or as a loss */
	bool in_use;			/* so it is left alone: felt, has sessions, no force */
};

struct mgmt_config_plan {
	const json_t *state;		/* borrowed */
	bool force, keep;
	struct mgmt_config_target *targets;	/* wanted ones first, then GONE */
	unsigned int nr_targets;
	json_t *words;			/* what is different beside the targets */
	struct mgmt_config_names {
		json_t *wanted, *only;	/* objects: name to its index */
	} names;

	/* Accounts, portals: arrays of what to do; texts. */
	json_t *new_accounts, *new_passwords, *old_accounts;	/* user and password; user */
	json_t *new_portals, *old_portals;	/* of portal and tpgt */
	bool old_portals_closed;
	bool set_discovery;
	struct iscsi_accounts *discovery;	/* to publish, if set_discovery */
};

/*
 * Compare @state, which has been checked against mgmt_config_state_fields, with what is.
 * @only: an array of names of targets, of which alone it tells (NULL: of all).  @keep:
 * accounts and portals that it does not have stay.
 * -EINVAL or -ENOMEM: *ret_fault says what is wrong and where.
 */
int mgmt_config_plan_new(const json_t *state, const json_t *only, bool force, bool keep,
			 struct mgmt_config_plan **ret_plan, struct mgmt_fault *ret_fault);
void mgmt_config_plan_free(struct mgmt_config_plan *p);	/* accepts NULL */

/* Mark targets that must not be touched, for their sessions; -EINVAL: what shall be
 * made needs the number of one of them. */
int mgmt_config_plan_mark_in_use(struct mgmt_config_plan *p, struct mgmt_fault *ret_fault);

/* Whether all that it was made against is there still: a lun.delete that had begun before
 * may end later. */
bool mgmt_config_plan_is_valid(const struct mgmt_config_plan *p);
