/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/config.h - changing a device's config from a command (MODE SELECT). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "scsi/scsi.h"

struct scsi_device_config;
struct scsi_task;

/*
 * Have control publish a config with @edit applied to a copy of the current one
 * (@edit gets t->step, runs on the control thread, and says whether it changed
 * anything), and tell the other I_T nexuses MODE PARAMETERS CHANGED if it did.  Then @after(t, err)
 * runs on the task's reactor, unless the task was ended meanwhile; it completes
 * the task, or submits.  Returns SCSI_PENDING, or SCSI_BUSY without memory.
 */
enum scsi_status scsi_config_edit(struct scsi_task *t,
				  bool (*edit)(struct scsi_device_config *c, uint64_t step),
				  void (*after)(struct scsi_task *t, int err));
