/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/config.h - the whole configuration as one JSON object, the state: told by
 * config.get, made true by config.apply.  What config.get tells, with secrets, is
 * all that config.apply needs to make an empty daemon the same.
 *
 * Threads: control.
 */
#pragma once
#include <jansson.h>
#include "mgmt/fields.h"

struct bs_open_spec;
struct mgmt_call;
struct mgmt_lun;
struct mgmt_lun_change;

#define MGMT_CONFIG_FORMAT	1
#define MGMT_CONFIG_TARGETS_MAX	65536

extern const struct mgmt_field mgmt_config_state_fields[];	/* of a state */

void mgmt_config_get(struct mgmt_call *call);
void mgmt_config_apply(struct mgmt_call *call);

/* One LUN in the form of a state: an object. */
json_t *mgmt_config_lun(const struct bs_open_spec *open, const char *device_type,
			const struct mgmt_lun_change *c);
/* One that is there.  READY and no controller. */
json_t *mgmt_config_lun_present(const struct mgmt_lun *l);
