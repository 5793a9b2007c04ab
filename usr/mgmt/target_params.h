/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/target_params.h - target.get and target.update: the iSCSI keys and what
 * tgtadm sets beside them.  Threads: control. */
#pragma once

#include <jansson.h>
#include <stddef.h>

struct iscsi_target_config;
struct mgmt_call;

/* Set one, of those that target.update takes.  -EINVAL or -ENOMEM, with a sentence. */
int mgmt_target_params_set(struct iscsi_target_config *c, const char *name,
			   const char *value, char *why, size_t why_bytes);
/* An object: what the function above needs to make a new config the same, but for the
 * state. */
json_t *mgmt_target_params_config(const struct iscsi_target_config *c);

void mgmt_target_params_get(struct mgmt_call *call);
void mgmt_target_params_update(struct mgmt_call *call);
