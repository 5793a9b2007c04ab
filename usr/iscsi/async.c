/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/async.c - event 1, "target requests logout". */
#include "iscsi/async.h"

#include "iscsi/conn.h"

void iscsi_async_logout(struct iscsi_conn *conn, unsigned int seconds)
{
	struct iscsi_pdu *pdu;

	if (conn->state != ISCSI_CONN_FULL_FEATURE)
		return;
	pdu = iscsi_pdu_new(ISCSI_OP_ASYNC);
	if (!pdu)
		return;		/* the connection is closed later all the same */
	pdu->async.tag = be32_make(ISCSI_TAG_NONE);
	pdu->async.event = ISCSI_ASYNC_LOGOUT;
	pdu->async.parameter3 = be16_make((uint16_t)seconds);
	iscsi_conn_send(conn, pdu);
}
