/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/rw.c - READ and WRITE, the path that must be short: dispatch has parsed
 * and checked, the data buffer is there.
 */
#include <errno.h>
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"

#define FUA	0x0a		/* FUA, or FUA_NV: on the medium is non-volatile */

/* Byte 1 of the 6-byte commands is part of the LBA. */
static bool is_fua(const struct scsi_task *t)
{
	return t->cdb[0] >= 0x20 && t->cdb[1] & FUA;
}

enum scsi_status sbc_rw_parse_read(struct scsi_task *t)
{
	if (likely(!is_fua(t)))
		scsi_task_borrow(t, lu_geometry_bytes(lu_geometry(t->dev->lu), t->lba));
	return SCSI_GOOD;
}

/* TRANSFER LENGTH 0 of the 6-byte commands is 256 blocks, SBC-2 r16 5.5. */
enum scsi_status sbc_rw_parse_6(struct scsi_task *t)
{
	if (!t->nr) {
		t->nr = 256;
		t->want_bytes = lu_geometry_bytes(lu_geometry(t->dev->lu), t->nr);
	}
	return SCSI_GOOD;
}

static enum scsi_status start(struct scsi_task *t, enum lu_op op, uint64_t bytes)
{
	t->io.op = op;
	t->io.off_bytes = lu_geometry_bytes(lu_geometry(t->dev->lu), t->lba);
	t->io.len_bytes = bytes;
	return scsi_task_submit(t);
}

static void flushed(struct scsi_task *t, int err)
{
	t->after_io = NULL;
	if (err)
		scsi_task_complete(t, scsi_task_io_status(t, err));
	else
		start(t, LU_READ, t->want_bytes);
}

enum scsi_status sbc_rw_read(struct scsi_task *t)
{
	if (t->loan.p)
		return scsi_task_lent(t);
	if (unlikely(!t->want_bytes))
		return SCSI_GOOD;
	/* FUA: what a cache has that the medium has not goes there first, SBC-3
	 * r36 5.11. */
	if (unlikely(is_fua(t)) && atomic_load(&t->dev->lu->write_cache) &&
	    scsi_device_writable(t->dev)) {
		t->after_io = flushed;
		return start(t, LU_FLUSH, 0);
	}
	return start(t, LU_READ, t->want_bytes);
}

enum scsi_status sbc_rw_write(struct scsi_task *t)
{
	if (unlikely(!t->out_bytes))
		return SCSI_GOOD;
	if (is_fua(t))
		t->io.flags = LU_IO_FUA;
	return start(t, LU_WRITE, t->out_bytes);
}
