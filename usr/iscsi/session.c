/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/session.c - the register of sessions, and a session's birth and death.
 *
 * A session has an entry in the register.  The entry is control's memory, with
 * one pointer that is the reactor's; both sides talk by mail only:
 *
 *	state     control means by it                   left when
 *	WAITING   a predecessor has to go first          it is gone, or WAIT_MS
 *	LIVE      the reactor was told to make it        it says "ended"
 *	ENDED     its connection is closed, its nexus    the nexus says "gone":
 *	          aborts its tasks                       the entry is freed
 *
 * Mail between two threads keeps its order, so what control orders of a LIVE
 * session arrives after the order to make it.  An entry outlives its session
 * while an order is on its way.
 */
#include "iscsi/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/async.h"
#include "iscsi/conn.h"
#include "iscsi/login.h"
#include "iscsi/target.h"
#include "reactor/group.h"
#include "scsi/target.h"

#define WAIT_MS		2000	/* for a predecessor whose store hangs */

enum state { WAITING, LIVE, ENDED };

struct iscsi_session_entry {
	/* Control's only. */
	struct list_head node;
	enum state state;
	uint64_t sid;
	uint16_t tsih, cid;
	int tid;
	uint8_t isid[6];
	char initiator_name[ISCSI_NAME_MAX + 1];
	char initiator_alias[256];
	char address[64];
	struct reactor *reactor;
	struct iscsi_session_request *req;	/* while WAITING */
	struct iscsi_session_entry *predecessor;	/* idem; NULL: it is gone */
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

/* A iscsi_session_close_all() under way. */
struct closing {
	struct list_head node;
	int tid;
	uint64_t sid, last_sid;		/* sessions that came later stay */
	bool over;
	struct timer timer;
	struct mail mail;
	void (*done)(void *arg);
	void *arg;
};

/* All control's. */
static struct list_head entries = LIST_HEAD_INIT(entries);	/* by age */
static struct list_head closings = LIST_HEAD_INIT(closings);
static unsigned int nr_entries;
static uint64_t last_sid;
static uint16_t last_tsih;

/* --- on the session's reactor --- */

static void session_free(struct mail *m)
{
	struct iscsi_session *s = container_of(m, struct iscsi_session, mail);

	if (s->target)
		iscsi_target_put(s->target);
	free(s);
}

static void ended(struct mail *m);
static void went(struct mail *m);

/* No task is left.  Freed next turn: callers may still look at the session. */
static void session_over(struct iscsi_session *s)
{
	reactor_mailbox_send(reactor_group_control(), &s->entry->went, went);
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
	s->entry->session = NULL;
	iscsi_text_req_exchange_free(s->text);
	s->text = NULL;
	reactor_mailbox_send(reactor_group_control(), &s->entry->ended, ended);
	if (!s->nexus_open) {
		session_over(s);
		return;
	}
	s->nexus_open = false;
	scsi_nexus_close(&s->nexus, nexus_closed);
}

/* "iqn...,i,0x00023d000001", SPC-4 7.6.4.5 */
static int open_nexus(struct iscsi_session *s, const struct iscsi_conn *conn)
{
	char port[ISCSI_NAME_MAX + sizeof(",i,0x") + 2 * sizeof(s->isid)];
	int err;

	snprintf(port, sizeof(port), "%s,i,0x%02x%02x%02x%02x%02x%02x",
		 s->initiator_name, s->isid[0], s->isid[1], s->isid[2],
		 s->isid[3], s->isid[4], s->isid[5]);
	err = scsi_nexus_open(&s->nexus, s->target->scsi, port, conn->tpgt);
	s->nexus_open = !err;
	return err;
}

static int session_new(struct iscsi_session_request *req,
		       struct iscsi_session_entry *e)
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
		err = open_nexus(s, req->conn);
		if (err < 0)
			return err;
		iscsi_target_get(s->target);
	}
	e->session = s;
	req->session = TAKE_PTR(s);
	return 0;
}

/* Control said yes. */
static void make(struct mail *m)
{
	struct iscsi_session_request *req =
		container_of(m, struct iscsi_session_request, mail);
	struct iscsi_session_entry *e = req->priv;

	req->status = ISCSI_LOGIN_OK;
	if (req->conn->state == ISCSI_CONN_CLOSED || session_new(req, e) < 0) {
		req->status = ISCSI_LOGIN_OUT_OF_RESOURCES;
		reactor_mailbox_send(reactor_group_control(), &e->ended, ended);
		reactor_mailbox_send(reactor_group_control(), &e->went, went);
	}
	req->done(req);
}

/* Control said no. */
static void refused(struct mail *m)
{
	struct iscsi_session_request *req =
		container_of(m, struct iscsi_session_request, mail);

	req->done(req);
}

static void obeyed(struct mail *m);

static void obey(struct mail *m)
{
	struct iscsi_session_entry *e =
		container_of(m, struct iscsi_session_entry, order);
	struct iscsi_session *s = e->session;

	if (s && s->conn) {
		if (e->logout_s)
			iscsi_async_logout(s->conn, e->logout_s);
		else
			iscsi_conn_close(s->conn, e->order_why);
	}
	reactor_mailbox_send(reactor_group_control(), &e->obeyed, obeyed);
}

/* --- on control: the register --- */

static void entry_free(struct iscsi_session_entry *e)
{
	list_del(&e->node);
	nr_entries--;
	free(e);
}

static void send_order(struct iscsi_session_entry *e, unsigned int logout_s)
{
	e->ordered = true;
	e->logout_s = logout_s;
	e->order_why = e->close_why;
	reactor_mailbox_send(e->reactor, &e->order, obey);
}

static void order_close(struct iscsi_session_entry *e, const char *why)
{
	if (e->state != LIVE || e->close_why)
		return;
	e->close_why = why;
	if (!e->ordered)
		send_order(e, 0);
}

static void obeyed(struct mail *m)
{
	struct iscsi_session_entry *e =
		container_of(m, struct iscsi_session_entry, obeyed);
	const bool was_close = !e->logout_s;

	e->ordered = false;
	if (e->gone)
		entry_free(e);
	else if (e->close_why && !was_close && e->state == LIVE)
		send_order(e, 0);
}

static void reply(struct iscsi_session_request *req, enum iscsi_login_status status)
{
	req->status = status;
	reactor_mailbox_send(req->conn->reactor, &req->mail, refused);
}

static void refuse_waiting(struct iscsi_session_entry *e,
			   enum iscsi_login_status status)
{
	reactor_timer_cancel(reactor_group_control(), &e->timer);
	reply(e->req, status);
	entry_free(e);
}

static bool tsih_in_use(uint16_t tsih)
{
	struct iscsi_session_entry *e;

	list_for_each(e, &entries, node)
		if (e->tsih == tsih)
			return true;
	return false;
}

/* 0 is none.  There are more numbers than entries. */
static_assert(ISCSI_SESSIONS_MAX < UINT16_MAX - 1, "TSIH");

static uint16_t new_tsih(void)
{
	do {
		if (!++last_tsih)
			last_tsih = 1;
	} while (tsih_in_use(last_tsih));
	return last_tsih;
}

/* Nobody is in the way: have the session made. */
static void proceed(struct iscsi_session_entry *e)
{
	struct iscsi_session_request *req = TAKE_PTR(e->req);

	reactor_timer_cancel(reactor_group_control(), &e->timer);
	e->predecessor = NULL;
	e->sid = ++last_sid;
	e->tsih = new_tsih();
	e->state = LIVE;
	/* Ids grow towards the end of the list. */
	list_del(&e->node);
	list_add_tail(&entries, &e->node);
	req->priv = e;
	reactor_mailbox_send(e->reactor, &req->mail, make);
}

static void waited(struct timer *t)
{
	struct iscsi_session_entry *e =
		container_of(t, struct iscsi_session_entry, timer);

	log_warn("session %lu of %s: its tasks do not end, its successor starts",
		 (unsigned long)e->predecessor->sid, e->initiator_name);
	e->predecessor->hopeless = true;
	proceed(e);
}

static void check_closings(void);

static void ended(struct mail *m)
{
	container_of(m, struct iscsi_session_entry, ended)->state = ENDED;
	check_closings();
}

static void went(struct mail *m)
{
	struct iscsi_session_entry *gone =
		container_of(m, struct iscsi_session_entry, went);
	struct iscsi_session_entry *e, *tmp;

	list_for_each_safe(e, tmp, &entries, node)
		if (e->state == WAITING && e->predecessor == gone) {
			proceed(e);	/* moves it; there is at most one */
			break;
		}
	gone->gone = true;
	if (!gone->ordered)
		entry_free(gone);
}

/* RFC 7143 4.4.3: the I_T nexus is initiator name, ISID, target and portal
 * group. */
static bool same_nexus(const struct iscsi_session_entry *a,
		       const struct iscsi_session_entry *b)
{
	return a != b && a->tid && a->tid == b->tid &&
	       !memcmp(a->isid, b->isid, sizeof(a->isid)) &&
	       !strcmp(a->initiator_name, b->initiator_name);
}

/*
 * Session reinstatement, 6.3.5: a session of the same nexus is closed, and
 * waited for.  One that is still waiting itself has been overtaken.
 */
static struct iscsi_session_entry *reinstate(struct iscsi_session_entry *new)
{
	struct iscsi_session_entry *e, *tmp, *predecessor = NULL;

	list_for_each_safe(e, tmp, &entries, node) {
		if (!same_nexus(e, new))
			continue;
		if (e->state == WAITING) {
			refuse_waiting(e, ISCSI_LOGIN_TARGET_ERROR);
			continue;
		}
		order_close(e, "session reinstatement");
		if (!e->hopeless)
			predecessor = e;
	}
	return predecessor;
}

static enum iscsi_login_status admit(const struct iscsi_session_request *req)
{
	const struct iscsi_target *t = req->target;
	struct iscsi_session_entry *e;

	if (t && !iscsi_target_is_published(t))
		return ISCSI_LOGIN_NOT_FOUND;
	if (t && iscsi_target_config(t)->offline)
		return ISCSI_LOGIN_UNAVAILABLE;
	if (nr_entries >= ISCSI_SESSIONS_MAX)
		return ISCSI_LOGIN_OUT_OF_RESOURCES;
	if (!req->tsih)
		return ISCSI_LOGIN_OK;
	/* A further connection of a session: MaxConnections is 1. */
	list_for_each(e, &entries, node)
		if (e->state == LIVE && e->tsih == req->tsih &&
		    e->tid == (t ? t->scsi->tid : 0) &&
		    !memcmp(e->isid, req->isid, sizeof(e->isid)) &&
		    !strcmp(e->initiator_name, req->initiator_name))
			return ISCSI_LOGIN_TOO_MANY_CONNS;
	return ISCSI_LOGIN_NO_SESSION;
}

static struct iscsi_session_entry *entry_new(struct iscsi_session_request *req)
{
	struct iscsi_session_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->state = WAITING;
	e->cid = req->cid;
	e->tid = req->target ? req->target->scsi->tid : 0;
	memcpy(e->isid, req->isid, sizeof(e->isid));
	memcpy(e->initiator_name, req->initiator_name, sizeof(e->initiator_name));
	memcpy(e->initiator_alias, req->initiator_alias, sizeof(e->initiator_alias));
	text_copy(e->address, sizeof(e->address), req->conn->peer_text);
	e->reactor = req->conn->reactor;
	e->req = req;
	e->timer.expired = waited;
	list_add_tail(&entries, &e->node);
	nr_entries++;
	return e;
}

/* It is known whether the target sends the initiator elsewhere. */
static void decide(struct iscsi_session_request *req, enum iscsi_login_status status)
{
	struct iscsi_session_entry *e;

	if (status == ISCSI_LOGIN_OK && req->redirect.to.reason)
		status = req->redirect.to.reason == ISCSI_REDIRECT_PERMANENT ?
				 ISCSI_LOGIN_MOVED_PERMANENTLY :
				 ISCSI_LOGIN_MOVED_TEMPORARILY;
	if (status != ISCSI_LOGIN_OK) {
		reply(req, status);
		return;
	}
	e = entry_new(req);
	if (!e) {
		reply(req, ISCSI_LOGIN_OUT_OF_RESOURCES);
		return;
	}
	e->predecessor = reinstate(e);
	if (!e->predecessor ||
	    reactor_timer_arm(reactor_group_control(), &e->timer, WAIT_MS) < 0)
		proceed(e);
}

/* Meanwhile the target may have gone. */
static void redirect_known(struct iscsi_redirect_query *q)
{
	struct iscsi_session_request *req =
		container_of(q, struct iscsi_session_request, redirect);

	decide(req, q->cancelled ? ISCSI_LOGIN_UNAVAILABLE : admit(req));
}

static void asked(struct mail *m)
{
	struct iscsi_session_request *req =
		container_of(m, struct iscsi_session_request, mail);
	const enum iscsi_login_status status = admit(req);

	req->redirect = (struct iscsi_redirect_query){ .target = req->target,
						       .peer = req->conn->peer_text,
						       .done = redirect_known };
	if (status != ISCSI_LOGIN_OK || !req->target ||
	    iscsi_redirect_find(&req->redirect))
		decide(req, status);
}

void iscsi_session_open(struct iscsi_session_request *req)
{
	req->session = NULL;
	reactor_mailbox_send(reactor_group_control(), &req->mail, asked);
}

/* --- on control: for management --- */

void iscsi_session_each(int tid, void (*visit)(const struct iscsi_session_info *info,
					       void *arg), void *arg)
{
	struct iscsi_session_entry *e;

	list_for_each(e, &entries, node) {
		const struct iscsi_session_info info = {
			.sid = e->sid,
			.tsih = e->tsih,
			.cid = e->cid,
			.tid = e->tid,
			.initiator_name = e->initiator_name,
			.initiator_alias = e->initiator_alias,
			.address = e->address,
		};

		if (e->state == LIVE && e->tid == tid)
			visit(&info, arg);
	}
}

unsigned int iscsi_session_count(int tid)
{
	struct iscsi_session_entry *e;
	unsigned int n = 0;

	list_for_each(e, &entries, node)
		n += e->state == LIVE && e->tid == tid;
	return n;
}

static bool concerns(const struct closing *c, const struct iscsi_session_entry *e)
{
	return e->state == LIVE && e->sid <= c->last_sid &&
	       (c->tid == -1 || c->tid == e->tid) && (!c->sid || c->sid == e->sid);
}

static void closing_done(struct mail *m)
{
	struct closing *c = container_of(m, struct closing, mail);

	if (c->done)
		c->done(c->arg);
	free(c);
}

static void check_closing(struct closing *c)
{
	struct iscsi_session_entry *e;

	list_for_each(e, &entries, node)
		if (concerns(c, e))
			return;
	list_del(&c->node);
	reactor_timer_cancel(reactor_group_control(), &c->timer);
	reactor_mailbox_send(reactor_group_control(), &c->mail, closing_done);
}

static void check_closings(void)
{
	struct closing *c, *tmp;

	list_for_each_safe(c, tmp, &closings, node)
		check_closing(c);
}

static void close_now(const struct closing *c)
{
	struct iscsi_session_entry *e;

	list_for_each(e, &entries, node)
		if (concerns(c, e))
			order_close(e, "closed by the administrator");
}

static void was_polite(struct timer *t)
{
	close_now(container_of(t, struct closing, timer));
}

/* Those that wait for their predecessor, or for a program that tells where they
 * have to go, have no session to close yet. */
static void turn_away_waiting(const struct closing *c)
{
	struct iscsi_session_entry *e, *tmp;

	list_for_each_safe(e, tmp, &entries, node)
		if (e->state == WAITING && !c->sid && (c->tid == -1 || c->tid == e->tid))
			refuse_waiting(e, ISCSI_LOGIN_UNAVAILABLE);
	if (!c->sid)
		iscsi_redirect_cancel(c->tid);
}

void iscsi_session_close_all(int tid, uint64_t sid, unsigned int polite_ms,
			     void (*done)(void *arg), void *arg)
{
	const struct closing what = { .tid = tid, .sid = sid, .last_sid = last_sid };
	struct closing *c = malloc(sizeof(*c));
	struct iscsi_session_entry *e;

	turn_away_waiting(&what);
	if (!c) {	/* closed all the same; the caller cannot be told when */
		log_err("no memory to wait for sessions to end");
		close_now(&what);
		if (done)
			done(arg);
		return;
	}
	*c = what;
	c->timer.expired = was_polite;
	c->done = done;
	c->arg = arg;
	list_add_tail(&closings, &c->node);
	if (polite_ms && !reactor_timer_arm(reactor_group_control(), &c->timer, polite_ms)) {
		list_for_each(e, &entries, node)
			if (concerns(c, e) && !e->ordered && !e->close_why)
				send_order(e, DIV_ROUND_UP(polite_ms, 1000U));
	} else {
		close_now(c);
	}
	check_closing(c);
}
