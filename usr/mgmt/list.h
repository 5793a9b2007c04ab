/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/list.h - target.list: everything about every target.  Threads: control. */
#pragma once

struct mgmt_call;

void mgmt_list_targets(struct mgmt_call *call);
