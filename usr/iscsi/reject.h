/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/reject.h - the Reject PDU, RFC 7143 11.17. */
#pragma once
#include "iscsi/proto.h"

struct iscsi_conn;
struct iscsi_pdu;

/* Queue a Reject that carries the offending header @bhs (borrowed). */
void iscsi_reject(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
		  enum iscsi_reject_reason reason);

/* Reject @bhs and end the connection when that was sent: at error recovery
 * level 0 a broken exchange is healed by a new session. */
void iscsi_reject_and_close(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
			    enum iscsi_reject_reason reason, const char *why);

/* SNACK: nothing can be asked for again at ERL 0.  Takes @pdu. */
int iscsi_reject_snack(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
