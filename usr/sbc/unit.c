/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/unit.c - START STOP UNIT, SBC-3 r36 5.25.
 *
 * A fixed disk that is stopped refuses access to the medium until it is started.
 * A removable one can be ejected; without LOEJ it starts again by itself with
 * the next access, as drives for removable media do, so that stopping it only
 * flushes.
 *
 * Every power condition of this disk is the same: active.  So a POWER CONDITION
 * that has no meaning yet is met like the others; initiators try them.
 */
#include "lu/lu.h"
#include "scsi/device.h"
#include "scsi/unit_attention.h"
#include "sbc/handlers.h"
#include "scsi/nexus.h"

#define START		0x01
#define LOEJ		0x02
#define NO_FLUSH	0x04

static bool removable(const struct scsi_task *t)
{
	return scsi_device_config(t->dev)->removable;
}

static enum scsi_status load(struct scsi_task *t)
{
	const uint8_t before = atomic_fetch_and(&t->dev->ejected,
						(uint8_t)~SCSI_DEVICE_UNLOADED);

	if (before & ~SCSI_DEVICE_UNLOADED)
		return scsi_task_fail(t, SCSI_SENSE_MEDIUM_NOT_PRESENT);
	if (!before)
		return SCSI_GOOD;
	return scsi_unit_attention_then_good(t, SCSI_SENSE_MEDIUM_MAY_HAVE_CHANGED);
}

static void stop(struct scsi_task *t)
{
	if (t->cdb[4] & LOEJ) {
		atomic_fetch_or(&t->dev->ejected, SCSI_DEVICE_UNLOADED);
		lu_watch_revoke(t->dev->lu);	/* tokens end with the medium */
	} else if (!removable(t)) {
		atomic_store(&t->dev->stopped, true);
	}
}

static void flushed(struct scsi_task *t, int err)
{
	if (!err)
		stop(t);
	scsi_task_complete(t, scsi_task_io_status(t, err));
}

enum scsi_status sbc_unit_start_stop(struct scsi_task *t)
{
	const uint8_t flags = t->cdb[4] & 0x0f;

	/* Then START and LOEJ are ignored. */
	if (t->cdb[4] >> 4)
		return SCSI_GOOD;
	if (flags & LOEJ) {
		if (!removable(t))
			return scsi_task_fail_cdb(t, 4, 1);
		if (atomic_load(&t->dev->prevent_removal))
			return scsi_task_fail(t, SCSI_SENSE_MEDIUM_REMOVAL_PREVENTED);
	}
	if (flags & START) {
		atomic_store(&t->dev->stopped, false);
		return flags & LOEJ ? load(t) : SCSI_GOOD;
	}
	if (flags & NO_FLUSH) {
		stop(t);
		return SCSI_GOOD;
	}
	t->io.op = LU_FLUSH;
	t->io.off_bytes = t->io.len_bytes = 0;
	t->after_io = flushed;
	return scsi_task_submit(t);
}
