/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_create.h - the method lun.create. */
#pragma once

struct mgmt_call;

/* Threads: control. */
void mgmt_lun_create_run(struct mgmt_call *call);
