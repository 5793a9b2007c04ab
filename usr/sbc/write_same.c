/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/write_same.c - WRITE SAME, SBC-3 r36 5.39 and 5.40.
 *
 * NUMBER OF LOGICAL BLOCKS 0 means up to the last block, but as any other number it
 * must not exceed the MAXIMUM WRITE SAME LENGTH of the Block Limits VPD page: the slip
 * of a zero does not cost a disk.  With UNMAP=1
 * blocks are unmapped only if that leaves what the data says, zeroes; other data
 * is written (4.7.3.4.4).  ANCHOR is refused (ANC_SUP=0): no store reserves space
 * for what it does not have.  A range goes to the store in steps, so that an abort
 * waits for one step only.
 */
#include <string.h>
#include "base/iov.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"
#include "sbc/limits.h"

#define NDOB	0x01		/* of the 16-byte command */
#define UNMAP	0x08

static bool has_no_data(const struct scsi_task *t)
{
	return t->cdb[1] & NDOB;
}

enum scsi_status sbc_write_same_parse(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);

	if (!t->nr)			/* one, where there is none: that is out of range */
		t->nr = t->lba < g->nr_blocks ? g->nr_blocks - t->lba : 1;
	t->want_bytes = has_no_data(t) ? 0 : g->block_bytes;
	if (t->cdb[1] & UNMAP && !scsi_device_is_thin(t->dev))
		return scsi_task_fail_cdb(t, 1, 3);
	if (lu_geometry_contains(g, t->lba, t->nr) &&
	    t->nr > SBC_WRITE_SAME_BLOCKS_MAX)
		return scsi_task_fail_cdb(t, t->cmd->len.at, -1);
	/* One block, neither more nor less: who sends more means another
	 * command. */
	if (t->want_bytes && t->out_max != t->want_bytes)
		return scsi_task_fail(t, SCSI_SENSE_INVALID_FIELD_IN_COMMAND_IU);
	return SCSI_GOOD;
}

static bool is_zero(const struct scsi_task *t)
{
	const uint8_t *p;

	if (has_no_data(t))
		return true;
	p = t->data.iov[0].iov_base;	/* a block is one chunk */
	return !p[0] && !memcmp(p, p + 1, t->out_bytes - 1);
}

static uint64_t step_bytes(const struct scsi_task *t)
{
	if (t->io.op == LU_WRITE_SAME ||
	    !(lu_store_info(t->dev->lu)->ops & BS_OP_BIT(BS_WRITE_ZEROES)))
		return SBC_WRITE_STEP_BYTES;
	return SBC_ZERO_STEP_BYTES;
}

static enum scsi_status go_on(struct scsi_task *t)
{
	const uint64_t bytes = sbc_limits_step(t->io.off_bytes, t->step, step_bytes(t));

	t->io.len_bytes = bytes;
	t->step -= bytes;
	return scsi_task_submit(t);
}

static void written(struct scsi_task *t, int err)
{
	if (err || !t->step) {
		scsi_task_complete(t, scsi_task_io_status(t, err));
		return;
	}
	t->io.off_bytes += t->io.len_bytes;
	go_on(t);
}

enum scsi_status sbc_write_same_run(struct scsi_task *t)
{
	static const struct iovec none;
	const struct lu_geometry *g = lu_geometry(t->dev->lu);

	t->io.op = LU_WRITE_SAME;
	if (is_zero(t)) {
		t->io.op = LU_WRITE_ZEROES;
		t->io.flags = t->cdb[1] & UNMAP ? LU_IO_UNMAP : 0;
		t->io.iov = &none;
		t->io.iovcnt = 0;
	}
	t->io.off_bytes = lu_geometry_bytes(g, t->lba);
	t->step = lu_geometry_bytes(g, t->nr);	/* bytes left */
	t->after_io = written;
	return go_on(t);
}
