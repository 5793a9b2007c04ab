/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/account.h - CHAP accounts.  Threads: control. */
#pragma once

struct mgmt_call;

void mgmt_account_create(struct mgmt_call *call);
void mgmt_account_delete(struct mgmt_call *call);
void mgmt_account_list(struct mgmt_call *call);
void mgmt_account_bind(struct mgmt_call *call);
void mgmt_account_unbind(struct mgmt_call *call);
