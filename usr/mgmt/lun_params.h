/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_params.h - the parameters of a logical unit that a user may set
 * (tgtadm --params): one table of names, kinds, ranges, and of what initiators
 * are told when they change.
 *
 * A change is a copy: every parameter is checked and set in it before any of
 * them takes effect.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "lu/identity.h"
#include "lu/qos.h"
#include "mgmt/fields.h"
#include "scsi/device.h"

struct lu;

struct mgmt_lun_change {
	/* In: as it is.  Out: as it shall be. */
	struct scsi_device_config config;
	struct lu_identity id;
	int write_cache;		/* -1: as the store does by itself */
	struct lu_qos_limits limits;
	uint32_t atomic_bytes;		/* lu_atomic_bytes() */
	bool resize;			/* out: look at the store anew, */
	uint64_t size_bytes;		/* and show that much of it (0: all) */

	const char *path;		/* out: another medium ("": none); NULL: as it is */

	bool pr_clear;			/* an order, not a state */

	/* For tgt_ids. */
	const char *target_name;
	int tid;
	uint64_t lun;

	/* Out: BIT() of enum mgmt_lun_news. */
	unsigned int news;
	char warning[192];		/* "": none */
};

/* What has changed, and so which unit attention is due. */
enum mgmt_lun_news {
	MGMT_LUN_NEWS_INQUIRY,
	MGMT_LUN_NEWS_MODE,
	MGMT_LUN_NEWS_CAPACITY,
	MGMT_LUN_NEWS_MEDIUM,
	MGMT_LUN_NEWS_NR,
	MGMT_LUN_NEWS_NONE = MGMT_LUN_NEWS_NR
};

/* Set @values in @c.  -EINVAL: *ret_fault says why, and @c is of no use. */
int mgmt_lun_params_set(struct mgmt_lun_change *c, const json_t *values,
			struct mgmt_fault *ret_fault);

/* What differs from a new logical unit, as mgmt_lun_params_set() takes it; the
 * caller's.  write_cache -1: as the store does by itself. */
json_t *mgmt_lun_params_get(const struct mgmt_lun_change *c);
/* What initiators are to be told when the one becomes the other, both of the
 * function above: BIT() of enum mgmt_lun_news. */
unsigned int mgmt_lun_params_news(const json_t *before, const json_t *after);

/* Rows for the documentation, until NULL. */
const char *mgmt_lun_params_name(unsigned int n, const char **ret_range,
				 const char **ret_help);
