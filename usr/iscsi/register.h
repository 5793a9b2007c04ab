/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/register.h - control's register of sessions.
 *
 * An entry is control's memory, with one pointer that is the reactor's; both
 * sides talk by mail only:
 *
 *	state     control means by it                   left when
 *	WAITING   who is in the way has to go first     they are gone, or WAIT_MS
 *	LIVE      the reactor was told to make it        it says "ended"
 *	ENDED     its connection is closed, its nexus    the nexus says "gone":
 *	          aborts its tasks                       the entry is freed
 *
 * Mail between two threads keeps its order, so what control orders of a LIVE
 * session arrives after the order to make it.  An entry outlives its session
 * while an order is on its way.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "iscsi/proto.h"
#include "reactor/mailbox.h"
#include "reactor/timer.h"

struct iscsi_session;
struct iscsi_session_request;

#define ISCSI_SESSIONS_MAX	4096

enum iscsi_register_state {
	ISCSI_REGISTER_WAITING,
	ISCSI_REGISTER_LIVE,
	ISCSI_REGISTER_ENDED,
};

struct iscsi_register_entry {
	/* Constant. */
	uint16_t cid;
	int tid;			/* 0: discovery */
	uint8_t isid[6];
	uint16_t tpgt;			/* portal group that it came through */
	char initiator_name[ISCSI_NAME_MAX + 1];
	char initiator_alias[256];
	char address[64];
	struct reactor *reactor;

	/* Control's only. */
	struct list_head node;
	enum iscsi_register_state state;
	uint64_t sid;
	uint16_t tsih;
	struct iscsi_session_request *req;	/* while WAITING; NULL: turned away */
	bool sweeping;		/* WAITING: reactors look for dead connections */
	struct iscsi_register_entry *predecessor;	/* idem: the one it waits for */
	struct timer timer;
	bool hopeless;		/* somebody waited for WAIT_MS, in vain */
	bool gone;
	bool ordered;		/* an order is on its way; the next fields wait */
	const char *close_why;	/* NULL: no close was asked for */

	/* Constant while an order is on its way. */
	struct mail order;
	unsigned int logout_s;	/* 0: close */
	const char *order_why;

	/* The reactor's only. */
	struct iscsi_session *session;	/* NULL: not made yet, or ended */

	/* From the reactor to control. */
	struct mail obeyed, ended, went;
};

/* --- threads: the session's reactor (iscsi/session.c) --- */

/* Ask for a session: @req->done() on the reactor, with the answer. */
void iscsi_register_ask(struct iscsi_session_request *req);
/* The order was carried out; the connection is closed; the nexus is gone too. */
void iscsi_register_obeyed(struct iscsi_register_entry *e);
void iscsi_register_ended(struct iscsi_register_entry *e);
void iscsi_register_went(struct iscsi_register_entry *e);

/* --- threads: control --- */

struct iscsi_session_info {
	uint64_t sid;
	uint16_t tsih, cid;
	int tid;			/* 0: discovery */
	const char *initiator_name, *initiator_alias;	/* alias "" if none */
	const char *address;
};

void iscsi_register_each(int tid, void (*visit)(const struct iscsi_session_info *info,
						void *arg), void *arg);
unsigned int iscsi_register_count(int tid);

/*
 * Close the sessions of @tid (-1: all; @sid 0: all of the target) after asking
 * their initiators to log out if @polite_ms is not 0 (Async Message, RFC 7143
 * 11.9), then @done on control when they are off the register.
 */
void iscsi_register_close_all(int tid, uint64_t sid, unsigned int polite_ms,
			      void (*done)(void *arg), void *arg);

/* --- iscsi/register.c and iscsi/register_close.c only; control --- */

void iscsi_register_walk(void (*visit)(struct iscsi_register_entry *e, void *arg), void *arg);
uint64_t iscsi_register_last_sid(void);
void iscsi_register_turn_away(struct iscsi_register_entry *e, enum iscsi_login_status status);
void iscsi_register_order_close(struct iscsi_register_entry *e, const char *why);
/* Unless some order is on its way already. */
void iscsi_register_order_logout(struct iscsi_register_entry *e, unsigned int logout_s);
void iscsi_register_check_closings(void);
