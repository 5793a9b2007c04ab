/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/nop.c - echo requests, and probes of our own: after nop_interval
 * seconds without a byte from the initiator a NOP-In asks for an answer; after
 * nop_count of them without any the connection is closed.
 */
#include "iscsi/nop.h"

#include <errno.h>
#include "base/clock.h"
#include "base/log.h"
#include "iscsi/conn.h"
#include "iscsi/session.h"
#include "iscsi/target.h"

int iscsi_nop_out(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *req = pdu;
	struct iscsi_pdu *rsp;
	const uint32_t max = conn->params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT];

	/* The answer to our probe, or a mere acknowledgement of StatSN. */
	if (be32_get(req->nop_out.itt) == ISCSI_TAG_NONE)
		return 0;
	rsp = iscsi_pdu_new(ISCSI_OP_NOP_IN);
	if (!rsp)
		return -ENOMEM;
	rsp->nop_in.lun = req->nop_out.lun;
	rsp->nop_in.itt = req->nop_out.itt;
	rsp->nop_in.ttt = be32_make(ISCSI_TAG_NONE);
	iscsi_pdu_move_data(rsp, req);
	/* 11.18: as much of the ping data as the initiator can take. */
	if (rsp->data_bytes > max)
		iscsi_pdu_take_data(rsp, TAKE_PTR(rsp->owned), max);
	iscsi_conn_send(conn, rsp);
	return 0;
}

static void probe(struct iscsi_conn *conn)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_NOP_IN);
	struct iscsi_session *s = conn->session;

	if (!pdu)
		return;		/* at the next expiry, perhaps */
	if (++s->next_ttt == ISCSI_TAG_NONE)
		s->next_ttt = 0;
	pdu->nop_in.ttt = be32_make(s->next_ttt);
	conn->nop_unanswered++;
	iscsi_conn_send(conn, pdu);
}

static void expired(struct timer *t)
{
	struct iscsi_conn *conn = container_of(t, struct iscsi_conn, timer);
	const struct iscsi_target_config *c;
	uint64_t idle_ns, interval_ns, next_ns;

	if (conn->state != ISCSI_CONN_FULL_FEATURE)
		return;
	c = iscsi_target_config(conn->session->target);
	interval_ns = c->nop_interval_s * NS_PER_SEC;
	if (!interval_ns)
		return;
	idle_ns = clock_now_ns() - conn->last_rx_ns;
	if (conn->nop_unanswered && conn->nop_unanswered >= c->nop_count) {
		iscsi_conn_close(conn, "does not answer NOP-In");
		return;
	}
	if (idle_ns >= interval_ns)
		probe(conn);
	next_ns = idle_ns < interval_ns ? interval_ns - idle_ns : interval_ns;
	reactor_timer_arm(conn->reactor, t, DIV_ROUND_UP(next_ns, NS_PER_MS));
}

void iscsi_nop_start(struct iscsi_conn *conn)
{
	struct iscsi_target *target = conn->session->target;

	reactor_timer_cancel(conn->reactor, &conn->timer);
	if (!target || !iscsi_target_config(target)->nop_interval_s)
		return;
	conn->timer.expired = expired;
	reactor_timer_arm(conn->reactor, &conn->timer,
			  1000ULL * iscsi_target_config(target)->nop_interval_s);
}
