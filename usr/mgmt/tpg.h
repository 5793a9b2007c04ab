/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/tpg.h - target port groups, and the access states of logical units through
 * them (ALUA). */
#pragma once

#include <jansson.h>
#include <stddef.h>

struct mgmt_call;
struct scsi_alua;

void mgmt_tpg_create(struct mgmt_call *call);
void mgmt_tpg_delete(struct mgmt_call *call);
void mgmt_tpg_list(struct mgmt_call *call);
void mgmt_tpg_update(struct mgmt_call *call);

/* The groups as config.get tells them; @a may be NULL. */
json_t *mgmt_tpg_config(const struct scsi_alua *a);
/* Groups of that form, to publish or to free().  -ENOMEM, -EINVAL, with a sentence. */
int mgmt_tpg_parse(const json_t *groups, struct scsi_alua **ret_a, char *why, size_t why_bytes);
