/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/acl.h - target.bind and target.unbind.  Threads: control. */
#pragma once

struct mgmt_call;

void mgmt_acl_bind(struct mgmt_call *call);
void mgmt_acl_unbind(struct mgmt_call *call);
