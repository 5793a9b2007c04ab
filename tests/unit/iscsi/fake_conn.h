/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_conn.h - what lies around a login and a text exchange, without sockets and
 * threads: PDUs that are sent are kept, control's answer is given by the test.
 * For one test program each.
 */
#pragma once
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "iscsi/conn.h"
#include "iscsi/reject.h"
#include "base/text.h"
#include "iscsi/session.h"
#include "net/addr.h"

#define SENT_MAX	64

static struct {
	struct iscsi_conn conn;
	struct iscsi_pdu *sent[SENT_MAX];
	unsigned int nr_sent;
	struct iscsi_session_request *asked;	/* of control, not answered */
	struct iscsi_session session;
	bool ending, paused, logged_in;
	unsigned int nr_sessions_closed;
	int reject;				/* the reason of the last Reject; -1 */
} fake;

struct iscsi_pdu *iscsi_pdu_new(enum iscsi_opcode op)
{
	struct iscsi_pdu *pdu = calloc(1, sizeof(*pdu));

	list_init(&pdu->node);
	pdu->bhs.opcode = (uint8_t)op;
	pdu->bhs.flags = ISCSI_FINAL;
	pdu->bhs.itt = be32_make(ISCSI_TAG_NONE);
	return pdu;
}

void iscsi_pdu_free(struct iscsi_pdu *pdu)
{
	if (!pdu)
		return;
	free(pdu->owned);
	free(pdu);
}

void iscsi_pdu_take_data(struct iscsi_pdu *pdu, void *data, uint32_t bytes)
{
	free(pdu->owned);
	pdu->owned = data;
	pdu->data_bytes = bytes;
}

void iscsi_conn_send(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	assert_int_equal(conn->state < ISCSI_CONN_ENDING, true);
	assert_true(fake.nr_sent < SENT_MAX);
	pdu->login_rsp.statsn = be32_make(conn->statsn++);
	fake.sent[fake.nr_sent++] = pdu;
}

void iscsi_conn_close(struct iscsi_conn *conn, const char *why)
{
	(void)why;
	conn->state = ISCSI_CONN_CLOSED;
}

void iscsi_conn_close_when_sent(struct iscsi_conn *conn)
{
	conn->state = ISCSI_CONN_ENDING;
	fake.ending = true;
}

void iscsi_conn_get(struct iscsi_conn *conn)
{
	conn->refs++;
}

void iscsi_conn_put(struct iscsi_conn *conn)
{
	assert_true(conn->refs > 1);
	conn->refs--;
}

void iscsi_conn_rx_pause(struct iscsi_conn *conn)
{
	(void)conn;
	fake.paused = true;
}

void iscsi_conn_rx_resume(struct iscsi_conn *conn)
{
	(void)conn;
	fake.paused = false;
}

void iscsi_conn_login_done(struct iscsi_conn *conn)
{
	conn->state = ISCSI_CONN_FULL_FEATURE;
	fake.logged_in = true;
}

void iscsi_session_open(struct iscsi_session_request *req)
{
	assert_null(fake.asked);
	fake.asked = req;
}

void iscsi_session_close(struct iscsi_session *s)
{
	(void)s;
	fake.nr_sessions_closed++;
}

void iscsi_reject(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
		  enum iscsi_reject_reason reason)
{
	(void)conn;
	(void)bhs;
	fake.reject = (int)reason;
}

/* Control's answer. */
static inline void fake_answer(enum iscsi_login_status status)
{
	struct iscsi_session_request *req = fake.asked;

	assert_non_null(req);
	fake.asked = NULL;
	req->status = status;
	if (status == ISCSI_LOGIN_OK) {
		fake.session = (struct iscsi_session){
			.tsih = 77, .sid = 5, .target = req->target,
			.conn = req->conn,
		};
		memcpy(fake.session.initiator_name, req->initiator_name,
		       sizeof(req->initiator_name));
		req->session = &fake.session;
	}
	req->done(req);
}

static inline void fake_forget_sent(void)
{
	while (fake.nr_sent)
		iscsi_pdu_free(fake.sent[--fake.nr_sent]);
}

static inline void fake_begin(void)
{
	fake_forget_sent();
	memset(&fake, 0, sizeof(fake));
	fake.reject = -1;
	fake.conn.refs = 1;
	fake.conn.tpgt = 1;
	fake.conn.id = 1;
	text_copy(fake.conn.peer_text, sizeof(fake.conn.peer_text), "192.0.2.1");
	net_addr_parse("192.0.2.1:40000", 0, &fake.conn.peer, NULL, 0);
	net_addr_parse("192.0.2.10:3260", 0, &fake.conn.local, NULL, 0);
}

/* All text of the PDUs that were sent, pairs separated by blanks; which are then
 * forgotten. */
static inline const char *fake_text(void)
{
	static char text[1 << 20];
	size_t at = 0;

	for (unsigned int i = 0; i < fake.nr_sent; i++) {
		const struct iscsi_pdu *p = fake.sent[i];

		assert_true(at + p->data_bytes < sizeof(text));
		if (p->data_bytes)
			memcpy(text + at, p->owned, p->data_bytes);
		at += p->data_bytes;
	}
	text[at] = '\0';
	for (size_t i = 0; i < at; i++)
		if (!text[i])
			text[i] = i + 1 == at ? '\0' : ' ';
	fake_forget_sent();
	return text;
}
