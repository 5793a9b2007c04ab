/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/report_opcodes.c - REPORT SUPPORTED OPERATION CODES, SPC-4 r37 6.35, and
 * REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS, 6.36.  All of it comes from the
 * rows of the command tables.
 */
#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/tmf.h"
#include "spc/handlers.h"

#define RCTD		0x80	/* byte 2: with timeouts descriptors */
#define TIMEOUTS_BYTES	12
#define DESCRIPTOR_BYTES 8
#define LIST_MAX	256	/* commands of a type; a test counts them */

enum { ALL = 0, ONE_OPCODE = 1, ONE_SERVICE_ACTION = 2, ONE_ANY = 3 };
enum { SUPPORT_NONE = 1, SUPPORT_STANDARD = 3 };

struct list {
	const struct scsi_device *dev;
	bool rctd;
	size_t n;
	uint8_t d[4 + LIST_MAX * (DESCRIPTOR_BYTES + TIMEOUTS_BYTES)];
};

/* Command timeouts descriptor, 6.35.4. */
static void put_timeouts(uint8_t *p, const struct scsi_command *cmd)
{
	memset(p, 0, TIMEOUTS_BYTES);
	be_store(p, 2, TIMEOUTS_BYTES - 2);
	be_store(p + 4, 4, cmd->timeout_s);
	be_store(p + 8, 4, cmd->timeout_s);
}

/* All_commands, 6.35.2. */
static void put_descriptor(const struct scsi_command *cmd, void *arg)
{
	struct list *l = arg;
	uint8_t *p = l->d + l->n;

	if (!scsi_device_has_command(l->dev, cmd) ||
	    l->n + DESCRIPTOR_BYTES + TIMEOUTS_BYTES > sizeof(l->d))
		return;
	memset(p, 0, DESCRIPTOR_BYTES);
	p[0] = cmd->opcode;
	be_store(p + 2, 2, cmd->sa);
	p[5] = (uint8_t)(cmd->has_sa | l->rctd << 1);
	be_store(p + 6, 2, cmd->cdb_bytes);
	l->n += DESCRIPTOR_BYTES;
	if (l->rctd) {
		put_timeouts(l->d + l->n, cmd);
		l->n += TIMEOUTS_BYTES;
	}
}

static enum scsi_status report_all(struct scsi_task *t, bool rctd)
{
	struct list l = { .dev = t->dev, .rctd = rctd, .n = 4 };

	scsi_device_type_each_command(t->dev->type, put_descriptor, &l);
	be_store(l.d, 4, l.n - 4);
	return scsi_task_reply(t, l.d, l.n);
}

/* One_command, 6.35.3.  @cmd NULL: not supported. */
static enum scsi_status report_one(struct scsi_task *t, const struct scsi_command *cmd,
				   bool rctd)
{
	uint8_t d[4 + SCSI_CDB_MAX + TIMEOUTS_BYTES] = { 0 };
	size_t n = 4;

	d[1] = SUPPORT_NONE;
	if (cmd) {
		d[1] = (uint8_t)(SUPPORT_STANDARD | (rctd ? 0x80 : 0));
		be_store(d + 2, 2, cmd->cdb_bytes);
		memcpy(d + 4, cmd->usage, cmd->cdb_bytes);
		n += cmd->cdb_bytes;
		if (rctd) {
			put_timeouts(d + n, cmd);
			n += TIMEOUTS_BYTES;
		}
	}
	return scsi_task_reply(t, d, n);
}

/* Does any row of the opcode have (or lack) a service action? */
struct sa_question {
	uint8_t opcode;
	bool with, without;
};

static void ask(const struct scsi_command *cmd, void *arg)
{
	struct sa_question *q = arg;

	if (cmd->opcode == q->opcode)
		*(cmd->has_sa ? &q->with : &q->without) = true;
}

static const struct scsi_command *find(const struct scsi_device *dev, uint8_t opcode,
				       uint16_t sa)
{
	uint8_t cdb[SCSI_CDB_MAX] = { opcode };
	const struct scsi_command *cmd;
	bool known;

	if (opcode == 0x7f)
		be_store(cdb + 8, 2, sa);
	else
		cdb[1] = sa & 0x1f;
	cmd = scsi_device_type_command(dev->type, cdb, &known);
	if (cmd && (!scsi_device_has_command(dev, cmd) || (cmd->has_sa && cmd->sa != sa)))
		cmd = NULL;
	return cmd;
}

enum scsi_status spc_report_opcodes_run(struct scsi_task *t)
{
	const unsigned int options = t->cdb[2] & 0x07;
	const uint16_t sa = (uint16_t)be_load(t->cdb + 4, 2);
	const bool rctd = t->cdb[2] & RCTD;
	struct sa_question q = { .opcode = t->cdb[3] };

	scsi_device_type_each_command(t->dev->type, ask, &q);
	switch (options) {
	case ALL:
		return report_all(t, rctd);
	case ONE_OPCODE:
		if (q.with)
			return scsi_task_fail_cdb(t, 2, 2);
		return report_one(t, find(t->dev, q.opcode, 0), rctd);
	case ONE_SERVICE_ACTION:
		if (q.without)
			return scsi_task_fail_cdb(t, 2, 2);
		return report_one(t, find(t->dev, q.opcode, sa), rctd);
	case ONE_ANY:
		if (q.without && sa)
			return report_one(t, NULL, rctd);
		return report_one(t, find(t->dev, q.opcode, sa), rctd);
	default:
		return scsi_task_fail_cdb(t, 2, 2);
	}
}

/*
 * Timeouts are in 100 ms: a function is answered within SCSI_TMF_WAIT_MS, and the
 * network is given as much again.
 */
#define TMF_TIMEOUT	((2 * SCSI_TMF_WAIT_MS + 99) / 100)
#define TMFTMOV		0x01

enum scsi_status spc_report_opcodes_tmf(struct scsi_task *t)
{
	/* ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET, and
	 * TARGET RESET in the bit that SAM-2 had for it. */
	const uint8_t functions = 0x80 | 0x40 | 0x10 | 0x08 | 0x02;
	/* The timeout selectors are 0: the short one holds for all of them. */
	uint8_t d[16] = { functions, [3] = 0x0c, TMFTMOV };
	const bool repd = t->cdb[2] & 0x80;

	if (t->nr < 4)
		return scsi_task_fail_cdb(t, 6, -1);
	be_store(d + 8, 4, TMF_TIMEOUT);
	be_store(d + 12, 4, TMF_TIMEOUT);
	if (!repd)
		d[3] = 0;
	return scsi_task_reply(t, d, repd ? sizeof(d) : 4);
}
