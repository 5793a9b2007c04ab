/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/command.c - between SCSI Command PDUs and SCSI tasks.
 *
 * A command is in session->commands from its start to its answer (or abort);
 * during that time its ITT is taken and it counts against the window.  Its
 * memory lives until the SCSI core, the receiver (rx.cmd) and every PDU that
 * sends from its buffer have put their reference.
 */
#include "iscsi/command.h"

#include <errno.h>
#include <string.h>
#include "base/log.h"
#include "base/pool.h"
#include "iscsi/conn.h"
#include "iscsi/data_out.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "reactor/reactor.h"
#include "scsi/dispatch.h"

#define COMMANDS_PER_SLAB	64
#define COMMANDS_MAX		(1U << 18)
#define IMMEDIATE_MAX		64	/* commands beyond the window, RFC 7143 4.2.2.1 */

static __thread struct pool *pool;

static void free_pool(void)
{
	pool_free(pool);
	pool = NULL;
}

static struct iscsi_command *command_new(struct iscsi_conn *conn)
{
	struct iscsi_command *cmd;

	if (unlikely(!pool)) {
		pool = pool_new(sizeof(*cmd), 64, COMMANDS_PER_SLAB, COMMANDS_MAX);
		if (!pool)
			return NULL;
		reactor_on_exit(conn->reactor, free_pool);
	}
	cmd = pool_get(pool);
	if (unlikely(!cmd))
		return NULL;
	memset(cmd, 0, sizeof(*cmd));
	list_init(&cmd->node);
	iscsi_conn_get(conn);
	cmd->conn = conn;
	cmd->session = conn->session;
	cmd->task.transport = &iscsi_command_transport;
	cmd->task.nexus = &conn->session->nexus;
	scsi_task_init(&cmd->task);
	return cmd;
}

/* Nobody uses the task any more. */
static void release(struct scsi_task *t)
{
	struct iscsi_command *cmd = container_of(t, struct iscsi_command, task);

	assert(!list_is_linked(&cmd->node));
	iscsi_conn_put(cmd->conn);
	pool_put(pool, cmd);
}

static struct list_head *bucket(struct iscsi_session *s, uint32_t itt)
{
	return &s->commands[itt % ISCSI_SESSION_BUCKETS];
}

struct iscsi_command *iscsi_command_find(struct iscsi_session *s, uint32_t itt)
{
	struct list_head *b = bucket(s, itt);
	struct iscsi_command *cmd;

	list_for_each(cmd, b, node)
		if (cmd->itt == itt)
			return cmd;
	return NULL;
}

/* No answer is owed any more: the ITT is free, the window opens by one. */
static void forget(struct iscsi_command *cmd)
{
	if (cmd->answered)
		return;
	cmd->answered = true;
	list_del(&cmd->node);
	cmd->session->nr_commands--;
}

static void respond(struct scsi_task *t)
{
	struct iscsi_command *cmd = container_of(t, struct iscsi_command, task);

	/* 11.4: what we asked for, or was announced, must come first; else it
	 * could be taken for data of the next command with this ITT. */
	if (iscsi_data_out_expected(cmd)) {
		cmd->deferred = true;
		return;
	}
	iscsi_command_undefer(cmd);
}

void iscsi_command_undefer(struct iscsi_command *cmd)
{
	forget(cmd);
	iscsi_data_in_respond(cmd);
	scsi_task_put(&cmd->task);
}

static void aborted(struct scsi_task *t)
{
	struct iscsi_command *cmd = container_of(t, struct iscsi_command, task);

	forget(cmd);
	scsi_task_put(t);
}

void iscsi_command_drop_one(struct iscsi_command *cmd)
{
	aborted(&cmd->task);
}

void iscsi_command_drop(struct iscsi_session *s, const uint64_t *lun)
{
	struct iscsi_command *cmd, *tmp;

	for (unsigned int i = 0; i < ISCSI_SESSION_BUCKETS; i++)
		list_for_each_safe(cmd, tmp, &s->commands[i], node)
			if ((!cmd->started || cmd->deferred) &&
			    (!lun || cmd->task.lun == *lun))
				iscsi_command_drop_one(cmd);
}

const struct scsi_transport iscsi_command_transport = {
	.collect = iscsi_data_out_collect,
	.respond = respond,
	.aborted = aborted,
	.release = release,
};

/* Additional header segments, 11.2.2: a long CDB, the read half of a
 * bidirectional command.  False: malformed. */
static bool parse_ahs(struct iscsi_command *cmd, const uint8_t *p, size_t bytes)
{
	while (bytes >= 4) {
		const size_t len = (size_t)p[0] << 8 | p[1];	/* from byte 3 on */
		const size_t whole = ROUND_UP(3 + len, (size_t)4);

		if (whole > bytes || !len)
			return false;
		if ((p[2] & 0x3f) == ISCSI_AHS_EXTENDED_CDB) {
			const size_t n = MIN(len - 1, sizeof(cmd->task.cdb) - 16);

			memcpy(cmd->task.cdb + 16, p + 4, n);
			cmd->task.cdb_bytes = (uint8_t)MIN(16 + len - 1, (size_t)255);
		} else if ((p[2] & 0x3f) == ISCSI_AHS_BIDI_READ && len == 5) {
			cmd->task.in_max = be_load(p + 4, 4);
		}
		p += whole;
		bytes -= whole;
	}
	return bytes == 0;
}

static bool fill(struct iscsi_command *cmd, const struct iscsi_pdu *pdu)
{
	const struct iscsi_bhs_command *h = &pdu->command;
	struct scsi_task *t = &cmd->task;

	cmd->itt = be32_get(h->itt);
	cmd->edtl_bytes = be32_get(h->expected_bytes);
	cmd->read = h->flags & ISCSI_CMD_READ;
	cmd->write = h->flags & ISCSI_CMD_WRITE;
	cmd->final = h->flags & ISCSI_FINAL || !cmd->write;
	t->lun = be64_get(h->lun);
	t->tag = cmd->itt;
	t->attr = SCSI_ATTR_SIMPLE;
	switch (h->flags & ISCSI_CMD_ATTR) {
	case 2:
		t->attr = SCSI_ATTR_ORDERED;
		break;
	case 3:
		t->attr = SCSI_ATTR_HEAD_OF_QUEUE;
		break;
	case 4 ... 7:		/* ACA, and what is reserved */
		t->attr = SCSI_ATTR_ACA;
		break;
	}
	memcpy(t->cdb, h->cdb, sizeof(h->cdb));
	t->cdb_bytes = sizeof(h->cdb);
	t->out_max = cmd->write ? cmd->edtl_bytes : 0;
	t->in_max = cmd->read && !cmd->write ? cmd->edtl_bytes : 0;
	t->may_borrow = !cmd->conn->data_digest;
	return !h->ahs_words || parse_ahs(cmd, pdu->owned, h->ahs_words * 4U);
}

/* What RFC 7143 11.3 forbids; NULL if all is well. */
static const char *objection(const struct iscsi_conn *conn,
			     const struct iscsi_command *cmd, uint32_t data_bytes)
{
	const uint32_t *v = conn->params.v;

	if (cmd->itt == ISCSI_TAG_NONE)
		return "reserved ITT";
	if (data_bytes && !cmd->write)
		return "data with a command that does not write";
	if (data_bytes && !v[ISCSI_KEY_IMMEDIATE_DATA])
		return "immediate data, but ImmediateData=No";
	if (data_bytes > v[ISCSI_KEY_FIRST_BURST])
		return "immediate data longer than FirstBurstLength";
	if (data_bytes > cmd->edtl_bytes)
		return "immediate data longer than Expected Data Transfer Length";
	if (!cmd->final && v[ISCSI_KEY_INITIAL_R2T])
		return "unsolicited data announced, but InitialR2T=Yes";
	return NULL;
}

int iscsi_command_header(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	struct iscsi_command *cmd = command_new(conn);
	const uint32_t bytes = be24_get(pdu->bhs.data_bytes);
	const uint32_t first_burst = conn->params.v[ISCSI_KEY_FIRST_BURST];
	const char *why;

	if (!cmd)
		return -ENOMEM;
	pdu->cmd = cmd;
	why = fill(cmd, pdu) ? objection(conn, cmd, bytes)
			     : "malformed additional header segment";
	if (why) {
		iscsi_reject_and_close(conn, &pdu->bhs, ISCSI_REJECT_PROTOCOL_ERROR, why);
		return 0;
	}
	/* Data that comes unasked needs a place before the SCSI core is asked; if
	 * more is to come, the core finds it a larger one. */
	if (bytes || !cmd->final)
		cmd->busy = reactor_buffer_get_promised(&cmd->task.data, cmd->final ? bytes :
					MIN(cmd->edtl_bytes, first_burst)) < 0;
	if (!bytes)
		return 0;
	cmd->got_bytes = cmd->unsolicited_bytes = bytes;
	if (cmd->busy) {
		conn->rx.discard = true;
		return 0;
	}
	scsi_task_get(&cmd->task);
	conn->rx.cmd = cmd;
	conn->rx.cmd_off = 0;
	return 0;
}

/*
 * The ITT is that of a command under way: an overlapped command, SAM-5 r21 5.10.
 * An initiator that has lost count of its tags could take the answer to the one
 * for that to the other, so every command of the nexus ends here, and this one is
 * told why.
 */
static void abort_overlapped(struct iscsi_command *cmd)
{
	struct iscsi_session *s = cmd->session;

	log_warn("conn %lu: %s uses task tag 0x%x twice: its commands are aborted",
		 (unsigned long)cmd->conn->id, s->initiator_name, cmd->itt);
	iscsi_command_drop(s, NULL);
	scsi_nexus_abort_all(&s->nexus);
	cmd->task.status = scsi_task_fail(&cmd->task, SCSI_SENSE_OVERLAPPED_COMMANDS);
}

/* Too many at once: the initiator is told, and nothing has happened. */
static bool refused(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	const struct iscsi_session *s = conn->session;

	if (unlikely(s->nr_commands >= s->window + IMMEDIATE_MAX)) {
		iscsi_reject(conn, &pdu->bhs, ISCSI_REJECT_IMMEDIATE);
		return true;
	}
	return false;
}

int iscsi_command_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *req = pdu;
	struct iscsi_session *s = conn->session;
	struct iscsi_command *cmd = req->cmd;

	conn->cmd_pdus++;
	if (refused(conn, req))
		return 0;
	req->cmd = NULL;		/* the reference is the command's own now */
	if (unlikely(iscsi_command_find(s, cmd->itt)))
		abort_overlapped(cmd);
	list_add_tail(bucket(s, cmd->itt), &cmd->node);
	s->nr_commands++;
	/* No command that we have is bidirectional. */
	if (unlikely(cmd->read && cmd->write))
		cmd->task.status = scsi_task_fail(&cmd->task,
						  SCSI_SENSE_INVALID_FIELD_IN_COMMAND_IU);
	if (unlikely(cmd->busy))
		cmd->task.status = SCSI_BUSY;
	if (unlikely(cmd->task.status != SCSI_GOOD)) {
		respond(&cmd->task);
		return 0;
	}
	cmd->started = true;
	scsi_dispatch_start(&cmd->task);
	return 0;
}
