/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/conn.h - a TCP connection from accept() to close.
 *
 * Control accepts it and gives it to a reactor; from then on that reactor alone
 * touches it.  Every way to the end leads through iscsi_conn_close().
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "iscsi/keys.h"
#include "iscsi/pdu.h"
#include "reactor/mailbox.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"
#include "reactor/watch.h"

struct iscsi_login;
struct iscsi_session;

#define ISCSI_LOGIN_TIMEOUT_MS	15000

enum iscsi_conn_state {
	ISCSI_CONN_LOGIN,
	ISCSI_CONN_FULL_FEATURE,
	ISCSI_CONN_ENDING,	/* last answer queued; input is thrown away */
	ISCSI_CONN_CLOSED,	/* memory goes when nobody refers to it */
};

struct iscsi_rx {
	uint8_t step;			/* of iscsi/conn_rx.c */
	bool paused;			/* no reading until iscsi_conn_rx_resume() */
	uint8_t *rest;			/* malloc'ed: bytes that a pause left over */
	uint32_t rest_bytes;
	struct iscsi_pdu *pdu;		/* being received */
	uint32_t got_bytes;		/* of the current step */
	struct iscsi_command *cmd;	/* holds a reference: its buffer takes the data */
	uint64_t cmd_off;		/* where in it */
	bool discard;			/* the data segment goes nowhere */
	uint32_t data_crc;
	uint8_t digest[ISCSI_DIGEST_BYTES];
};

struct iscsi_conn {
	/* Constant after accept. */
	uint64_t id;			/* for logs */
	struct reactor *reactor;
	struct sockaddr_storage peer, local;
	char peer_text[64];		/* numeric address, no port */
	uint16_t tpgt;			/* portal group tag */

	/* The reactor's only. */
	struct list_head node;		/* of all connections of this reactor */
	struct mail mail;
	enum iscsi_conn_state state;
	struct watch watch;
	struct reactor_hook send;
	struct timer timer;		/* login timeout, then NOP-In probes */
	struct iscsi_rx rx;
	struct list_head tx;		/* PDUs to send */
	unsigned int nr_tx;
	uint64_t tx_owned_bytes;	/* of their data segments, malloc'ed */
	uint32_t tx_sent_bytes;		/* of the first */
	bool tx_blocked;		/* waits for EPOLLOUT */
	struct timer tx_stall;		/* runs while it does */
	bool header_digest, data_digest;	/* in effect */
	uint32_t statsn;		/* next to assign */
	uint16_t cid;
	unsigned int nop_unanswered;	/* probes since the last PDU came */
	uint64_t last_rx_ns;
	bool in_login_count;		/* counted among those that log in */
	unsigned int refs;		/* reactor-local: open, commands, messages */
	struct iscsi_params params;	/* negotiated */
	struct iscsi_login *login;	/* NULL after login */
	struct iscsi_session *session;	/* NULL before login */

	/* Counters for tgtadm --op stat. */
	uint64_t rx_bytes, tx_bytes;
	uint32_t data_out_pdus, data_in_pdus, cmd_pdus, rsp_pdus;
};

/*
 * Adopt the accepted socket @fd (taken) and start on the least busy reactor.
 * Threads: control.  Errors: -ENOMEM, -EMFILE (over the limit); @fd is closed.
 */
int iscsi_conn_accept(int fd, uint16_t tpgt);

/* The final login response is queued: session, params and digests are set, full
 * feature phase begins.  By iscsi/login.c. */
void iscsi_conn_login_done(struct iscsi_conn *conn);

/* Queue @pdu (given away); it leaves at the end of this turn.  Assigns StatSN
 * to those that carry one, and ExpCmdSN and MaxCmdSN. */
void iscsi_conn_send(struct iscsi_conn *conn, struct iscsi_pdu *pdu);

/* End the connection and its session's use of it, with the reason for the log.
 * Idempotent; @conn stays valid for the rest of the caller's turn. */
void iscsi_conn_close(struct iscsi_conn *conn, const char *why);
/* The same once everything queued has been sent. */
void iscsi_conn_close_when_sent(struct iscsi_conn *conn);

void iscsi_conn_get(struct iscsi_conn *conn);
void iscsi_conn_put(struct iscsi_conn *conn);

/* The initiator has closed or reset it, whether we have read as far or not. */
bool iscsi_conn_peer_closed(const struct iscsi_conn *conn);

/* Stop and go on reading (login waits for control, say). */
void iscsi_conn_rx_pause(struct iscsi_conn *conn);
void iscsi_conn_rx_resume(struct iscsi_conn *conn);

/* All connections of the calling reactor. */
void iscsi_conn_each(void (*visit)(struct iscsi_conn *conn, void *arg), void *arg);
