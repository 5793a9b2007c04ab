/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/logout.c - with one connection a session, closing the connection and
 * closing the session are the same; recovery (reason 2) needs ERL 2.
 */
#include "iscsi/logout.h"

#include <errno.h>
#include "base/log.h"
#include "iscsi/conn.h"
#include "iscsi/reject.h"

static uint8_t verdict(const struct iscsi_conn *conn,
		       const struct iscsi_bhs_logout_req *req)
{
	const uint16_t cid = be16_get(req->cid);

	switch (req->reason & 0x7f) {
	case ISCSI_LOGOUT_SESSION:
		return ISCSI_LOGOUT_RSP_OK;	/* the CID field is reserved */
	case ISCSI_LOGOUT_CONN:
		return cid == conn->cid ? ISCSI_LOGOUT_RSP_OK
					: ISCSI_LOGOUT_RSP_NO_CID;
	default:
		return ISCSI_LOGOUT_RSP_NO_RECOVERY;
	}
}

int iscsi_logout_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *req = pdu;
	struct iscsi_pdu *rsp;

	if ((req->logout_req.reason & 0x7f) > ISCSI_LOGOUT_RECOVERY) {
		iscsi_reject(conn, &req->bhs, ISCSI_REJECT_INVALID_FIELD);
		return 0;
	}
	rsp = iscsi_pdu_new(ISCSI_OP_LOGOUT_RSP);
	if (!rsp)
		return -ENOMEM;
	rsp->logout_rsp.itt = req->logout_req.itt;
	rsp->logout_rsp.response = verdict(conn, &req->logout_req);
	rsp->logout_rsp.time2wait =
		be16_make((uint16_t)conn->params.v[ISCSI_KEY_TIME2WAIT]);
	rsp->logout_rsp.time2retain =
		be16_make((uint16_t)conn->params.v[ISCSI_KEY_TIME2RETAIN]);
	log_debug("conn %lu: logout, answer %u", (unsigned long)conn->id,
		  rsp->logout_rsp.response);
	if (rsp->logout_rsp.response != ISCSI_LOGOUT_RSP_OK) {
		iscsi_conn_send(conn, rsp);
		return 0;
	}
	iscsi_conn_send(conn, rsp);
	iscsi_conn_close_when_sent(conn);
	return 0;
}
