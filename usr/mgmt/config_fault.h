/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_fault.h - what is wrong with a wanted state, and where.  Threads: any. */
#pragma once
#include "base/macros.h"
#include "mgmt/fields.h"

struct mgmt_config_target;

/* Fill *f; -EINVAL.  @where: "state...". */
int mgmt_config_fault(struct mgmt_fault *f, const char *where, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* The same of @member of a target that is wanted; the sentence begins with its name. */
int mgmt_config_fault_target(struct mgmt_fault *f, const struct mgmt_config_target *t,
			     const char *member, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* -ENOMEM */
int mgmt_config_fault_no_memory(struct mgmt_fault *f);
