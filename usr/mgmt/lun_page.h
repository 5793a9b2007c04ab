/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_page.h - the parameter mode_page=<page>:<subpage>:<length>:<byte>:... of a
 * logical unit, as tgt takes it.
 *
 * Of the caching page WCE counts, of the control page D_SENSE and SWP; other bits of
 * these pages are what the store and the target really do.  Another page is shown as it
 * is given, and no longer when it is given with a length of 0.
 */
#pragma once
#include <jansson.h>
#include <stddef.h>

struct mgmt_lun_change;

/* Set what @value says in *c.  -EINVAL: @why says what is wrong. */
int mgmt_lun_page_set(struct mgmt_lun_change *c, const char *value, char *why,
		      size_t why_bytes);

/* An array of such values: the user's pages; and of the control page SWP, which has no
 * other name among the parameters. */
json_t *mgmt_lun_page_get(const struct mgmt_lun_change *c);
