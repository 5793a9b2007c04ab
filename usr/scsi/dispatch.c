/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/dispatch.c - the checks that all commands share, then the handler.
 *
 *	start -> check -> prepare -> [memory] -> [collect] -> [order] -> run
 *
 * The order of the checks is that of SAM-5 r21 5.3.3: logical unit, unit
 * attention of a reset, reservation, other unit attentions, access state,
 * operation code, fields of the CDB, medium.  A task
 * waits in at most one place at a time; scsi_dispatch_advance() goes on from
 * there.  It asks for memory in order of arrival and holds it while it waits for
 * older tasks, which therefore have theirs: no deadlock.
 */
#include "scsi/dispatch.h"

#include <errno.h>
#include <string.h>
#include "base/be.h"
#include "base/iov.h"
#include "base/probe.h"
#include "lu/lu.h"
#include "scsi/alua.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"
#include "scsi/reservation.h"
#include "scsi/target.h"
#include "scsi/task.h"

/* --- finding the logical unit and the command --- */

/* No such logical unit, SPC-4 5.11 and 6.4.1: INQUIRY, REPORT LUNS and REQUEST
 * SENSE answer all the same, by the rows of any device type. */
static enum scsi_status find_stray(struct scsi_task *t, uint64_t lun, bool lun_valid)
{
	struct scsi_nexus *n = t->nexus;
	const struct scsi_device_type *type = scsi_device_type_nth(0);
	struct scsi_device *dev;
	bool known = false;

	list_add_tail(&n->strays, &t->node);
	dev = lun_valid ? scsi_target_find_lun(n->target, lun) : NULL;
	if (dev) {		/* it exists, but there was no memory */
		scsi_device_put(dev);
		return SCSI_BUSY;
	}
	t->cmd = type ? scsi_device_type_command(type, t->cdb, &known) : NULL;
	if (!t->cmd || !(t->cmd->flags & SCSI_CMD_ANY_LUN))
		return scsi_task_fail(t, SCSI_SENSE_LUN_NOT_SUPPORTED);
	return SCSI_GOOD;
}

static enum scsi_status find(struct scsi_task *t, bool *ret_opcode_known)
{
	uint64_t lun = 0;
	const bool valid = scsi_target_decode_lun(t->lun, &lun);

	t->itl = valid ? scsi_nexus_itl(t->nexus, lun) : NULL;
	if (unlikely(!t->itl)) {
		*ret_opcode_known = true;
		return find_stray(t, lun, valid);
	}
	t->dev = t->itl->dev;
	t->cmd = scsi_device_type_command(t->dev->type, t->cdb, ret_opcode_known);
	if (t->cmd && unlikely(!scsi_device_has_command(t->dev, t->cmd))) {
		t->cmd = NULL;
		*ret_opcode_known = false;
	}
	scsi_task_set_enter(t);
	return SCSI_GOOD;
}

/* --- checks before the CDB is looked at --- */

/* SAM-5 r21 5.3.3: a reservation conflict goes before any unit attention but those
 * of a reset, and leaves it pending. */
static enum scsi_status tell_attention(struct scsi_task *t)
{
	enum scsi_sense_code ua;

	if (!scsi_unit_attention_is_reset(t->itl) &&
	    scsi_reservation_gate(t) != SCSI_GOOD)
		return SCSI_RESERVATION_CONFLICT;
	scsi_unit_attention_take(t->itl, &ua);
	return scsi_task_fail(t, ua);
}

static enum scsi_status check_state(struct scsi_task *t, unsigned int flags)
{
	struct scsi_itl *itl = t->itl;

	/* There is no ACA condition to which it could belong: SAM-5 r21 8.5. */
	if (unlikely(t->attr == SCSI_ATTR_ACA))
		return scsi_task_fail(t, SCSI_SENSE_INVALID_MESSAGE);
	if (flags & SCSI_CMD_NO_UA)
		return SCSI_GOOD;
	if (unlikely(itl->ua.n))
		return tell_attention(t);
	if (unlikely(scsi_reservation_gate(t) != SCSI_GOOD))
		return SCSI_RESERVATION_CONFLICT;
	if (unlikely(atomic_load_explicit(&t->nexus->target->offline,
					  memory_order_relaxed)))
		return scsi_task_fail(t, SCSI_SENSE_NOT_READY_OFFLINE);
	if (unlikely(itl->access_state >= SCSI_ALUA_STANDBY))
		return scsi_alua_check(t);
	return SCSI_GOOD;
}

/* --- the CDB --- */

static enum scsi_status fail_reserved(struct scsi_task *t)
{
	const struct scsi_command *cmd = t->cmd;

	for (unsigned int i = 0; i < cmd->cdb_bytes; i++) {
		const uint8_t wrong = t->cdb[i] & (uint8_t)~cmd->usage[i];

		if (wrong)
			return scsi_task_fail_cdb(t, i, 31 - __builtin_clz(wrong));
	}
	return SCSI_GOOD;
}

/* Bits that nobody evaluates must be 0 (SPC-4 4.2.5.1 lets us refuse them); NACA
 * is one of them, since NORMACA is 0. */
static enum scsi_status check_reserved(struct scsi_task *t)
{
	static const uint8_t mask[32] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	const struct scsi_command *cmd = t->cmd;
	uint64_t cdb[2], usage[2], count[2];

	if (unlikely(cmd->cdb_bytes > t->cdb_bytes))
		return scsi_task_fail(t, SCSI_SENSE_INVALID_OPCODE);
	if (unlikely(cmd->cdb_bytes > 16))
		return fail_reserved(t);
	memcpy(cdb, t->cdb, sizeof(cdb));
	memcpy(usage, cmd->usage, sizeof(usage));
	memcpy(count, mask + 16 - cmd->cdb_bytes, sizeof(count));
	if (likely(!((cdb[0] & ~usage[0] & count[0]) | (cdb[1] & ~usage[1] & count[1]))))
		return SCSI_GOOD;
	return fail_reserved(t);
}

static enum scsi_status check_command(struct scsi_task *t, bool opcode_known)
{
	if (unlikely(!opcode_known))
		return scsi_task_fail(t, SCSI_SENSE_INVALID_OPCODE);
	if (unlikely(!t->cmd))		/* unknown service action */
		return t->cdb[0] == 0x7f ? scsi_task_fail_cdb(t, 8, 7) :
					   scsi_task_fail_cdb(t, 1, 4);
	return check_reserved(t);
}

static enum scsi_status check_medium(struct scsi_task *t)
{
	struct scsi_device *dev = t->dev;
	const unsigned int flags = t->cmd->flags;
	struct scsi_sense s;

	if (unlikely(scsi_background_refuses(dev, flags, &s)))
		return scsi_task_fail_sense(t, &s);
	if (!(flags & SCSI_CMD_NO_MEDIUM)) {
		if (unlikely(!scsi_device_config(dev)->online))
			return scsi_task_fail(t, SCSI_SENSE_NOT_READY_OFFLINE);
		if (unlikely(atomic_load_explicit(&dev->ejected, memory_order_relaxed)))
			return scsi_task_fail(t, SCSI_SENSE_MEDIUM_NOT_PRESENT);
		if (unlikely(atomic_load_explicit(&dev->stopped, memory_order_relaxed)))
			return scsi_task_fail(t,
				SCSI_SENSE_NOT_READY_INITIALIZING_COMMAND_REQUIRED);
	}
	if (flags & SCSI_CMD_WRITES && unlikely(!scsi_device_writable(dev)))
		return scsi_task_fail(t, SCSI_SENSE_WRITE_PROTECTED);
	return SCSI_GOOD;
}

/* --- lengths --- */

static enum scsi_status check_range(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);

	if (likely(lu_geometry_contains(g, t->lba, t->nr)))
		return SCSI_GOOD;
	/* INFORMATION: the first LBA that is not there, SBC-3 r36 4.18.1. */
	return scsi_task_fail_info(t, SCSI_SENSE_LBA_OUT_OF_RANGE,
				   MAX(t->lba, g->nr_blocks));
}

/*
 * The initiator sends less than the CDB asks for.  What comes is whole blocks:
 * do that much, the transport reports the overflow (even of everything, as other
 * targets do).  A part of a block cannot be written without inventing the rest:
 * nothing is done (as FCP-4 9.4.2 has it for FCP_DL, where iSCSI is silent), nor
 * for an initiator that has the direction wrong.
 */
static enum scsi_status cut_data_out(struct scsi_task *t)
{
	t->out_bytes = t->out_max;
	if (t->in_max || (t->cmd->unit == SCSI_UNIT_BLOCKS &&
			  t->out_bytes & (lu_geometry(t->dev->lu)->block_bytes - 1)))
		return scsi_task_fail(t, SCSI_SENSE_INVALID_FIELD_IN_COMMAND_IU);
	return SCSI_GOOD;
}

static enum scsi_status prepare(struct scsi_task *t)
{
	const struct scsi_command *cmd = t->cmd;
	enum scsi_status status;

	assert(t->dev || !(cmd->unit == SCSI_UNIT_BLOCKS || cmd->flags & SCSI_CMD_RANGE));
	t->lba = be_load(t->cdb + cmd->lba.at, cmd->lba.bytes);
	t->nr = be_load(t->cdb + cmd->len.at, cmd->len.bytes);
	if (cmd->unit == SCSI_UNIT_BLOCKS)
		t->want_bytes = lu_geometry_bytes(lu_geometry(t->dev->lu), t->nr);
	else if (cmd->data == SCSI_DATA_OUT)
		t->want_bytes = t->nr;
	if (cmd->parse) {
		status = cmd->parse(t);
		if (status != SCSI_GOOD)
			return status;
	}
	if (cmd->flags & SCSI_CMD_RANGE) {
		status = check_range(t);
		if (unlikely(status != SCSI_GOOD))
			return status;
	}
	/* MAXIMUM TRANSFER LENGTH of the Block Limits VPD page. */
	if (unlikely(t->want_bytes > BUFFER_BYTES_MAX))
		return scsi_task_fail_cdb(t, cmd->len.at, -1);
	if (cmd->data == SCSI_DATA_OUT) {
		t->out_bytes = t->want_bytes;
		if (unlikely(t->out_bytes > t->out_max))
			return cut_data_out(t);
	}
	return SCSI_GOOD;
}

static enum scsi_status check(struct scsi_task *t)
{
	bool opcode_known;
	enum scsi_status status = find(t, &opcode_known);

	if (status == SCSI_GOOD && likely(t->itl))
		status = check_state(t, t->cmd ? t->cmd->flags : 0);
	if (status == SCSI_GOOD)
		status = check_command(t, opcode_known);
	if (status == SCSI_GOOD && likely(t->dev))
		status = check_medium(t);
	return status == SCSI_GOOD ? prepare(t) : status;
}

/* --- running --- */

static void count_start(struct scsi_task *t)
{
	struct lu_stats *s;

	if (!t->itl || t->cmd->unit != SCSI_UNIT_BLOCKS)
		return;
	s = &t->itl->stats;
	if (t->cmd->flags & SCSI_CMD_WRITES) {
		lu_stats_add(&s->wr_subm_cmds, 1);
		lu_stats_add(&s->wr_subm_bytes, t->out_bytes);
	} else {
		lu_stats_add(&s->rd_subm_cmds, 1);
		lu_stats_add(&s->rd_subm_bytes, t->want_bytes);
	}
}

/* It may have waited while somebody was fenced off; he must not write any more. */
static enum scsi_status may_still_run(struct scsi_task *t)
{
	if (!t->itl || t->cmd->flags & SCSI_CMD_NO_UA)
		return SCSI_GOOD;
	return scsi_reservation_gate(t);
}

static void run(struct scsi_task *t)
{
	enum scsi_status status;

	PROBE(scsi, task_run, t->nexus->id, t->tag, t->cdb[0]);
	t->state = SCSI_TASK_RUNNING;
	count_start(t);
	status = may_still_run(t);
	if (status == SCSI_GOOD)
		status = t->cmd->run(t);
	if (status != SCSI_PENDING)
		scsi_task_finish(t, status);
}

void scsi_dispatch_advance(struct scsi_task *t)
{
	/* Replies with parameter data take their memory when they know how much. */
	const uint64_t need = t->cmd->data == SCSI_DATA_OUT ? t->out_bytes :
			      t->cmd->unit == SCSI_UNIT_BLOCKS &&
					      t->cmd->data == SCSI_DATA_IN ?
							      t->want_bytes : 0;

	if (!t->collected && (t->out_bytes || t->data.iovcnt)) {
		if (!scsi_memory_get(t, t->out_bytes))
			return;
		t->state = SCSI_TASK_COLLECT;
		scsi_task_deliver_later(t);
		return;
	}
	if (need && !t->data.iovcnt && !t->loan.p && !scsi_memory_get(t, need))
		return;
	if (t->itl && unlikely(!scsi_task_set_may_run(t))) {
		t->state = SCSI_TASK_BLOCKED;
		return;
	}
	run(t);
}

void scsi_dispatch_start(struct scsi_task *t)
{
	enum scsi_status status;

	PROBE(scsi, task_start, t->nexus->id, t->tag, t->cdb[0]);
	t->started = true;
	t->nexus->nr_tasks++;
	status = check(t);
	if (unlikely(status != SCSI_GOOD))
		scsi_task_finish(t, status);
	else
		scsi_dispatch_advance(t);
}

/* Cut t->data to what the command takes; the transport may have had more. */
static void trim_data(struct scsi_task *t)
{
	uint64_t left = t->out_bytes;
	int n = 0;

	if (!left) {
		reactor_buffer_put(&t->data);
		return;
	}
	while (left) {
		assert(n < t->data.iovcnt);
		t->data.iov[n].iov_len = MIN(t->data.iov[n].iov_len, left);
		left -= t->data.iov[n++].iov_len;
	}
	t->io.iov = t->data.iov;
	t->io.iovcnt = n;
}

void scsi_dispatch_data_ready(struct scsi_task *t)
{
	if (t->aborted || t->state != SCSI_TASK_COLLECT)
		return;
	t->collected = true;
	trim_data(t);
	scsi_dispatch_advance(t);
}
