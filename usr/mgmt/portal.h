/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/portal.h - network portals and the driver that has them ("lld" iscsi).
 * Threads: control. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

struct mgmt_call;

void mgmt_portal_create(struct mgmt_call *call);
void mgmt_portal_delete(struct mgmt_call *call);
void mgmt_portal_list(struct mgmt_call *call);
/* As portal.list tells them, the oldest first; those that will be open when the driver
 * is started. */
json_t *mgmt_portal_config(void);

/* driver.list, driver.start, driver.stop: stopped, no portal is open. */
void mgmt_portal_driver_list(struct mgmt_call *call);
void mgmt_portal_driver_start(struct mgmt_call *call);
void mgmt_portal_driver_stop(struct mgmt_call *call);
bool mgmt_portal_driver_stopped(void);
