/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config_target.h - a target that is wanted against the one that is there: its iSCSI
 * face and target port groups; config_luns.h does its logical units.  Part of a plan;
 * threads: control.
 */
#pragma once
#include <jansson.h>

struct mgmt_config_target;
struct mgmt_fault;

/* Build and compare all of @t, whose name, number and step are known; KEEP: nothing is
 * different.  -EINVAL or -ENOMEM: *f says why. */
int mgmt_config_target_plan(struct mgmt_config_target *t, struct mgmt_fault *f);

const char *mgmt_config_target_name(const struct mgmt_config_target *t);
/* Its object in the wanted state. */
const json_t *mgmt_config_target_wanted(const struct mgmt_config_target *t);
