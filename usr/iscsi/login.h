/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/login.h - the login phase of a connection, RFC 7143 clause 6. */
#pragma once
#include "iscsi/proto.h"

struct iscsi_conn;
struct iscsi_pdu;

/* For a fresh connection, on its reactor.  -ENOMEM. */
int iscsi_login_start(struct iscsi_conn *conn);

/* A PDU in the login phase.  Takes @pdu.  Answers it (now, or when control has),
 * ends the connection after a refusal, or moves it to full feature phase: then
 * conn->session, params and digests are set and conn->login is NULL.  Any other
 * PDU than a Login Request is refused, too (6.3: "invalid during login").
 * < 0: the connection cannot go on (no answer is due). */
int iscsi_login_request(struct iscsi_conn *conn, struct iscsi_pdu *pdu);

/* Answer the request with header @bhs (borrowed) by @status and end the
 * connection when that was sent.  Only in the login phase.  -ENOMEM. */
int iscsi_login_refuse(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
		       enum iscsi_login_status status, const char *why);

void iscsi_login_free(struct iscsi_conn *conn);	/* accepts none */

/* A Text Request in full feature phase (SendTargets, RFC 7143 11.10).  Takes
 * @pdu.  In iscsi/text_req.c. */
int iscsi_text_req_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
struct iscsi_text_exchange;
void iscsi_text_req_exchange_free(struct iscsi_text_exchange *x);	/* accepts NULL */
