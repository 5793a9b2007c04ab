/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config_luns.h - the logical units of a target that are wanted against those that
 * are there.  Part of a plan; threads: control.
 */
#pragma once
#include <jansson.h>

struct mgmt_config_target;
struct mgmt_fault;

/* Fill t->luns by the member "luns" of @in, and add to t->words and t->felt.  -EINVAL or
 * -ENOMEM: *f says why. */
int mgmt_config_luns_plan(struct mgmt_config_target *t, const json_t *in, struct mgmt_fault *f);

/* Everything that happens to those that are there happens in this thread's turn; else
 * -EINVAL. */
int mgmt_config_luns_check_settled(const struct mgmt_config_target *t, struct mgmt_fault *f);
