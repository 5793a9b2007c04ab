/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/prefetch.c - PRE-FETCH, SBC-3 r36 5.7 and 5.8.
 *
 * CONDITION MET: the blocks fit in the cache, and without IMMED are there.  GOOD:
 * they do not all fit; as many as do are fetched.  So much of a cache belongs to
 * one command; a store without one has no place for any.
 */
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"
#include "sbc/limits.h"

#define IMMED	0x02

/* NUMBER OF LOGICAL BLOCKS 0: to the end of the medium. */
enum scsi_status sbc_prefetch_parse(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);

	if (!t->nr)			/* at the end itself there is none */
		t->nr = t->lba < g->nr_blocks ? g->nr_blocks - t->lba : 1;
	return SCSI_GOOD;
}

/* t->step: bytes that are still to be read. */
static enum scsi_status fetch(struct scsi_task *t)
{
	t->io.op = LU_VERIFY;
	t->io.len_bytes = MIN(t->step, SBC_VERIFY_STEP_BYTES);
	t->step -= t->io.len_bytes;
	return scsi_task_submit(t);
}

static enum scsi_status result(const struct scsi_task *t)
{
	return lu_geometry_bytes(lu_geometry(t->dev->lu), t->nr) <= SBC_PREFETCH_BYTES ?
		       SCSI_CONDITION_MET : SCSI_GOOD;
}

static void fetched(struct scsi_task *t, int err)
{
	if (err) {
		scsi_task_complete(t, scsi_task_io_status(t, err));
	} else if (t->step) {
		t->io.off_bytes += t->io.op == LU_VERIFY ? t->io.len_bytes : 0;
		fetch(t);
	} else {
		scsi_task_complete(t, result(t));
	}
}

enum scsi_status sbc_prefetch_run(struct scsi_task *t)
{
	static const struct iovec none;
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const uint64_t bytes = MIN(lu_geometry_bytes(g, t->nr), SBC_PREFETCH_BYTES);

	if (!(lu_store_info(t->dev->lu)->ops & BS_OP_BIT(BS_PREFETCH)))
		return SCSI_GOOD;
	/* The store reads ahead of what then makes sure. */
	t->io.op = LU_PREFETCH;
	t->io.iov = &none;
	t->io.iovcnt = 0;
	t->io.off_bytes = lu_geometry_bytes(g, t->lba);
	t->io.len_bytes = bytes;
	t->step = t->cdb[1] & IMMED ? 0 : bytes;
	t->after_io = fetched;
	return scsi_task_submit(t);
}
