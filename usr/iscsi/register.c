/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/register.c - the register of sessions: who may have one, and when.
 *
 *	asked -> [redirect] -> decide -> [sweep] -> [predecessors] -> proceed
 *
 * Sweep: an initiator may close its connections and log in again at once.  The
 * old connection's end may be news that another reactor has not come to yet;
 * what the old session held (a reservation, PREVENT) must not meet the new one.
 */
#include "iscsi/register.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/conn.h"
#include "iscsi/session.h"
#include "iscsi/target.h"
#include "reactor/group.h"
#include "scsi/target.h"

#define WAIT_MS		2000	/* for a predecessor whose store hangs */

/* All control's. */
static struct list_head entries = LIST_HEAD_INIT(entries);	/* by age */
static unsigned int nr_entries;
static uint64_t last_sid;
static uint16_t last_tsih;

static void entry_free(struct iscsi_register_entry *e)
{
	list_del(&e->node);
	nr_entries--;
	free(e);
}

void iscsi_register_walk(void (*visit)(struct iscsi_register_entry *e, void *arg), void *arg)
{
	struct iscsi_register_entry *e, *tmp;

	list_for_each_safe(e, tmp, &entries, node)
		visit(e, arg);
}

uint64_t iscsi_register_last_sid(void)
{
	return last_sid;
}

/* --- orders --- */

static void send_order(struct iscsi_register_entry *e, unsigned int logout_s)
{
	e->ordered = true;
	e->logout_s = logout_s;
	e->order_why = e->close_why;
	reactor_mailbox_send(e->reactor, &e->order, iscsi_session_obey);
}

void iscsi_register_order_close(struct iscsi_register_entry *e, const char *why)
{
	if (e->state != ISCSI_REGISTER_LIVE || e->close_why)
		return;
	e->close_why = why;
	if (!e->ordered)
		send_order(e, 0);
}

void iscsi_register_order_logout(struct iscsi_register_entry *e, unsigned int logout_s)
{
	if (!e->ordered && !e->close_why)
		send_order(e, logout_s);
}

static void obeyed(struct mail *m)
{
	struct iscsi_register_entry *e = container_of(m, struct iscsi_register_entry, obeyed);
	const bool was_close = !e->logout_s;

	e->ordered = false;
	if (e->gone)
		entry_free(e);
	else if (e->close_why && !was_close && e->state == ISCSI_REGISTER_LIVE)
		send_order(e, 0);
}

void iscsi_register_obeyed(struct iscsi_register_entry *e)
{
	reactor_mailbox_send(reactor_group_control(), &e->obeyed, obeyed);
}

/* --- answers --- */

static void answered(struct mail *m)
{
	struct iscsi_session_request *req =
		container_of(m, struct iscsi_session_request, mail);

	req->done(req);
}

static void refuse(struct iscsi_session_request *req, enum iscsi_login_status status)
{
	req->status = status;
	reactor_mailbox_send(req->conn->reactor, &req->mail, answered);
}

void iscsi_register_turn_away(struct iscsi_register_entry *e, enum iscsi_login_status status)
{
	struct iscsi_session_request *req = TAKE_PTR(e->req);

	if (!req)
		return;			/* done before */
	reactor_timer_cancel(reactor_group_control(), &e->timer);
	refuse(req, status);
	if (!e->sweeping)
		entry_free(e);
}

static bool tsih_in_use(uint16_t tsih)
{
	struct iscsi_register_entry *e;

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
static void proceed(struct iscsi_register_entry *e)
{
	struct iscsi_session_request *req = TAKE_PTR(e->req);

	reactor_timer_cancel(reactor_group_control(), &e->timer);
	e->predecessor = NULL;
	e->sid = ++last_sid;
	e->tsih = new_tsih();
	e->state = ISCSI_REGISTER_LIVE;
	/* Ids grow towards the end of the list. */
	list_del(&e->node);
	list_add_tail(&entries, &e->node);
	req->priv = e;
	reactor_mailbox_send(e->reactor, &req->mail, iscsi_session_make);
}

/* --- predecessors --- */

static bool same_initiator(const struct iscsi_register_entry *a,
			   const struct iscsi_register_entry *b)
{
	return a != b && a->tid && a->tid == b->tid &&
	       !strcmp(a->initiator_name, b->initiator_name);
}

/* RFC 7143 4.4.3: the I_T nexus is initiator name, ISID, target and portal
 * group. */
static bool same_nexus(const struct iscsi_register_entry *a,
		       const struct iscsi_register_entry *b)
{
	return same_initiator(a, b) && a->tpgt == b->tpgt &&
	       !memcmp(a->isid, b->isid, sizeof(a->isid));
}

/* The next that @e has to wait for: a session of its nexus, or one that its
 * initiator has left and that still ends its tasks. */
static struct iscsi_register_entry *in_the_way(const struct iscsi_register_entry *e)
{
	struct iscsi_register_entry *a;

	list_for_each(a, &entries, node)
		if (a->state != ISCSI_REGISTER_WAITING && !a->hopeless && !a->gone &&
		    (same_nexus(a, e) ||
		     (a->state == ISCSI_REGISTER_ENDED && same_initiator(a, e))))
			return a;
	return NULL;
}

static void waited(struct timer *t)
{
	struct iscsi_register_entry *e = container_of(t, struct iscsi_register_entry, timer);
	struct iscsi_register_entry *a;

	while ((a = in_the_way(e))) {
		log_warn("session %lu of %s: its tasks do not end, its successor starts",
			 (unsigned long)a->sid, e->initiator_name);
		a->hopeless = true;
	}
	proceed(e);
}

static void wait_or_proceed(struct iscsi_register_entry *e)
{
	const bool waits = e->predecessor != NULL;

	e->predecessor = in_the_way(e);
	if (!e->predecessor ||
	    (!waits && reactor_timer_arm(reactor_group_control(), &e->timer, WAIT_MS) < 0))
		proceed(e);
}

/*
 * Session reinstatement, 6.3.5: a session of the same nexus is closed, and
 * waited for.  One that is still waiting itself has been overtaken.
 */
static void reinstate(struct iscsi_register_entry *new)
{
	struct iscsi_register_entry *e, *tmp;

	list_for_each_safe(e, tmp, &entries, node) {
		if (!same_nexus(e, new))
			continue;
		if (e->state == ISCSI_REGISTER_WAITING)
			iscsi_register_turn_away(e, ISCSI_LOGIN_TARGET_ERROR);
		else
			iscsi_register_order_close(e, "session reinstatement");
	}
}

static void ended(struct mail *m)
{
	container_of(m, struct iscsi_register_entry, ended)->state = ISCSI_REGISTER_ENDED;
	iscsi_register_check_closings();
}

void iscsi_register_ended(struct iscsi_register_entry *e)
{
	reactor_mailbox_send(reactor_group_control(), &e->ended, ended);
}

static void went(struct mail *m)
{
	struct iscsi_register_entry *gone =
		container_of(m, struct iscsi_register_entry, went);
	struct iscsi_register_entry *e, *tmp;

	gone->gone = true;
	/* proceed() moves an entry to the end, where it does not wait any more. */
	list_for_each_safe(e, tmp, &entries, node)
		if (e->state == ISCSI_REGISTER_WAITING && e->predecessor == gone)
			wait_or_proceed(e);
	if (!gone->ordered)
		entry_free(gone);
}

void iscsi_register_went(struct iscsi_register_entry *e)
{
	reactor_mailbox_send(reactor_group_control(), &e->went, went);
}

/* --- the sweep --- */

static void sweep(struct reactor_spread *s, void *arg)
{
	const struct iscsi_register_entry *e = arg;

	iscsi_session_sweep(e->tid, e->initiator_name);
	reactor_group_spread_put(s);
}

static void swept(void *arg)
{
	struct iscsi_register_entry *e = arg;

	e->sweeping = false;
	if (!e->req)			/* turned away meanwhile */
		entry_free(e);
	else
		wait_or_proceed(e);
}

static bool has_others(const struct iscsi_register_entry *e)
{
	struct iscsi_register_entry *a;

	list_for_each(a, &entries, node)
		if (a->state == ISCSI_REGISTER_LIVE && same_initiator(a, e))
			return true;
	return false;
}

/* --- admission --- */

static enum iscsi_login_status admit(const struct iscsi_session_request *req)
{
	const struct iscsi_target *t = req->target;
	struct iscsi_register_entry *e;

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
		if (e->state == ISCSI_REGISTER_LIVE && e->tsih == req->tsih &&
		    e->tid == (t ? t->scsi->tid : 0) &&
		    !memcmp(e->isid, req->isid, sizeof(e->isid)) &&
		    !strcmp(e->initiator_name, req->initiator_name))
			return ISCSI_LOGIN_TOO_MANY_CONNS;
	return ISCSI_LOGIN_NO_SESSION;
}

static struct iscsi_register_entry *entry_new(struct iscsi_session_request *req)
{
	struct iscsi_register_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->state = ISCSI_REGISTER_WAITING;
	e->cid = req->cid;
	e->tpgt = req->conn->tpgt;
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

static void enter(struct iscsi_register_entry *e)
{
	reinstate(e);
	e->sweeping = has_others(e) && !reactor_group_spread(sweep, swept, e);
	if (!e->sweeping)
		wait_or_proceed(e);
}

/* It is known whether the target sends the initiator elsewhere. */
static void decide(struct iscsi_session_request *req, enum iscsi_login_status status)
{
	struct iscsi_register_entry *e;

	if (status == ISCSI_LOGIN_OK && req->redirect.to.reason)
		status = req->redirect.to.reason == ISCSI_REDIRECT_PERMANENT ?
				 ISCSI_LOGIN_MOVED_PERMANENTLY :
				 ISCSI_LOGIN_MOVED_TEMPORARILY;
	if (status != ISCSI_LOGIN_OK) {
		refuse(req, status);
		return;
	}
	e = entry_new(req);
	if (e)
		enter(e);
	else
		refuse(req, ISCSI_LOGIN_OUT_OF_RESOURCES);
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

void iscsi_register_ask(struct iscsi_session_request *req)
{
	reactor_mailbox_send(reactor_group_control(), &req->mail, asked);
}

/* --- for management --- */

void iscsi_register_each(int tid, void (*visit)(const struct iscsi_session_info *info,
						void *arg), void *arg)
{
	struct iscsi_register_entry *e;

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

		if (e->state == ISCSI_REGISTER_LIVE && e->tid == tid)
			visit(&info, arg);
	}
}

unsigned int iscsi_register_count(int tid)
{
	struct iscsi_register_entry *e;
	unsigned int n = 0;

	list_for_each(e, &entries, node)
		n += e->state == ISCSI_REGISTER_LIVE && e->tid == tid;
	return n;
}
