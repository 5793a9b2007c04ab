/* SPDX-License-Identifier: BSD-3-Clause */
/* sbc/sbc.h - disks: the block commands of SBC-3. */
#pragma once
#include <stddef.h>
#include "scsi/command.h"
#include "scsi/device_type.h"

/* Before reactors run, after spc_register().  Registers the disk.  -EINVAL,
 * -ENOMEM. */
int sbc_register(void);
const struct scsi_device_type *sbc_disk_type(void);	/* option "disk" */

extern const struct scsi_command sbc_commands[];
extern const size_t sbc_nr_commands;
