/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/conn_rx.c - from bytes to PDUs.
 *
 * Bytes land in a buffer that all connections of the thread share, and every
 * one is consumed within the turn: headers go to a PDU, data segments to where
 * the header's handler says (a command's buffer, a buffer of the PDU, nowhere).
 * So an idle connection holds no buffer.  A long data segment is received
 * straight into its place.
 *
 *	step      part                              next
 *	HEADER    48 bytes                          AHS, HDIGEST, DATA or done
 *	AHS       TotalAHSLength words              HDIGEST, DATA or done
 *	HDIGEST   4 bytes, if agreed on             DATA or done
 *	DATA      DataSegmentLength bytes           PAD, DDIGEST or done
 *	PAD       to a multiple of 4                DDIGEST or done
 *	DDIGEST   4 bytes, if agreed on             done
 */
#include "iscsi/conn_rx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/iov.h"
#include "base/log.h"
#include "base/probe.h"
#include "iscsi/cmdsn.h"
#include "iscsi/command.h"
#include "iscsi/conn.h"
#include "iscsi/conn_tx.h"
#include "iscsi/digest.h"
#include "iscsi/login.h"
#include "iscsi/pdu_table.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"

#define RX_SHARED_BYTES	(128U << 10)
#define RX_DIRECT_MIN	8192U		/* shorter segments are copied */
#define RX_TURN_BYTES	(2U << 20)	/* then the other connections have a turn */
#define RX_LOGIN_DATA_MAX 8192U		/* RFC 7143 6.1: MaxRecvDataSegmentLength default */

enum step { HEADER, AHS, HDIGEST, DATA, PAD, DDIGEST };

static __thread uint8_t shared[RX_SHARED_BYTES] __attribute__((aligned(64)));

static void begin_pdu(struct iscsi_rx *rx)
{
	if (rx->cmd)
		scsi_task_put(&rx->cmd->task);
	rx->cmd = NULL;
	rx->pdu = NULL;
	rx->discard = false;
	rx->step = HEADER;
	rx->got_bytes = 0;
}

/* A whole PDU.  < 0: close. */
static int pdu_complete(struct iscsi_conn *conn)
{
	struct iscsi_pdu *pdu = conn->rx.pdu;
	const struct iscsi_pdu_type *type =
		iscsi_pdu_table_find(pdu->bhs.opcode & ISCSI_OPCODE_MASK);
	int err;

	PROBE(iscsi, pdu_in, conn->id, pdu->bhs.opcode, be32_get(pdu->bhs.itt));
	conn->rx.pdu = NULL;
	if (conn->state == ISCSI_CONN_LOGIN) {
		err = iscsi_login_request(conn, pdu);
	} else if (!type || !iscsi_pdu_table_allows(conn, type)) {
		err = 0;
		iscsi_reject(conn, &pdu->bhs, type ? ISCSI_REJECT_PROTOCOL_ERROR
						   : ISCSI_REJECT_NOT_SUPPORTED);
		iscsi_pdu_free(pdu);
	} else if (type->has_cmdsn) {
		err = iscsi_cmdsn_deliver(conn, pdu);
	} else {
		err = type->run(conn, pdu);
	}
	begin_pdu(&conn->rx);
	return err;
}

/* 7.8: a data digest error at ERL 0. */
static int digest_error(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	const struct iscsi_bhs bhs = rx->pdu->bhs;

	if ((bhs.opcode & ISCSI_OPCODE_MASK) == ISCSI_OP_DATA_OUT) {
		iscsi_reject(conn, &bhs, ISCSI_REJECT_DATA_DIGEST);
		if (rx->cmd)
			rx->cmd->data_error = SCSI_SENSE_PROTOCOL_CRC_ERROR;
		return pdu_complete(conn);
	}
	iscsi_reject_and_close(conn, &bhs, ISCSI_REJECT_DATA_DIGEST,
			       "data digest error");
	return 0;
}

static uint32_t step_bytes(const struct iscsi_rx *rx)
{
	switch ((enum step)rx->step) {
	case HEADER:
		return ISCSI_BHS_BYTES;
	case AHS:
		return rx->pdu->bhs.ahs_words * 4U;
	case DATA:
		return be24_get(rx->pdu->bhs.data_bytes);
	case PAD:
		return ISCSI_PAD(be24_get(rx->pdu->bhs.data_bytes));
	case HDIGEST:
	case DDIGEST:
		return ISCSI_DIGEST_BYTES;
	}
	return 0;
}

/* Header (and AHS) are here and sound: find a place for the data segment. */
static int header_complete(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	struct iscsi_pdu *pdu = rx->pdu;
	const uint32_t bytes = be24_get(pdu->bhs.data_bytes);
	const uint32_t max = conn->state == ISCSI_CONN_LOGIN ? RX_LOGIN_DATA_MAX
			     : conn->params.v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT];
	const struct iscsi_pdu_type *type =
		iscsi_pdu_table_find(pdu->bhs.opcode & ISCSI_OPCODE_MASK);
	void *data;
	int err;

	conn->last_rx_ns = reactor_now_ns(conn->reactor);
	conn->nop_unanswered = 0;
	if (bytes > max && conn->state == ISCSI_CONN_LOGIN)
		return iscsi_login_refuse(conn, &pdu->bhs, ISCSI_LOGIN_INITIATOR_ERROR,
					  "data segment longer than 8192 bytes");
	if (bytes > max) {
		iscsi_reject_and_close(conn, &pdu->bhs, ISCSI_REJECT_PROTOCOL_ERROR,
				       "data segment longer than agreed");
		return 0;
	}
	if (type && type->header && iscsi_pdu_table_allows(conn, type)) {
		err = type->header(conn, pdu);
		if (err < 0 || conn->state >= ISCSI_CONN_ENDING)
			return err;
	}
	if (!bytes)
		return pdu_complete(conn);
	rx->step = DATA;
	rx->data_crc = ISCSI_DIGEST_INIT;
	if (rx->cmd || rx->discard)
		return 0;
	data = malloc(bytes);
	if (!data)
		return -ENOMEM;
	free(TAKE_PTR(pdu->owned));	/* the AHS: nobody with data uses it */
	iscsi_pdu_take_data(pdu, data, bytes);
	return 0;
}

static bool digest_matches(const struct iscsi_rx *rx, uint32_t crc)
{
	uint8_t want[ISCSI_DIGEST_BYTES];

	iscsi_digest_put(crc, want);
	return !memcmp(want, rx->digest, sizeof(want));
}

static bool header_digest_matches(const struct iscsi_rx *rx)
{
	const struct iscsi_pdu *pdu = rx->pdu;
	uint32_t crc = iscsi_digest_add(ISCSI_DIGEST_INIT, &pdu->bhs,
					ISCSI_BHS_BYTES);

	crc = iscsi_digest_add(crc, pdu->owned, pdu->bhs.ahs_words * 4U);
	return digest_matches(rx, crc);
}

/* The current step has all its bytes: on to the next.  < 0: close. */
static int step_complete(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;
	struct iscsi_pdu *pdu = rx->pdu;
	const enum step step = rx->step;

	rx->got_bytes = 0;
	switch (step) {
	case HEADER:
		if (pdu->bhs.ahs_words) {
			pdu->owned = malloc(pdu->bhs.ahs_words * 4U);
			rx->step = AHS;
			return pdu->owned ? 0 : -ENOMEM;
		}
		/* fall through */
	case AHS:
		if (!conn->header_digest)
			return header_complete(conn);
		rx->step = HDIGEST;
		return 0;
	case HDIGEST:
		/* 7.7: the length cannot be trusted, so nor can what follows. */
		if (!header_digest_matches(rx)) {
			iscsi_conn_close(conn, "header digest error");
			return 0;
		}
		return header_complete(conn);
	case DATA:
		if (ISCSI_PAD(be24_get(pdu->bhs.data_bytes))) {
			rx->step = PAD;
			return 0;
		}
		/* fall through */
	case PAD:
		if (!conn->data_digest)
			return pdu_complete(conn);
		rx->step = DDIGEST;
		return 0;
	case DDIGEST:
		if (!digest_matches(rx, rx->data_crc))
			return digest_error(conn);
		return pdu_complete(conn);
	}
	return 0;
}

/* Store @n bytes of the current step. */
static void step_store(struct iscsi_conn *conn, const uint8_t *p, uint32_t n)
{
	struct iscsi_rx *rx = &conn->rx;
	struct iscsi_pdu *pdu = rx->pdu;

	switch ((enum step)rx->step) {
	case HEADER:
		memcpy((uint8_t *)&pdu->bhs + rx->got_bytes, p, n);
		break;
	case AHS:
		memcpy((uint8_t *)pdu->owned + rx->got_bytes, p, n);
		break;
	case HDIGEST:
	case DDIGEST:
		memcpy(rx->digest + rx->got_bytes, p, n);
		break;
	case DATA:
		if (rx->cmd)
			iov_write(rx->cmd->task.data.iov, rx->cmd->task.data.iovcnt,
				  rx->cmd_off + rx->got_bytes, p, n);
		else if (!rx->discard)
			memcpy((uint8_t *)pdu->owned + rx->got_bytes, p, n);
		/* fall through */
	case PAD:
		if (conn->data_digest)
			rx->data_crc = iscsi_digest_add(rx->data_crc, p, n);
		break;
	}
}

/* @n bytes of the current step are in place. */
static int step_advance(struct iscsi_conn *conn, uint32_t n)
{
	struct iscsi_rx *rx = &conn->rx;

	rx->got_bytes += n;
	return rx->got_bytes < step_bytes(rx) ? 0 : step_complete(conn);
}

static int feed(struct iscsi_conn *conn, const uint8_t *p, uint32_t bytes)
{
	struct iscsi_rx *rx = &conn->rx;
	int err = 0;

	while (bytes && err >= 0 && conn->state < ISCSI_CONN_ENDING) {
		uint32_t n;

		if (rx->paused) {	/* keep the rest for later */
			rx->rest = malloc(bytes);
			if (!rx->rest)
				return -ENOMEM;
			memcpy(rx->rest, p, bytes);
			rx->rest_bytes = bytes;
			return 0;
		}
		if (!rx->pdu) {
			rx->pdu = iscsi_pdu_new(0);
			if (!rx->pdu)
				return -ENOMEM;
		}
		n = MIN(bytes, step_bytes(rx) - rx->got_bytes);
		step_store(conn, p, n);
		p += n;
		bytes -= n;
		err = step_advance(conn, n);
	}
	return err;
}

/* The rest of a long data segment of a command, to be received in place. */
static int direct_iov(struct iscsi_conn *conn, struct iovec *iov, int max,
		      uint64_t *ret_bytes)
{
	struct iscsi_rx *rx = &conn->rx;
	uint32_t left;

	*ret_bytes = 0;
	if (!rx->pdu || rx->step != DATA || !rx->cmd)
		return 0;
	left = step_bytes(rx) - rx->got_bytes;
	if (left < RX_DIRECT_MIN)
		return 0;
	return iov_slice(rx->cmd->task.data.iov, rx->cmd->task.data.iovcnt,
			 rx->cmd_off + rx->got_bytes, left, iov, max, ret_bytes);
}

static void received_direct(struct iscsi_conn *conn, const struct iovec *iov, int n,
			    uint64_t bytes)
{
	if (conn->data_digest)
		for (int i = 0; i < n && bytes; i++) {
			const size_t part = MIN(bytes, iov[i].iov_len);

			conn->rx.data_crc = iscsi_digest_add(conn->rx.data_crc,
							     iov[i].iov_base, part);
			bytes -= part;
		}
}

/* One recvmsg().  > 0: bytes; 0: nothing more now; < 0: the end. */
static ssize_t receive(struct iscsi_conn *conn)
{
	struct iovec iov[ISCSI_PDU_IOV + 1];
	struct msghdr msg = { .msg_iov = iov };
	uint64_t direct_bytes, got;
	ssize_t n;
	int nr, err = 0;

	nr = direct_iov(conn, iov, ISCSI_PDU_IOV, &direct_bytes);
	iov[nr] = (struct iovec){ shared, sizeof(shared) };
	msg.msg_iovlen = (size_t)nr + 1;
	n = recvmsg(conn->watch.fd, &msg, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ENOTCONN;
	conn->rx_bytes += (uint64_t)n;
	if (conn->state >= ISCSI_CONN_ENDING)
		return n;		/* thrown away */
	got = MIN((uint64_t)n, direct_bytes);
	if (got) {
		received_direct(conn, iov, nr, got);
		err = step_advance(conn, (uint32_t)got);
	}
	if (err >= 0 && (uint64_t)n > got)
		err = feed(conn, shared, (uint32_t)((uint64_t)n - got));
	if (err < 0)
		return err;
	/* A short read says that the socket is empty. */
	return (uint64_t)n < direct_bytes + sizeof(shared) ? 0 : n;
}

static const char *reason(ssize_t err)
{
	switch (-err) {
	case ENOTCONN:
		return "closed by the initiator";
	case ENOMEM:
		return "out of memory";
	case EPROTO:
		return "protocol error";
	default:
		return "connection lost";
	}
}

void iscsi_conn_rx_run(struct iscsi_conn *conn)
{
	uint64_t budget = RX_TURN_BYTES;
	ssize_t n;

	do {
		n = receive(conn);
		if (n < 0) {
			iscsi_conn_close(conn, reason(n));
			return;
		}
		budget -= MIN((uint64_t)n, budget);
	} while (n > 0 && budget && !conn->rx.paused &&
		 conn->state != ISCSI_CONN_CLOSED);
}

void iscsi_conn_rx_pause(struct iscsi_conn *conn)
{
	conn->rx.paused = true;
	iscsi_conn_tx_watch(conn);
}

void iscsi_conn_rx_resume(struct iscsi_conn *conn)
{
	uint8_t *rest = TAKE_PTR(conn->rx.rest);
	int err;

	conn->rx.paused = false;
	if (conn->state == ISCSI_CONN_CLOSED) {
		free(rest);
		return;
	}
	iscsi_conn_tx_watch(conn);
	if (!rest)
		return;
	err = feed(conn, rest, conn->rx.rest_bytes);
	free(rest);
	if (err < 0)
		iscsi_conn_close(conn, reason(err));
}

void iscsi_conn_rx_fini(struct iscsi_conn *conn)
{
	struct iscsi_rx *rx = &conn->rx;

	iscsi_pdu_free(rx->pdu);
	begin_pdu(rx);
	free(TAKE_PTR(rx->rest));
}
