/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/compare.c - COMPARE AND WRITE, SBC-3 r36 5.2: Data-Out is what the blocks
 * should be, then what to write if they are.  Atomic, by the store or under the
 * range lock of lu/.
 */
#include <errno.h>
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"
#include "sbc/limits.h"

#define FUA	0x0a

enum scsi_status sbc_compare_parse(struct scsi_task *t)
{
	if (t->nr > sbc_limits_compare_blocks(lu_geometry(t->dev->lu),
					      lu_store_info(t->dev->lu)))
		return scsi_task_fail_cdb(t, t->cmd->len.at, -1);
	t->want_bytes *= 2;
	/* Half of it would compare with the wrong thing, or write it; who sends
	 * more means another number of blocks. */
	if (t->out_max != t->want_bytes)
		return scsi_task_fail_cdb(t, t->cmd->len.at, -1);
	return SCSI_GOOD;
}

static void compared(struct scsi_task *t, int err)
{
	enum scsi_status status;

	/* INFORMATION: offset of the first byte that differs. */
	if (err == -EILSEQ)
		status = scsi_task_fail_info(t, SCSI_SENSE_MISCOMPARE, t->io.result);
	else
		status = scsi_task_io_status(t, err);
	scsi_task_complete(t, status);
}

enum scsi_status sbc_compare_run(struct scsi_task *t)
{
	if (!t->nr)
		return SCSI_GOOD;
	t->io.op = LU_COMPARE_AND_WRITE;
	t->io.flags = t->cdb[1] & FUA ? LU_IO_FUA : 0;
	t->io.off_bytes = lu_geometry_bytes(lu_geometry(t->dev->lu), t->lba);
	t->io.len_bytes = t->out_bytes / 2;
	t->after_io = compared;
	return scsi_task_submit(t);
}
