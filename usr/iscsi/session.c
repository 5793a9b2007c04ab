/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/session.c - a session's birth and death on its reactor.  Control's side
 * is iscsi/register.c.
 */
#include "iscsi/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "iscsi/async.h"
#include "iscsi/conn.h"
#include "iscsi/login.h"
#include "iscsi/register.h"
#include "iscsi/target.h"
#include "scsi/reach.h"
#include "scsi/target.h"

static void session_free(struct mail *m)
{
	struct iscsi_session *s = container_of(m, struct iscsi_session, mail);

	if (s->target)
		iscsi_target_put(s->target);
	free(s);
}

static __thread unsigned int nr_sessions;	/* with a connection */

unsigned int iscsi_session_count(void)
{
	return nr_sessions;
}

/* No task is left.  Freed next turn: callers may still look at the session. */
static void session_over(struct iscsi_session *s)
{
	iscsi_register_went(s->entry);
	s->entry = NULL;
	reactor_mailbox_send(reactor_current(), &s->mail, session_free);
}

static void nexus_closed(struct scsi_nexus *n)
{
	session_over(container_of(n, struct iscsi_session, nexus));
}

void iscsi_session_close(struct iscsi_session *s)
{
	s->conn = NULL;
	nr_sessions--;
	s->entry->session = NULL;
	iscsi_text_req_exchange_free(s->text);
	s->text = NULL;
	iscsi_register_ended(s->entry);
	if (!s->nexus_open) {
		session_over(s);
		return;
	}
	s->nexus_open = false;
	scsi_nexus_close(&s->nexus, nexus_closed);
}

/* "iqn...,i,0x00023d000001", SPC-4 7.6.4.5 */
static int open_nexus(struct iscsi_session *s, const struct iscsi_session_request *req)
{
	const struct iscsi_conn *conn = req->conn;
	char port[ISCSI_NAME_MAX + sizeof(",i,0x") + 2 * sizeof(s->isid)];
	int err;

	snprintf(port, sizeof(port), "%s,i,0x%02x%02x%02x%02x%02x%02x",
		 s->initiator_name, s->isid[0], s->isid[1], s->isid[2],
		 s->isid[3], s->isid[4], s->isid[5]);
	err = scsi_nexus_open(&s->nexus, s->target->scsi, port, conn->tpgt);
	s->nexus_open = !err;
	if (!err)
		scsi_reach_enter(&s->nexus, *req->user ? req->user : NULL, conn->peer_text);
	return err;
}

static int session_new(struct iscsi_session_request *req,
		       struct iscsi_register_entry *e)
{
	_cleanup_free_ struct iscsi_session *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->tsih = e->tsih;
	s->sid = e->sid;
	memcpy(s->isid, req->isid, sizeof(s->isid));
	memcpy(s->initiator_name, req->initiator_name, sizeof(s->initiator_name));
	memcpy(s->initiator_alias, req->initiator_alias, sizeof(s->initiator_alias));
	s->conn = req->conn;
	s->target = req->target;
	for (size_t i = 0; i < ARRAY_SIZE(s->commands); i++)
		list_init(&s->commands[i]);
	list_init(&s->held);
	s->entry = e;
	if (s->target) {
		err = open_nexus(s, req);
		if (err < 0)
			return err;
		iscsi_target_get(s->target);
	}
	nr_sessions++;
	e->session = s;
	req->session = TAKE_PTR(s);
	return 0;
}

void iscsi_session_make(struct mail *m)
{
	struct iscsi_session_request *req =
		container_of(m, struct iscsi_session_request, mail);
	struct iscsi_register_entry *e = req->priv;

	req->status = ISCSI_LOGIN_OK;
	if (req->conn->state == ISCSI_CONN_CLOSED || session_new(req, e) < 0) {
		req->status = ISCSI_LOGIN_OUT_OF_RESOURCES;
		iscsi_register_ended(e);
		iscsi_register_went(e);
	}
	req->done(req);
}

void iscsi_session_obey(struct mail *m)
{
	struct iscsi_register_entry *e =
		container_of(m, struct iscsi_register_entry, order);
	struct iscsi_session *s = e->session;

	if (s && s->conn) {
		if (e->logout_s)
			iscsi_async_logout(s->conn, e->logout_s);
		else
			iscsi_conn_close(s->conn, e->order_why);
	}
	iscsi_register_obeyed(e);
}

void iscsi_session_open(struct iscsi_session_request *req)
{
	req->session = NULL;
	iscsi_register_ask(req);
}

struct sweep {
	int tid;
	const char *initiator_name;
};

static void close_if_dead(struct iscsi_conn *conn, void *arg)
{
	const struct iscsi_session *s = conn->session;
	const struct sweep *w = arg;

	if (s && s->target && s->target->scsi->tid == w->tid &&
	    !strcmp(s->initiator_name, w->initiator_name) &&
	    iscsi_conn_peer_closed(conn))
		iscsi_conn_close(conn, "closed by the initiator");
}

void iscsi_session_sweep(int tid, const char *initiator_name)
{
	struct sweep w = { tid, initiator_name };

	iscsi_conn_each(close_if_dead, &w);
}
