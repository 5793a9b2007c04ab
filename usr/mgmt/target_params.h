/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/target_params.h - target.get and target.update: the iSCSI keys and what
 * tgtadm sets beside them.  Threads: control. */
#pragma once

struct mgmt_call;

void mgmt_target_params_get(struct mgmt_call *call);
void mgmt_target_params_update(struct mgmt_call *call);
