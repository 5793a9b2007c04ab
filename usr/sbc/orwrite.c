/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/orwrite.c - ORWRITE (16), SBC-3 r36 5.6: the blocks become what they are, or
 * Data-Out.  Under the range lock of lu/ and, where others reach the store past this
 * daemon, by what that compares and writes atomically, so that no bit that somebody else
 * sets meanwhile is lost.
 */
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"

#define FUA	0x0a

enum scsi_status sbc_orwrite_run(struct scsi_task *t)
{
	if (!t->out_bytes)
		return SCSI_GOOD;
	t->io.op = LU_ORWRITE;
	t->io.flags = t->cdb[1] & FUA ? LU_IO_FUA : 0;
	t->io.off_bytes = lu_geometry_bytes(lu_geometry(t->dev->lu), t->lba);
	t->io.len_bytes = t->out_bytes;
	return scsi_task_submit(t);
}
