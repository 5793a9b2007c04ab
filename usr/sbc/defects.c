/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/defects.c - READ DEFECT DATA, SBC-3 r36 5.17 and 5.18.  What is below hides
 * its defects: both lists are there, and empty, in any format.
 */
#include "base/be.h"
#include "sbc/handlers.h"

#define LISTS_AND_FORMAT	0x1f	/* PLIST, GLIST, DEFECT LIST FORMAT */

enum scsi_status sbc_defects_10(struct scsi_task *t)
{
	const uint8_t d[4] = { [1] = t->cdb[2] & LISTS_AND_FORMAT };

	return scsi_task_reply(t, d, sizeof(d));
}

enum scsi_status sbc_defects_12(struct scsi_task *t)
{
	const uint8_t d[8] = { [1] = t->cdb[1] & LISTS_AND_FORMAT };

	return scsi_task_reply(t, d, sizeof(d));
}
