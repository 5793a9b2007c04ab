/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/data_in.c - the answer to a command: Data-In PDUs straight from its
 * buffer, the last of which carries GOOD status (11.7.3), or SCSI Response.
 */
#include "iscsi/command.h"

#include <stdlib.h>
#include <string.h>
#include "base/iov.h"
#include "base/log.h"
#include "iscsi/conn.h"

#define DATA_IN_MAX	(256U << 10)	/* of one PDU: spans two chunks at most */

static_assert(DATA_IN_MAX <= BUFFER_CHUNK_MAX, "ISCSI_PDU_IOV would not do");

/*
 * Residual count and its flag, 11.4.5: what the command would have moved, against
 * what the initiator expected in that direction.  A write that failed moved
 * nothing, but one that expected too little is told so all the same.
 */
static uint8_t residual(const struct iscsi_command *cmd, uint32_t *ret_bytes)
{
	const struct scsi_task *t = &cmd->task;
	const bool in = cmd->read || t->in_bytes;
	const uint64_t expected = in ? t->in_max : t->out_max;
	uint64_t actual = in ? t->in_bytes : t->want_bytes;

	if (!in && t->status != SCSI_GOOD && actual <= expected)
		actual = 0;
	if (actual > expected) {
		*ret_bytes = (uint32_t)MIN(actual - expected, (uint64_t)UINT32_MAX);
		return ISCSI_RSP_OVERFLOW;
	}
	*ret_bytes = cmd->edtl_bytes - (uint32_t)MIN(actual, (uint64_t)cmd->edtl_bytes);
	return *ret_bytes ? ISCSI_RSP_UNDERFLOW : 0;
}

/* Data-In for @n bytes at @off.  NULL: out of memory. */
static struct iscsi_pdu *data_pdu(struct iscsi_command *cmd, uint32_t off, uint32_t n)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_DATA_IN);

	if (!pdu)
		return NULL;
	pdu->data_in.flags = 0;
	pdu->data_in.itt = be32_make(cmd->itt);
	pdu->data_in.ttt = be32_make(ISCSI_TAG_NONE);
	pdu->data_in.datasn = be32_make(cmd->datasn++);
	pdu->data_in.offset_bytes = be32_make(off);
	pdu->data_bytes = n;
	pdu->nr_data = (uint8_t)iov_slice(cmd->task.data.iov, cmd->task.data.iovcnt,
					  off, n, pdu->data, ISCSI_PDU_IOV, NULL);
	pdu->cmd = cmd;
	scsi_task_get(&cmd->task);
	cmd->conn->data_in_pdus++;
	return pdu;
}

/* All @bytes, in sequences of MaxBurstLength; -1: out of memory. */
static int send_data(struct iscsi_command *cmd, uint32_t bytes, bool with_status)
{
	const uint32_t *v = cmd->conn->params.v;
	const uint32_t max = MIN(v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT], DATA_IN_MAX);
	uint32_t off = 0, burst_left = v[ISCSI_KEY_MAX_BURST], count;

	while (off < bytes) {
		const uint32_t n = MIN(MIN(bytes - off, burst_left), max);
		struct iscsi_pdu *pdu = data_pdu(cmd, off, n);

		if (!pdu)
			return -1;
		off += n;
		burst_left -= n;
		if (!burst_left || off == bytes) {
			pdu->data_in.flags |= ISCSI_FINAL;
			burst_left = v[ISCSI_KEY_MAX_BURST];
		}
		if (off == bytes && with_status) {
			pdu->data_in.flags |= ISCSI_DATA_STATUS |
					      residual(cmd, &count);
			pdu->data_in.status = (uint8_t)cmd->task.status;
			pdu->data_in.residual = be32_make(count);
		}
		iscsi_conn_send(cmd->conn, pdu);
	}
	return 0;
}

/* 11.4.7: two bytes of length, then the sense data. */
static int attach_sense(struct iscsi_pdu *pdu, const struct scsi_task *t)
{
	uint8_t *p;

	if (!t->sense_bytes)
		return 0;
	p = malloc(2U + t->sense_bytes);
	if (!p)
		return -1;
	be_store(p, 2, t->sense_bytes);
	memcpy(p + 2, t->sense, t->sense_bytes);
	iscsi_pdu_take_data(pdu, p, 2U + t->sense_bytes);
	return 0;
}

static int send_response(struct iscsi_command *cmd)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_RESPONSE);
	uint32_t count;

	if (!pdu || attach_sense(pdu, &cmd->task) < 0) {
		iscsi_pdu_free(pdu);
		return -1;
	}
	pdu->response.flags |= residual(cmd, &count);
	pdu->response.residual = be32_make(count);
	pdu->response.response = ISCSI_RSP_COMPLETED;
	pdu->response.status = (uint8_t)cmd->task.status;
	pdu->response.itt = be32_make(cmd->itt);
	pdu->response.exp_datasn = be32_make(cmd->read ? cmd->datasn : cmd->r2tsn);
	iscsi_conn_send(cmd->conn, pdu);
	return 0;
}

void iscsi_data_in_respond(struct iscsi_command *cmd)
{
	const struct scsi_task *t = &cmd->task;
	const uint32_t bytes = cmd->read ? (uint32_t)MIN(t->in_bytes, t->in_max) : 0;
	const bool with_status = bytes && t->status == SCSI_GOOD;

	cmd->conn->rsp_pdus++;
	if (send_data(cmd, bytes, with_status) < 0 ||
	    (!with_status && send_response(cmd) < 0))
		iscsi_conn_close(cmd->conn, "no memory for a response");
}
