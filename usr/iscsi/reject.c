/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/reject.c - the answer to what cannot be understood or allowed. */
#include "iscsi/reject.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "iscsi/conn.h"

void iscsi_reject(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
		  enum iscsi_reject_reason reason)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_REJECT);
	uint8_t *copy = pdu ? malloc(sizeof(*bhs)) : NULL;

	if (!copy) {
		iscsi_pdu_free(pdu);
		iscsi_conn_close(conn, "no memory for a Reject");
		return;
	}
	memcpy(copy, bhs, sizeof(*bhs));
	pdu->reject.reason = (uint8_t)reason;
	iscsi_pdu_take_data(pdu, copy, sizeof(*bhs));
	log_debug("conn %lu: reject opcode 0x%02x, reason 0x%02x",
		  (unsigned long)conn->id, bhs->opcode, reason);
	iscsi_conn_send(conn, pdu);
}

void iscsi_reject_and_close(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
			    enum iscsi_reject_reason reason, const char *why)
{
	log_info("conn %lu from %s: %s", (unsigned long)conn->id,
		 conn->peer_text, why);
	iscsi_reject(conn, bhs, reason);
	iscsi_conn_close_when_sent(conn);
}

int iscsi_reject_snack(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	iscsi_reject(conn, &pdu->bhs, ISCSI_REJECT_SNACK);
	iscsi_pdu_free(pdu);
	return 0;
}
