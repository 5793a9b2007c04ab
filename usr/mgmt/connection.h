/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/connection.h - sessions and connections of a target.  Threads: control. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct mgmt_call;
struct mgmt_target;

/* That session exists and has that connection (@cid -1: any); or false, and the
 * call was failed. */
bool mgmt_connection_check(struct mgmt_call *call, const struct mgmt_target *t,
			   uint64_t sid, int64_t cid);

void mgmt_connection_list(struct mgmt_call *call);
void mgmt_connection_delete(struct mgmt_call *call);
