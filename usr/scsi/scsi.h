/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/scsi.h - codes of SAM-5 and SPC-4 that transports and commands share. */
#pragma once

enum scsi_status {		/* SAM-5 5.3.1 */
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_CONDITION_MET = 0x04,
	SCSI_BUSY = 0x08,
	SCSI_RESERVATION_CONFLICT = 0x18,
	SCSI_TASK_SET_FULL = 0x28,
	SCSI_ACA_ACTIVE = 0x30,
	SCSI_TASK_ABORTED = 0x40,
	SCSI_PENDING = 0x100,	/* not on the wire: scsi_task_complete() follows */
};

/* UNTAGGED, which only old initiators send, is SIMPLE (RFC 7143 11.3.1). */
enum scsi_attr { SCSI_ATTR_SIMPLE, SCSI_ATTR_ORDERED, SCSI_ATTR_HEAD_OF_QUEUE,
		 SCSI_ATTR_ACA };	/* or one that is reserved: refused */

#define SCSI_CDB_MAX		32
#define SCSI_SENSE_MAX		96
#define SCSI_LUN_MAX		16383	/* flat space addressing, SAM-5 4.7.7.3 */
