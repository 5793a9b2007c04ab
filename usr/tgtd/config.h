/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/config.h - the state of mgmt/config.h in a file, to begin with.
 * Threads: control. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The caller's object.  -EINVAL, -errno, with a sentence in @why. */
int tgtd_config_read(const char *path, json_t **ret_state, char *why, size_t why_bytes);

/* Make it true, but for its portals; then @done, with NULL or with what is wrong.  On
 * control's reactor, while it runs. */
void tgtd_config_apply(const json_t *state, void (*done)(const char *why));

/* Its portals.  @state may be NULL.  -errno, with a sentence in @why. */
bool tgtd_config_has_portals(const json_t *state);
int tgtd_config_open_portals(const json_t *state, char *why, size_t why_bytes);
