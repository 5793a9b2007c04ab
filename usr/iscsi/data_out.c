/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/data_out.c - gathering the data of a write.
 *
 * First what comes unasked (immediate data, then Data-Out up to
 * FirstBurstLength), then bursts that we ask for with R2T, several at a time if
 * agreed.  DataPDUInOrder and DataSequenceInOrder are Yes, so each PDU must
 * continue where the one before it ended.
 */
#include "iscsi/data_out.h"

#include "base/log.h"
#include "iscsi/command.h"
#include "iscsi/conn.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "scsi/dispatch.h"

bool iscsi_data_out_expected(const struct iscsi_command *cmd)
{
	return !cmd->final || cmd->nr_r2t;
}

static struct iscsi_r2t *find_r2t(struct iscsi_command *cmd, uint32_t ttt)
{
	for (unsigned int i = 0; i < cmd->nr_r2t; i++)
		if (cmd->r2t[i].ttt == ttt)
			return &cmd->r2t[i];
	return NULL;
}

static int send_r2t(struct iscsi_command *cmd)
{
	const uint32_t left = (uint32_t)cmd->task.out_bytes - cmd->asked_bytes;
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_R2T);
	struct iscsi_session *s = cmd->session;
	struct iscsi_r2t *r2t = &cmd->r2t[cmd->nr_r2t];

	if (!pdu)
		return -1;
	if (++s->next_ttt == ISCSI_TAG_NONE)
		s->next_ttt = 0;
	*r2t = (struct iscsi_r2t){
		.ttt = s->next_ttt,
		.off_bytes = cmd->asked_bytes,
		.len_bytes = MIN(left, cmd->conn->params.v[ISCSI_KEY_MAX_BURST]),
	};
	cmd->nr_r2t++;
	cmd->asked_bytes += r2t->len_bytes;
	pdu->r2t.lun = be64_make(cmd->task.lun);
	pdu->r2t.itt = be32_make(cmd->itt);
	pdu->r2t.ttt = be32_make(r2t->ttt);
	pdu->r2t.r2tsn = be32_make(cmd->r2tsn++);
	pdu->r2t.offset_bytes = be32_make(r2t->off_bytes);
	pdu->r2t.desired_bytes = be32_make(r2t->len_bytes);
	iscsi_conn_send(cmd->conn, pdu);
	return 0;
}

/* Ask for more, or hand over what is complete. */
static void progress(struct iscsi_command *cmd)
{
	const uint32_t max = MIN(cmd->conn->params.v[ISCSI_KEY_MAX_OUTSTANDING_R2T],
				 (uint32_t)ISCSI_R2T_MAX);
	struct scsi_task *t = &cmd->task;

	if (cmd->deferred) {
		if (!iscsi_data_out_expected(cmd)) {
			cmd->deferred = false;
			iscsi_command_undefer(cmd);
		}
		return;
	}
	if (!cmd->collecting || !cmd->final)
		return;
	if (cmd->data_error && !cmd->nr_r2t) {
		cmd->collecting = false;
		scsi_task_complete(t, scsi_task_fail(t, cmd->data_error));
		return;
	}
	while (!cmd->data_error && cmd->asked_bytes < t->out_bytes && cmd->nr_r2t < max)
		if (send_r2t(cmd) < 0) {
			iscsi_conn_close(cmd->conn, "no memory for an R2T");
			return;
		}
	if (!cmd->nr_r2t && cmd->got_bytes >= t->out_bytes) {
		cmd->collecting = false;
		scsi_dispatch_data_ready(t);
	}
}

void iscsi_data_out_collect(struct scsi_task *t)
{
	struct iscsi_command *cmd = container_of(t, struct iscsi_command, task);

	cmd->collecting = true;
	if (cmd->final)
		cmd->asked_bytes = cmd->unsolicited_bytes;
	progress(cmd);
}

/* The PDU does not follow the one before it. */
static bool out_of_sequence(struct iscsi_command *cmd, const struct iscsi_bhs_data_out *h)
{
	const uint32_t off = be32_get(h->offset_bytes), datasn = be32_get(h->datasn);
	const struct iscsi_r2t *r2t;

	if (be32_get(h->ttt) == ISCSI_TAG_NONE)
		return off != cmd->unsolicited_bytes || datasn != cmd->unsolicited_datasn;
	r2t = find_r2t(cmd, be32_get(h->ttt));
	return off != r2t->off_bytes + r2t->got_bytes || datasn != r2t->next_datasn;
}

/*
 * 7.9, sequence errors: at ERL 0 the data cannot be asked for again, so the
 * command fails, now.  What still comes for it is thrown away.
 */
static void fail_sequence(struct iscsi_command *cmd)
{
	log_info("conn %lu: Data-Out out of sequence, command 0x%08x fails",
		 (unsigned long)cmd->conn->id, cmd->itt);
	cmd->data_error = SCSI_SENSE_DATA_PHASE_ERROR;
	cmd->final = true;
	cmd->nr_r2t = 0;
	progress(cmd);
}

/* What 11.7 forbids of this PDU; NULL if all is well. */
static const char *objection(const struct iscsi_conn *conn, struct iscsi_command *cmd,
			     const struct iscsi_bhs_data_out *h)
{
	const uint32_t off = be32_get(h->offset_bytes), n = be24_get(h->data_bytes);
	const uint32_t first_burst = MIN(conn->params.v[ISCSI_KEY_FIRST_BURST],
					 cmd->edtl_bytes);
	const struct iscsi_r2t *r2t;

	if (be32_get(h->ttt) == ISCSI_TAG_NONE) {
		if (cmd->final)
			return "unsolicited data after its end";
		if (out_of_sequence(cmd, h))
			return NULL;
		if (n > first_burst - MIN(off, first_burst))
			return "unsolicited data beyond FirstBurstLength";
		return NULL;
	}
	r2t = find_r2t(cmd, be32_get(h->ttt));
	if (!r2t)
		return "data for an R2T that is not outstanding";
	if (out_of_sequence(cmd, h))
		return NULL;
	if (n > r2t->len_bytes - r2t->got_bytes)
		return "more data than the R2T asked for";
	if (!(h->flags & ISCSI_FINAL) != (n < r2t->len_bytes - r2t->got_bytes))
		return "the F bit does not stand at the end of the burst";
	return NULL;
}

int iscsi_data_out_header(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	const struct iscsi_bhs_data_out *h = &pdu->data_out;
	struct iscsi_command *cmd;
	const char *why;

	conn->data_out_pdus++;
	/* A command that was aborted, or dropped for its CmdSN, or has failed:
	 * silence. */
	cmd = iscsi_command_find(conn->session, be32_get(h->itt));
	if (!cmd || cmd->data_error == SCSI_SENSE_DATA_PHASE_ERROR) {
		conn->rx.discard = true;
		return 0;
	}
	why = objection(conn, cmd, h);
	if (why) {
		iscsi_reject_and_close(conn, &pdu->bhs, ISCSI_REJECT_PROTOCOL_ERROR, why);
		return 0;
	}
	if (out_of_sequence(cmd, h)) {
		conn->rx.discard = true;
		fail_sequence(cmd);
		return 0;
	}
	scsi_task_get(&cmd->task);
	pdu->cmd = cmd;
	if (cmd->busy || cmd->deferred || !cmd->task.data.iovcnt) {
		conn->rx.discard = true;
		return 0;
	}
	scsi_task_get(&cmd->task);
	conn->rx.cmd = cmd;
	conn->rx.cmd_off = be32_get(h->offset_bytes);
	return 0;
}

static void count(struct iscsi_command *cmd, const struct iscsi_bhs_data_out *h)
{
	const uint32_t n = be24_get(h->data_bytes);
	struct iscsi_r2t *r2t;

	cmd->got_bytes += n;
	if (be32_get(h->ttt) == ISCSI_TAG_NONE) {
		cmd->unsolicited_bytes += n;
		cmd->unsolicited_datasn++;
		cmd->final = h->flags & ISCSI_FINAL;
		cmd->asked_bytes = cmd->unsolicited_bytes;
		return;
	}
	r2t = find_r2t(cmd, be32_get(h->ttt));
	r2t->got_bytes += n;
	r2t->next_datasn++;
	if (r2t->got_bytes == r2t->len_bytes)
		*r2t = cmd->r2t[--cmd->nr_r2t];
}

int iscsi_data_out_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *req = pdu;
	struct iscsi_command *cmd = req->cmd;

	(void)conn;
	/* Aborted since its header came? */
	if (!cmd || cmd->answered)
		return 0;
	count(cmd, &req->data_out);
	progress(cmd);
	return 0;
}
