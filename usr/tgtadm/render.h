/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/render.h - results as tgt prints them, byte for byte. */
#pragma once
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

void tgtadm_render_targets(FILE *to, const json_t *result);
void tgtadm_render_target_params(FILE *to, const json_t *result);
void tgtadm_render_connections(FILE *to, const json_t *result);
void tgtadm_render_system(FILE *to, const json_t *result);
void tgtadm_render_drivers(FILE *to, const json_t *result);
void tgtadm_render_portals(FILE *to, const json_t *result);
void tgtadm_render_groups(FILE *to, const json_t *result);
void tgtadm_render_state(FILE *to, const json_t *result);
void tgtadm_render_changes(FILE *to, const json_t *result);
/* Says on stderr which targets were left alone; the exit code, 0 if none was. */
int tgtadm_render_in_use(const json_t *result);
void tgtadm_render_accounts(FILE *to, const json_t *result);
void tgtadm_render_lun_stats(FILE *to, const json_t *result);
void tgtadm_render_session_stats(FILE *to, const json_t *result);
void tgtadm_render_conn_stats(FILE *to, const json_t *result);

/* Decimal megabytes, rounded as tgt does it. */
uint64_t tgtadm_render_megabytes(uint64_t bytes);
