/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/verify.c - VERIFY, SBC-3 r36 5.28 to 5.30, and WRITE AND VERIFY, 5.36 to
 * 5.38.
 *
 * BYTCHK 00b: the medium is read; 01b: and compared with the data of each block;
 * 11b: and each block compared with the one block that was sent.
 */
#include <string.h>
#include "base/iov.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"
#include "sbc/limits.h"

#define REPEAT_BYTES	(64U << 10)	/* the one block, repeated, for BYTCHK 11b */

static unsigned int bytchk(const struct scsi_task *t)
{
	return t->cdb[1] >> 1 & 3;
}

enum scsi_status sbc_verify_parse(struct scsi_task *t)
{
	switch (bytchk(t)) {
	case 0:
		t->want_bytes = 0;
		return SCSI_GOOD;
	case 1:
		return SCSI_GOOD;
	case 3:
		t->want_bytes = t->nr ? lu_geometry(t->dev->lu)->block_bytes : 0;
		return SCSI_GOOD;
	default:
		return scsi_task_fail_cdb(t, 1, 2);
	}
}

/* Left to do: t->step bytes from t->io.off_bytes on, at most @most at a time. */
static enum scsi_status go_on(struct scsi_task *t)
{
	const bool repeats = bytchk(t) == 3;
	const uint64_t most = repeats ? iov_bytes(t->data.iov, t->data.iovcnt) :
					SBC_VERIFY_STEP_BYTES;

	t->io.len_bytes = MIN(t->step, most);
	t->step -= t->io.len_bytes;
	if (repeats)			/* the last may be shorter */
		t->data.iov[0].iov_len = t->io.len_bytes;
	return scsi_task_submit(t);
}

static void verified(struct scsi_task *t, int err)
{
	if (err || !t->step) {
		scsi_task_complete(t, scsi_task_io_status(t, err));
		return;
	}
	t->io.off_bytes += t->io.len_bytes;
	go_on(t);
}

/* Replace the one block by many of it. */
static int repeat(struct scsi_task *t, uint32_t block_bytes)
{
	const uint64_t bytes = MIN(t->step, (uint64_t)REPEAT_BYTES);
	uint8_t block[4096], *p;
	int err;

	assert(block_bytes <= sizeof(block));
	iov_read(t->data.iov, t->data.iovcnt, 0, block, block_bytes);
	reactor_buffer_put(&t->data);
	err = reactor_buffer_get(&t->data, bytes);
	if (err < 0)
		return err;
	p = t->data.iov[0].iov_base;
	for (uint64_t at = 0; at < bytes; at += block_bytes)
		memcpy(p + at, block, block_bytes);
	t->io.iov = t->data.iov;
	t->io.iovcnt = 1;
	return 0;
}

/* The initiator may have sent fewer blocks than it named (see dispatch): those
 * are compared. */
enum scsi_status sbc_verify_run(struct scsi_task *t)
{
	static const struct iovec none;
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const unsigned int check = bytchk(t);

	t->io.op = LU_VERIFY;
	t->io.off_bytes = lu_geometry_bytes(g, t->lba);
	t->step = check == 1 ? t->out_bytes : lu_geometry_bytes(g, t->nr);
	if (!t->step || (check && !t->out_bytes))
		return SCSI_GOOD;
	if (!check) {
		t->io.iov = &none;
		t->io.iovcnt = 0;
	} else if (check == 3 && repeat(t, g->block_bytes) < 0) {
		return SCSI_BUSY;
	}
	t->after_io = verified;
	return go_on(t);
}

/* --- WRITE AND VERIFY --- */

/* BYTCHK as for VERIFY, but that 11b does not exist: the data is all there. */
enum scsi_status sbc_verify_parse_write(struct scsi_task *t)
{
	return bytchk(t) > 1 ? scsi_task_fail_cdb(t, 1, 2) : SCSI_GOOD;
}

static void done(struct scsi_task *t, int err)
{
	scsi_task_complete(t, scsi_task_io_status(t, err));
}

/* Written to the medium, hence FUA; now read it back.  It is compared even with
 * BYTCHK 00b, which asks for less. */
static void wrote(struct scsi_task *t, int err)
{
	if (err) {
		done(t, err);
		return;
	}
	t->io.op = LU_VERIFY;
	t->io.flags = 0;
	t->after_io = done;
	scsi_task_submit(t);
}

enum scsi_status sbc_verify_write(struct scsi_task *t)
{
	if (!t->out_bytes)
		return SCSI_GOOD;
	t->io.op = LU_WRITE;
	t->io.flags = LU_IO_FUA;
	t->io.off_bytes = lu_geometry_bytes(lu_geometry(t->dev->lu), t->lba);
	t->io.len_bytes = t->out_bytes;
	t->after_io = wrote;
	return scsi_task_submit(t);
}
