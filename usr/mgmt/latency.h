/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/latency.h - how long operations of a logical unit took, for clients. */
#pragma once
#include <jansson.h>

struct mgmt_lun;

/* A row of `latency`: tid, lun, and an object for each kind of operation that has
 * happened.  Threads: control. */
json_t *mgmt_latency_row(const struct mgmt_lun *l);
