/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_access.h - the part of a plan that is about accounts and portals.
 * Threads: control. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct iscsi_accounts;
struct mgmt_config_plan;
struct mgmt_fault;

/* Before the targets, which bind accounts. */
int mgmt_config_access_plan(struct mgmt_config_plan *p, struct mgmt_fault *ret_fault);
void mgmt_config_access_free(struct mgmt_config_plan *p);

/* The set of @bound, accounts as they will be; NULL for none.  @where is the place of
 * @bound and @what its owner, for the sentence. */
int mgmt_config_access_bind(const struct mgmt_config_plan *p, const json_t *bound,
			    const char *where, const char *what, struct iscsi_accounts **ret,
			    struct mgmt_fault *ret_fault);

/* Open the portals that are wanted; those that go are closed before only if they are in
 * the way.  On -errno everything is as it was, with a sentence in @why. */
int mgmt_config_access_open_portals(struct mgmt_config_plan *p, char *why, size_t why_bytes);

/* Accounts come and change: before the targets do.  False: out of memory, and not all
 * of it was done. */
bool mgmt_config_access_begin(struct mgmt_config_plan *p);
/* Accounts and portals go: after the targets changed. */
bool mgmt_config_access_end(struct mgmt_config_plan *p);
