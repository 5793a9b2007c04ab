/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/atomic.c - WRITE ATOMIC(16), SBC-4 r22 5.48.
 *
 * ATOMIC BOUNDARY lets the device server write in pieces of that many blocks, each
 * atomic; the whole range being atomic, so are its pieces.  Without data there is
 * nothing to do, as for WRITE.
 */
#include "base/be.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"

#define BOUNDARY_AT	10

enum scsi_status sbc_atomic_parse(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const uint64_t max = lu_atomic_bytes(t->dev->lu) >> g->block_exp;

	if (!lu_geometry_contains(g, t->lba, t->nr))
		return SCSI_GOOD;	/* has an error of its own */
	if (be_load(t->cdb + BOUNDARY_AT, 2) > max)
		return scsi_task_fail_cdb(t, BOUNDARY_AT, -1);
	if (t->nr > max)
		return scsi_task_fail_cdb(t, t->cmd->len.at, -1);
	if (t->out_max < t->want_bytes)		/* all or nothing */
		return scsi_task_fail(t, SCSI_SENSE_INVALID_FIELD_IN_COMMAND_IU);
	return SCSI_GOOD;
}

enum scsi_status sbc_atomic_run(struct scsi_task *t)
{
	if (!t->out_bytes)
		return SCSI_GOOD;
	t->io.op = LU_WRITE_ATOMIC;
	t->io.off_bytes = lu_geometry_bytes(lu_geometry(t->dev->lu), t->lba);
	t->io.len_bytes = t->out_bytes;
	return scsi_task_submit(t);
}
