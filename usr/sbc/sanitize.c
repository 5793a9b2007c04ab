/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/sanitize.c - SANITIZE, SBC-4 r22 5.26 (SBC-3 r36 5.24).
 *
 * OVERWRITE	writes every block.
 * BLOCK ERASE	of a thin disk: where there is data it is written over with zeroes,
 *		then all of it is deallocated.  A hole has nothing to be erased.
 * CRYPTOGRAPHIC ERASE is not there: no store has a key that could be thrown away.
 *
 * How well a medium forgets is up to what is below us: a file system that copies
 * on write, or a flash drive, keeps old data where nobody can name it.
 */
#include "base/be.h"
#include "base/iov.h"
#include "lu/lu.h"
#include "sbc/erase.h"
#include "sbc/handlers.h"
#include "scsi/device.h"

#define IMMED	0x80
#define AUSE	0x20

#define HEADER_BYTES	4U
#define INVERT		0x80
#define TEST		0x60	/* changes of the pattern that only a vendor knows */
#define COUNT		0x1f

/* A failure in restricted mode is not left by way of the unrestricted one,
 * 5.26.1. */
static enum scsi_status check_mode(struct scsi_task *t)
{
	const struct scsi_background *b = &t->dev->background;

	if (t->cdb[1] & AUSE && atomic_load(&b->state) == SCSI_BACKGROUND_SANITIZE_FAILED &&
	    !atomic_load(&b->unrestricted))
		return scsi_task_fail_cdb(t, 1, 5);
	return SCSI_GOOD;
}

enum scsi_status sbc_sanitize_parse_overwrite(struct scsi_task *t)
{
	const uint32_t block = lu_geometry(t->dev->lu)->block_bytes;

	if (t->nr <= HEADER_BYTES || t->nr > HEADER_BYTES + block)
		return scsi_task_fail_cdb(t, 7, -1);
	return check_mode(t);
}

/* The others have no parameter list. */
enum scsi_status sbc_sanitize_parse_plain(struct scsi_task *t)
{
	if (t->nr)
		return scsi_task_fail_cdb(t, 7, -1);
	return check_mode(t);
}

enum scsi_status sbc_sanitize_overwrite(struct scsi_task *t)
{
	struct sbc_erase_plan plan = {
		.kind = SCSI_BACKGROUND_SANITIZE,
		.immed = t->cdb[1] & IMMED,
		.unrestricted = t->cdb[1] & AUSE,
	};
	uint8_t list[HEADER_BYTES + 4096];
	uint64_t pattern;

	if (iov_read(t->data.iov, t->data.iovcnt, 0, list, t->out_bytes) < t->nr)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	pattern = be_load(list + 2, 2);
	plan.passes = list[0] & COUNT;
	plan.invert = list[0] & INVERT;
	if (list[0] & TEST)
		return scsi_task_fail_param(t, 0, 6);
	if (!plan.passes)
		return scsi_task_fail_param(t, 0, 4);
	if (list[1])
		return scsi_task_fail_param(t, 1, -1);
	if (!pattern || pattern != t->nr - HEADER_BYTES)
		return scsi_task_fail_param(t, 2, -1);
	return sbc_erase_start(t, &plan, list + HEADER_BYTES, pattern);
}

enum scsi_status sbc_sanitize_block_erase(struct scsi_task *t)
{
	const struct sbc_erase_plan plan = {
		.kind = SCSI_BACKGROUND_SANITIZE,
		.immed = t->cdb[1] & IMMED,
		.unrestricted = t->cdb[1] & AUSE,
		.scrub = true,
		.zero = true,
		.unmap = true,
	};

	return sbc_erase_start(t, &plan, NULL, 0);
}

/* 5.26.6.  Nothing has failed: there is nothing to be left. */
enum scsi_status sbc_sanitize_exit_failure(struct scsi_task *t)
{
	const struct scsi_background *b = &t->dev->background;

	if (atomic_load(&b->state) == SCSI_BACKGROUND_SANITIZE_FAILED &&
	    !atomic_load(&b->unrestricted))
		return scsi_task_fail_cdb(t, 1, 4);
	return scsi_background_leave(t);
}
