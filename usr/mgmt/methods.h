/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/methods.h - the table of methods. */
#pragma once

#include "mgmt/rpc.h"

extern const struct mgmt_method mgmt_methods[];	/* sorted; ends with a NULL name */
