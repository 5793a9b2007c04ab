/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/tpg.h - target port groups, and the access states of logical units through
 * them (ALUA). */
#pragma once

struct mgmt_call;

void mgmt_tpg_create(struct mgmt_call *call);
void mgmt_tpg_delete(struct mgmt_call *call);
void mgmt_tpg_list(struct mgmt_call *call);
void mgmt_tpg_update(struct mgmt_call *call);

/* Rows for the documentation, until NULL. */
const char *mgmt_tpg_param_name(unsigned int n, const char **ret_range,
				const char **ret_help);
