/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/conn_tx.c - PDUs queue up during a turn and leave together, with one
 * sendmsg() at its end.  What the socket does not take waits for EPOLLOUT; an
 * initiator that does not read its answers is not read from either, once
 * TX_PDUS_MAX of them or TX_OWNED_MAX bytes wait for it.
 */
#include "iscsi/conn_tx.h"

#include <errno.h>
#include <sys/socket.h>
#include "base/log.h"
#include "base/probe.h"
#include "iscsi/cmdsn.h"
#include "iscsi/command.h"
#include "iscsi/conn.h"
#include "iscsi/digest.h"
#include "iscsi/session.h"

#define TX_IOV_MAX	256
#define TX_PDUS_MAX	1024
#define TX_OWNED_MAX	(1U << 20)
#define TX_STALL_MS	60000	/* then it does not deserve our memory any more */

/* StatSN, ExpCmdSN and MaxCmdSN stand at the same place in every PDU that has
 * them.  11.7: a Data-In without status has no StatSN; 11.8, 11.19: R2T and a
 * NOP-In of our own carry the next one without using it up. */
static void stamp(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	struct iscsi_bhs_response *r = &pdu->response;
	struct iscsi_session *s = conn->session;

	switch (r->opcode) {
	case ISCSI_OP_DATA_IN:
		if (r->flags & ISCSI_DATA_STATUS)
			r->statsn = be32_make(conn->statsn++);
		break;
	case ISCSI_OP_R2T:
		r->statsn = be32_make(conn->statsn);
		break;
	case ISCSI_OP_NOP_IN:
		r->statsn = be32_make(conn->statsn);
		conn->statsn += be32_get(r->itt) != ISCSI_TAG_NONE;
		break;
	default:
		r->statsn = be32_make(conn->statsn++);
	}
	if (likely(s)) {
		r->max_cmdsn = be32_make(iscsi_cmdsn_max(s));
		r->exp_cmdsn = be32_make(s->exp_cmdsn);
	}
}

/* Padding and digests: the PDU as it will be on the wire. */
static void seal(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	const unsigned int pad = ISCSI_PAD(pdu->data_bytes);
	uint32_t crc = ISCSI_DIGEST_INIT;

	pdu->bhs.data_bytes = be24_make(pdu->data_bytes);
	pdu->header_bytes = ISCSI_BHS_BYTES;
	pdu->trailer_bytes = (uint8_t)pad;
	if (conn->header_digest) {
		iscsi_digest_put(iscsi_digest_add(crc, &pdu->bhs, ISCSI_BHS_BYTES),
				 pdu->header_digest);
		pdu->header_bytes += ISCSI_DIGEST_BYTES;
	}
	if (conn->data_digest && pdu->data_bytes) {
		for (int i = 0; i < pdu->nr_data; i++)
			crc = iscsi_digest_add(crc, pdu->data[i].iov_base,
					       pdu->data[i].iov_len);
		crc = iscsi_digest_add(crc, pdu->trailer, pad);
		iscsi_digest_put(crc, pdu->trailer + pad);
		pdu->trailer_bytes += ISCSI_DIGEST_BYTES;
	}
}

static bool backlogged(const struct iscsi_conn *conn)
{
	return conn->tx_blocked && (conn->nr_tx > TX_PDUS_MAX ||
				    conn->tx_owned_bytes > TX_OWNED_MAX);
}

void iscsi_conn_tx_watch(struct iscsi_conn *conn)
{
	reactor_watch_change(conn->reactor, &conn->watch,
			     (conn->rx.paused || backlogged(conn) ? 0 : EPOLLIN) |
			     (conn->tx_blocked ? EPOLLOUT : 0));
}

static void push(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	list_add_tail(&conn->tx, &pdu->node);
	conn->nr_tx++;
	if (pdu->owned)
		conn->tx_owned_bytes += pdu->data_bytes;
}

static void pop(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	list_del(&pdu->node);
	conn->nr_tx--;
	if (pdu->owned)
		conn->tx_owned_bytes -= pdu->data_bytes;
	iscsi_pdu_free(pdu);
}

void iscsi_conn_send(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	if (unlikely(conn->state >= ISCSI_CONN_ENDING)) {
		iscsi_pdu_free(pdu);
		return;
	}
	stamp(conn, pdu);
	seal(conn, pdu);
	PROBE(iscsi, pdu_out, conn->id, pdu->bhs.opcode, be32_get(pdu->bhs.itt));
	push(conn, pdu);
	if (likely(!conn->tx_blocked))
		reactor_hook_arm(conn->reactor, &conn->send, REACTOR_SEND);
	else if (backlogged(conn))
		iscsi_conn_tx_watch(conn);
}

static uint64_t pdu_wire_bytes(const struct iscsi_pdu *pdu)
{
	return (uint64_t)pdu->header_bytes + pdu->data_bytes + pdu->trailer_bytes;
}

static int add_piece(struct iovec *iov, int n, void *base, size_t bytes, uint64_t *skip)
{
	if (*skip >= bytes) {
		*skip -= bytes;
		return n;
	}
	iov[n] = (struct iovec){ (uint8_t *)base + *skip, bytes - *skip };
	*skip = 0;
	return n + 1;
}

/* The start of the queue as one iovec; skips what has left already. */
static int gather(struct iscsi_conn *conn, struct iovec *iov)
{
	uint64_t skip = conn->tx_sent_bytes;
	struct iscsi_pdu *pdu;
	int n = 0;

	list_for_each(pdu, &conn->tx, node) {
		if (n + 2 + ISCSI_PDU_IOV > TX_IOV_MAX)
			break;
		n = add_piece(iov, n, &pdu->bhs, pdu->header_bytes, &skip);
		for (int i = 0; i < pdu->nr_data; i++)
			n = add_piece(iov, n, pdu->data[i].iov_base,
				      pdu->data[i].iov_len, &skip);
		if (pdu->trailer_bytes)
			n = add_piece(iov, n, pdu->trailer, pdu->trailer_bytes,
				      &skip);
	}
	return n;
}

static void consume(struct iscsi_conn *conn, uint64_t sent_bytes)
{
	conn->tx_bytes += sent_bytes;
	sent_bytes += conn->tx_sent_bytes;
	while (!list_empty(&conn->tx)) {
		struct iscsi_pdu *pdu = list_first(&conn->tx, struct iscsi_pdu, node);

		if (sent_bytes < pdu_wire_bytes(pdu))
			break;
		sent_bytes -= pdu_wire_bytes(pdu);
		pop(conn, pdu);
	}
	conn->tx_sent_bytes = (uint32_t)sent_bytes;
}

static void stalled(struct timer *t)
{
	iscsi_conn_close(container_of(t, struct iscsi_conn, tx_stall),
			 "the initiator takes no data");
}

static void set_blocked(struct iscsi_conn *conn)
{
	conn->tx_blocked = true;
	iscsi_conn_tx_watch(conn);
	if (!reactor_timer_armed(&conn->tx_stall))
		reactor_timer_arm(conn->reactor, &conn->tx_stall, TX_STALL_MS);
}

/* What a store has lent is gone (a file was cut).  The answer has begun, so the
 * connection ends; the initiator's next try finds the store's error. */
static void note_fault(struct iscsi_conn *conn)
{
	struct iscsi_pdu *pdu;

	list_for_each(pdu, &conn->tx, node)
		if (pdu->cmd)
			pdu->cmd->task.loan_faulted = true;
}

void iscsi_conn_tx_run(struct iscsi_conn *conn)
{
	struct iovec iov[TX_IOV_MAX];

	while (!list_empty(&conn->tx)) {
		struct msghdr msg = { .msg_iov = iov };
		ssize_t n;

		msg.msg_iovlen = (size_t)gather(conn, iov);
		n = sendmsg(conn->watch.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			set_blocked(conn);
			return;
		}
		if (n < 0) {
			if (errno == EFAULT)
				note_fault(conn);
			iscsi_conn_close(conn, "cannot send");
			return;
		}
		consume(conn, (uint64_t)n);
		/* Something was taken: the time starts anew when it blocks. */
		reactor_timer_cancel(conn->reactor, &conn->tx_stall);
	}
	if (conn->tx_blocked) {
		conn->tx_blocked = false;
		iscsi_conn_tx_watch(conn);
	}
	if (conn->state == ISCSI_CONN_ENDING)
		shutdown(conn->watch.fd, SHUT_WR);
}

static void send_turn(struct reactor_hook *h)
{
	iscsi_conn_tx_run(container_of(h, struct iscsi_conn, send));
}

void iscsi_conn_tx_init(struct iscsi_conn *conn)
{
	list_init(&conn->tx);
	conn->tx_stall.expired = stalled;
	reactor_hook_init(&conn->send, send_turn);
}

void iscsi_conn_tx_fini(struct iscsi_conn *conn)
{
	reactor_hook_disarm(&conn->send);
	reactor_timer_cancel(conn->reactor, &conn->tx_stall);
	while (!list_empty(&conn->tx))
		pop(conn, list_first(&conn->tx, struct iscsi_pdu, node));
}
