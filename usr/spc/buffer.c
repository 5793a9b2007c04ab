/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/buffer.c - READ BUFFER and WRITE BUFFER, SPC-4 r37 6.15, 6.16 and 6.49
 * (READ BUFFER(16): SPC-5 r22 6.20).
 *
 * Two buffers of a device serve those who test the way to it: one with offsets
 * (buffer 0), and the echo buffer, which remembers who wrote it (EBOS=1).  There
 * is no microcode to download and no error history.
 */
#include <stdlib.h>
#include <string.h>
#include "base/be.h"
#include "base/iov.h"
#include "base/macros.h"
#include "scsi/nexus.h"
#include "spc/handlers.h"
#include "spc/state.h"

enum {
	MODE_DATA = 0x02,
	MODE_DESCRIPTOR = 0x03,
	MODE_ECHO = 0x0a,
	MODE_ECHO_DESCRIPTOR = 0x0b,
};

#define EBOS		0x01

/* The fields of the CDBs of one meaning. */
struct request {
	uint8_t mode, id;
	unsigned int id_at, off_at;	/* in the CDB, for field pointers */
	uint64_t off;
};

/* --- READ BUFFER --- */

static enum scsi_status read_data(struct scsi_task *t, const struct request *r)
{
	uint8_t d[SPC_STATE_BUFFER_BYTES] = { 0 };
	struct spc_state *s;

	if (r->id)
		return scsi_task_fail_cdb(t, r->id_at, -1);
	if (r->off > sizeof(d))
		return scsi_task_fail_cdb(t, r->off_at, -1);
	s = spc_state_lock(t);
	if (s->buffer)
		memcpy(d, s->buffer, sizeof(d));
	spc_state_unlock(s);
	return scsi_task_reply(t, d + r->off, sizeof(d) - r->off);
}

/* OFFSET BOUNDARY 0: any byte.  A buffer that there is not has no capacity. */
static enum scsi_status read_descriptor(struct scsi_task *t, const struct request *r)
{
	uint8_t d[4] = { 0 };

	if (!r->id)
		be_store(d + 1, 3, SPC_STATE_BUFFER_BYTES);
	return scsi_task_reply(t, d, sizeof(d));
}

/* 6.15.7: an error if nothing was written; another one if somebody else has
 * overwritten it, who does not get the data either. */
static enum scsi_status read_echo(struct scsi_task *t)
{
	uint8_t d[SPC_STATE_BUFFER_BYTES];
	struct spc_state *s = spc_state_lock(t);
	const uint32_t n = s->echo_bytes;
	const bool written = s->echo != NULL, mine = s->echo_nexus == t->nexus->id;

	if (written)
		memcpy(d, s->echo, n);
	spc_state_unlock(s);
	if (!written)
		return scsi_task_fail(t, SCSI_SENSE_COMMAND_SEQUENCE_ERROR);
	if (!mine)
		return scsi_task_fail(t, SCSI_SENSE_ECHO_BUFFER_OVERWRITTEN);
	return scsi_task_reply(t, d, n);
}

static enum scsi_status read_echo_descriptor(struct scsi_task *t)
{
	const uint8_t d[4] = { EBOS, 0, SPC_STATE_BUFFER_BYTES >> 8,
			       SPC_STATE_BUFFER_BYTES & 0xff };

	return scsi_task_reply(t, d, sizeof(d));
}

static enum scsi_status read_buffer(struct scsi_task *t, const struct request *r)
{
	switch (r->mode) {
	case MODE_DATA:
		return read_data(t, r);
	case MODE_DESCRIPTOR:
		return read_descriptor(t, r);
	case MODE_ECHO:
		return read_echo(t);
	case MODE_ECHO_DESCRIPTOR:
		return read_echo_descriptor(t);
	default:
		return scsi_task_fail_cdb(t, 1, 4);
	}
}

enum scsi_status spc_buffer_read_10(struct scsi_task *t)
{
	return read_buffer(t, &(struct request){
		.mode = t->cdb[1] & 0x1f, .id = t->cdb[2], .id_at = 2, .off_at = 3,
		.off = be_load(t->cdb + 3, 3) });
}

enum scsi_status spc_buffer_read_16(struct scsi_task *t)
{
	return read_buffer(t, &(struct request){
		.mode = t->cdb[1] & 0x1f, .id = t->cdb[14], .id_at = 14, .off_at = 2,
		.off = be_load(t->cdb + 2, 8) });
}

/* --- WRITE BUFFER --- */

static enum scsi_status write_data(struct scsi_task *t, uint64_t off)
{
	const size_t n = t->out_bytes;
	struct spc_state *s;
	bool ok;

	if (t->cdb[2])
		return scsi_task_fail_cdb(t, 2, -1);
	if (off > SPC_STATE_BUFFER_BYTES)
		return scsi_task_fail_cdb(t, 3, -1);
	if (t->nr > SPC_STATE_BUFFER_BYTES - off)
		return scsi_task_fail_cdb(t, 6, -1);
	s = spc_state_lock(t);
	if (!s->buffer)
		s->buffer = calloc(1, SPC_STATE_BUFFER_BYTES);
	ok = s->buffer;
	if (ok && n)
		iov_read(t->data.iov, t->data.iovcnt, 0, s->buffer + off, n);
	spc_state_unlock(s);
	return ok ? SCSI_GOOD : SCSI_BUSY;
}

static enum scsi_status write_echo(struct scsi_task *t)
{
	const size_t n = t->out_bytes;
	struct spc_state *s = spc_state_lock(t);
	bool ok;

	if (!s->echo)
		s->echo = calloc(1, SPC_STATE_BUFFER_BYTES);
	ok = s->echo;
	if (ok) {
		if (n)
			iov_read(t->data.iov, t->data.iovcnt, 0, s->echo, n);
		s->echo_bytes = (uint32_t)n;
		s->echo_nexus = t->nexus->id;
	}
	spc_state_unlock(s);
	return ok ? SCSI_GOOD : SCSI_BUSY;
}

/* Before any data comes: what is refused is not collected. */
enum scsi_status spc_buffer_parse_write(struct scsi_task *t)
{
	const uint8_t mode = t->cdb[1] & 0x1f;

	if (mode != MODE_DATA && mode != MODE_ECHO)
		return scsi_task_fail_cdb(t, 1, 4);
	if (t->nr > SPC_STATE_BUFFER_BYTES)
		return scsi_task_fail_cdb(t, 6, -1);
	return SCSI_GOOD;
}

enum scsi_status spc_buffer_write(struct scsi_task *t)
{
	if ((t->cdb[1] & 0x1f) == MODE_ECHO)
		return write_echo(t);	/* BUFFER ID and OFFSET are ignored, 6.49.9 */
	return write_data(t, be_load(t->cdb + 3, 3));
}
