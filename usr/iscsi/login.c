/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/login.c - the stages of a login and its PDUs, RFC 7143 6.3, 11.12, 11.13.
 *
 *	state        a whole request leads to
 *	FIRST        SECURITY or OPERATIONAL, and on as they do
 *	SECURITY     itself; OPERATIONAL; OPENING (straight to full feature phase)
 *	OPERATIONAL  itself; OPENING
 *	OPENING      nothing is read; control's answer ends the machine
 *	FAILED       the refusal is sent, then the connection ends
 *
 * Any state may lead to FAILED.  A request may come in parts (C bit); an answer
 * may leave in parts, each fetched by an empty request.
 */
#include "iscsi/login.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/probe.h"
#include "base/text.h"
#include "iscsi/conn.h"
#include "iscsi/login_state.h"
#include "iscsi/pdu.h"
#include "iscsi/session.h"
#include "iscsi/target.h"
#include "scsi/target.h"

#define ROUNDS_MAX	2048U	/* requests of one login */
#define RESPONSE_MAX	8192U	/* 13.12: the default holds during login */

/* What status says when no better reason is known; for the log. */
enum iscsi_login_status iscsi_login_fail(struct iscsi_login *l,
					 enum iscsi_login_status status,
					 const char *why)
{
	l->status = status;
	l->why = why;
	return status;
}

enum iscsi_login_status iscsi_login_say(struct iscsi_login *l, const char *key,
					const char *value)
{
	if (iscsi_text_add(&l->out, key, value) < 0)
		return iscsi_login_fail(l, ISCSI_LOGIN_OUT_OF_RESOURCES,
					"out of memory");
	return ISCSI_LOGIN_OK;
}

int iscsi_login_start(struct iscsi_conn *conn)
{
	struct iscsi_login *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->conn = conn;
	conn->login = l;
	conn->params = iscsi_params_default;
	return 0;
}

void iscsi_login_free(struct iscsi_conn *conn)
{
	struct iscsi_login *l = TAKE_PTR(conn->login);

	if (!l)
		return;
	if (l->target)
		iscsi_target_put(l->target);
	iscsi_text_fini(&l->in);
	iscsi_text_fini(&l->out);
	free(l);
}

/* --- responses --- */

static struct iscsi_pdu *response_new(const struct iscsi_bhs_login_req *req)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_LOGIN_RSP);

	if (!pdu)
		return NULL;
	pdu->bhs.flags = 0;
	memcpy(pdu->login_rsp.isid, req->isid, sizeof(req->isid));
	pdu->login_rsp.itt = req->itt;
	/* Nothing but this request may be sent for now. */
	pdu->login_rsp.exp_cmdsn = req->cmdsn;
	pdu->login_rsp.max_cmdsn = req->cmdsn;
	return pdu;
}

/* The text of a refusal; 13.8: without the portal group tag when it redirects. */
static int add_target_address(struct iscsi_pdu *pdu, const char *address)
{
	struct iscsi_text text = { 0 };
	uint32_t bytes;
	void *data;
	int err;

	err = iscsi_text_add(&text, "TargetAddress", address);
	if (!err)
		err = iscsi_text_take(&text, RESPONSE_MAX, &data, &bytes);
	iscsi_text_fini(&text);
	if (!err)
		iscsi_pdu_take_data(pdu, data, bytes);
	return err;
}

/* @address: where to go instead (11.13.5); NULL: nowhere. */
static int refuse(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
		  enum iscsi_login_status status, const char *why, const char *address)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *pdu = NULL;
	const struct iscsi_login *l = conn->login;
	struct iscsi_bhs_login_req req;

	static_assert(sizeof(req) == sizeof(*bhs), "RFC 7143 11.2.1");
	memcpy(&req, bhs, sizeof(req));
	log_info("conn %lu from %s: login of %s to %s refused (0x%04x): %s",
		 (unsigned long)conn->id, conn->peer_text,
		 l && l->initiator_name[0] ? l->initiator_name : "?",
		 l && l->target ? l->target->scsi->name : "-", status, why);
	/* Not a Login Request: what is in the place of its fields means something
	 * else. */
	if ((bhs->opcode & ISCSI_OPCODE_MASK) != ISCSI_OP_LOGIN_REQ) {
		memcpy(req.isid, l ? l->isid : (const uint8_t[6]){ 0 }, 6);
		req.cmdsn = be32_make(l ? l->cmdsn : 0);
	}
	pdu = response_new(&req);
	if (!pdu || (address && add_target_address(pdu, address) < 0))
		return -ENOMEM;
	pdu->login_rsp.status_class = (uint8_t)(status >> 8);
	pdu->login_rsp.status_detail = (uint8_t)status;
	iscsi_conn_send(conn, TAKE_PTR(pdu));
	iscsi_conn_close_when_sent(conn);
	return 0;
}

int iscsi_login_refuse(struct iscsi_conn *conn, const struct iscsi_bhs *bhs,
		       enum iscsi_login_status status, const char *why)
{
	return refuse(conn, bhs, status, why, NULL);
}

/* As much of the answer as a PDU takes.  @next is the stage that begins with it,
 * or -1; not now, if more of the answer follows. */
static struct iscsi_pdu *response_fill(struct iscsi_login *l, int next)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *pdu = response_new(&l->last);
	uint32_t bytes;
	void *data;

	if (!pdu || iscsi_text_take(&l->out, RESPONSE_MAX, &data, &bytes) < 0)
		return NULL;
	iscsi_pdu_take_data(pdu, data, bytes);
	pdu->bhs.flags = (uint8_t)(l->last.flags & 3 << 2);
	if (l->out.bytes)
		pdu->bhs.flags |= ISCSI_LOGIN_CONTINUE;
	else if (next >= 0)
		pdu->bhs.flags |= (uint8_t)(ISCSI_LOGIN_TRANSIT | next);
	return TAKE_PTR(pdu);
}

static int respond(struct iscsi_login *l, int next)
{
	struct iscsi_pdu *pdu = response_fill(l, next);

	if (!pdu)
		return -ENOMEM;
	iscsi_conn_send(l->conn, pdu);
	return 0;
}

/* --- the end: control makes the session --- */

static void free_request(struct iscsi_session_request *req)
{
	if (req->target)
		iscsi_target_put(req->target);
	free(req);
}

/* What a command may bring before it is asked for: immediate data, and more where
 * InitialR2T is No (RFC 7143 13.10, 13.11, 13.14). */
static uint32_t unsolicited_bytes(const struct iscsi_params *p)
{
	const uint32_t *v = p->v;

	if (!v[ISCSI_KEY_INITIAL_R2T])
		return v[ISCSI_KEY_FIRST_BURST];
	return v[ISCSI_KEY_IMMEDIATE_DATA] ? MIN(v[ISCSI_KEY_FIRST_BURST],
						 v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT]) : 0;
}

/* Into full feature phase with the last response. */
static int finish(struct iscsi_login *l, struct iscsi_session *s)
{
	struct iscsi_conn *conn = l->conn;
	struct iscsi_pdu *pdu = response_fill(l, ISCSI_STAGE_FULL_FEATURE);
	const struct iscsi_target_config *c;

	if (!pdu)
		return -ENOMEM;
	c = s->target ? iscsi_target_config(s->target) : NULL;
	s->window = c ? c->max_queue_cmd : 1;
	s->unsolicited_bytes = unsolicited_bytes(&conn->params);
	s->exp_cmdsn = l->cmdsn;	/* immediate: does not count */
	s->max_cmdsn = l->cmdsn - 1;
	pdu->login_rsp.tsih = be16_make(s->tsih);
	conn->session = s;
	conn->cid = l->cid;
	iscsi_conn_send(conn, pdu);
	/* 13.1: from the next PDU on. */
	conn->header_digest = conn->params.v[ISCSI_KEY_HEADER_DIGEST];
	conn->data_digest = conn->params.v[ISCSI_KEY_DATA_DIGEST];
	log_info("conn %lu from %s: %s logged in to %s, session %lu",
		 (unsigned long)conn->id, conn->peer_text, s->initiator_name,
		 s->target ? s->target->scsi->name : "discovery",
		 (unsigned long)s->sid);
	iscsi_login_free(conn);
	iscsi_conn_login_done(conn);
	return 0;
}

static bool is_redirection(enum iscsi_login_status status)
{
	return status == ISCSI_LOGIN_MOVED_TEMPORARILY ||
	       status == ISCSI_LOGIN_MOVED_PERMANENTLY;
}

static const char *refusal(enum iscsi_login_status status)
{
	switch (status) {
	case ISCSI_LOGIN_MOVED_TEMPORARILY:
	case ISCSI_LOGIN_MOVED_PERMANENTLY:
		return "the target redirects logins";
	case ISCSI_LOGIN_NOT_FOUND:
		return "the target was deleted";
	case ISCSI_LOGIN_UNAVAILABLE:
		return "the target is offline";
	case ISCSI_LOGIN_NO_SESSION:
		return "no session has that TSIH";
	case ISCSI_LOGIN_TOO_MANY_CONNS:
		return "a session has one connection";
	case ISCSI_LOGIN_OUT_OF_RESOURCES:
		return "too many sessions, or out of memory";
	default:
		return "overtaken by another login of the same initiator port";
	}
}

static void opened(struct iscsi_session_request *req)
{
	struct iscsi_conn *conn = req->conn;
	struct iscsi_login *l = conn->login;
	int err;

	if (conn->state != ISCSI_CONN_LOGIN) {	/* timed out, or gone, meanwhile */
		if (req->status == ISCSI_LOGIN_OK)
			iscsi_session_close(req->session);
	} else if (req->status != ISCSI_LOGIN_OK) {
		err = refuse(conn, (struct iscsi_bhs *)&l->last, req->status,
			     refusal(req->status),
			     is_redirection(req->status) ? req->redirect.to.address :
							   NULL);
		if (err < 0)
			iscsi_conn_close(conn, "out of memory");
	} else if (finish(l, req->session) < 0) {
		iscsi_session_close(req->session);
		iscsi_conn_close(conn, "out of memory");
	} else {
		iscsi_conn_rx_resume(conn);
	}
	free_request(req);
	iscsi_conn_put(conn);
}

static enum iscsi_login_status open_session(struct iscsi_login *l)
{
	struct iscsi_session_request *req = calloc(1, sizeof(*req));

	if (!req)
		return iscsi_login_fail(l, ISCSI_LOGIN_OUT_OF_RESOURCES,
					"out of memory");
	iscsi_conn_get(l->conn);
	req->conn = l->conn;
	req->target = l->target ? iscsi_target_get(l->target) : NULL;
	memcpy(req->isid, l->isid, sizeof(req->isid));
	req->tsih = l->tsih;
	req->cid = l->cid;
	memcpy(req->initiator_name, l->initiator_name, sizeof(req->initiator_name));
	memcpy(req->initiator_alias, l->initiator_alias, sizeof(req->initiator_alias));
	text_copy(req->user, sizeof(req->user), l->user);
	req->done = opened;
	iscsi_conn_rx_pause(l->conn);
	iscsi_session_open(req);
	return ISCSI_LOGIN_OK;
}

/* --- the states --- */

/* The stage that the request wants to go to, or -1. */
static int wanted_stage(const struct iscsi_login *l)
{
	return l->last.flags & ISCSI_LOGIN_TRANSIT ? ISCSI_LOGIN_NSG(l->last.flags) : -1;
}

/* Answer, and go to stage @next if that is not -1. */
static enum iscsi_login_state answer(struct iscsi_login *l, int next)
{
	if (next == ISCSI_STAGE_FULL_FEATURE && l->out.bytes <= RESPONSE_MAX)
		return open_session(l) == ISCSI_LOGIN_OK ? ISCSI_LOGIN_OPENING
							 : ISCSI_LOGIN_FAILED;
	if (l->out.bytes > RESPONSE_MAX)
		next = -1;
	if (respond(l, next) < 0) {
		iscsi_login_fail(l, ISCSI_LOGIN_OUT_OF_RESOURCES, "out of memory");
		return ISCSI_LOGIN_FAILED;
	}
	if (next >= 0)
		l->stage = (uint8_t)next;
	return l->stage == ISCSI_STAGE_SECURITY ? ISCSI_LOGIN_SECURITY
						: ISCSI_LOGIN_OPERATIONAL;
}

/* 13.12: once, before full feature phase. */
static enum iscsi_login_status declare(struct iscsi_login *l)
{
	char value[12];

	if (l->declared)
		return ISCSI_LOGIN_OK;
	l->declared = true;
	snprintf(value, sizeof(value), "%u",
		 l->conn->params.v[ISCSI_KEY_MAX_RECV_DATA_SEGMENT]);
	return iscsi_login_say(l, iscsi_keys_name(ISCSI_KEY_MAX_RECV_DATA_SEGMENT),
			       value);
}

/* Before the initiator leaves: what it did not mention and we want otherwise. */
static enum iscsi_login_status propose(struct iscsi_login *l)
{
	char value[ISCSI_KEYS_VALUE_MAX + 1];
	enum iscsi_login_status status = ISCSI_LOGIN_OK;
	unsigned int key = 0;
	const char *name;

	if (l->proposed) {	/* what has no answer now keeps its default */
		l->neg.proposed = 0;
		return ISCSI_LOGIN_OK;
	}
	l->proposed = true;
	while (status == ISCSI_LOGIN_OK &&
	       iscsi_keys_propose(&l->neg, &key, &name, value))
		status = iscsi_login_say(l, name, value);
	return status;
}

static enum iscsi_login_state security(struct iscsi_login *l)
{
	int next = wanted_stage(l);

	if (iscsi_login_auth_step(l) != ISCSI_LOGIN_OK ||
	    iscsi_login_keys_negotiate(l) != ISCSI_LOGIN_OK)
		return ISCSI_LOGIN_FAILED;
	if (next >= 0 && !iscsi_login_auth_satisfied(l)) {
		if (l->method != ISCSI_AUTH_CHAP) {
			iscsi_login_fail(l, ISCSI_LOGIN_AUTH_FAILED,
					 "CHAP is required, but not offered");
			return ISCSI_LOGIN_FAILED;
		}
		next = -1;		/* not before the response is here */
	}
	if (next == ISCSI_STAGE_FULL_FEATURE && declare(l) != ISCSI_LOGIN_OK)
		return ISCSI_LOGIN_FAILED;
	return answer(l, next);
}

static enum iscsi_login_state operational(struct iscsi_login *l)
{
	int next = wanted_stage(l);

	if (!iscsi_login_auth_satisfied(l)) {
		iscsi_login_fail(l, ISCSI_LOGIN_AUTH_FAILED,
				 "CHAP is required, but the security stage was skipped");
		return ISCSI_LOGIN_FAILED;
	}
	if (iscsi_login_keys_negotiate(l) != ISCSI_LOGIN_OK ||
	    declare(l) != ISCSI_LOGIN_OK)
		return ISCSI_LOGIN_FAILED;
	if (next >= 0) {
		if (propose(l) != ISCSI_LOGIN_OK)
			return ISCSI_LOGIN_FAILED;
		if (l->neg.proposed)
			next = -1;
	}
	return answer(l, next);
}

/* 6.3: it names the initiator, and the target of a normal session. */
static enum iscsi_login_state first(struct iscsi_login *l)
{
	if (iscsi_login_keys_identify(l) != ISCSI_LOGIN_OK)
		return ISCSI_LOGIN_FAILED;
	return l->stage == ISCSI_STAGE_SECURITY ? security(l) : operational(l);
}

static const struct {
	const char *name;
	enum iscsi_login_state (*run)(struct iscsi_login *l);
	unsigned int next;
} states[ISCSI_LOGIN_NR_STATES] = {
	[ISCSI_LOGIN_FIRST] = { "first", first,
		BIT(ISCSI_LOGIN_SECURITY) | BIT(ISCSI_LOGIN_OPERATIONAL) |
		BIT(ISCSI_LOGIN_OPENING) | BIT(ISCSI_LOGIN_FAILED) },
	[ISCSI_LOGIN_SECURITY] = { "security", security,
		BIT(ISCSI_LOGIN_SECURITY) | BIT(ISCSI_LOGIN_OPERATIONAL) |
		BIT(ISCSI_LOGIN_OPENING) | BIT(ISCSI_LOGIN_FAILED) },
	[ISCSI_LOGIN_OPERATIONAL] = { "operational", operational,
		BIT(ISCSI_LOGIN_OPERATIONAL) | BIT(ISCSI_LOGIN_OPENING) |
		BIT(ISCSI_LOGIN_FAILED) },
};

/* --- requests --- */

/* 11.12.1 to 11.12.4: stages and flags that go together. */
static enum iscsi_login_status check_flags(struct iscsi_login *l,
					   const struct iscsi_bhs_login_req *req)
{
	const unsigned int csg = ISCSI_LOGIN_CSG(req->flags);
	const unsigned int nsg = ISCSI_LOGIN_NSG(req->flags);
	const bool transit = req->flags & ISCSI_LOGIN_TRANSIT;

	if (req->version_min > ISCSI_VERSION)
		return iscsi_login_fail(l, ISCSI_LOGIN_BAD_VERSION,
					"version 0 is the only one");
	if (csg != ISCSI_STAGE_SECURITY && csg != ISCSI_STAGE_OPERATIONAL)
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"no such stage");
	if (transit && req->flags & ISCSI_LOGIN_CONTINUE)
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"T and C exclude each other");
	if (transit && (nsg <= csg || nsg == ISCSI_STAGE_RESERVED))
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"no such next stage");
	return ISCSI_LOGIN_OK;
}

/* What describes the session may not change while it is made. */
static enum iscsi_login_status check_same(struct iscsi_login *l,
					  const struct iscsi_bhs_login_req *req)
{
	if (memcmp(l->isid, req->isid, sizeof(l->isid)) ||
	    l->tsih != be16_get(req->tsih) || l->cid != be16_get(req->cid))
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"ISID, TSIH or CID changed");
	if (l->stage != ISCSI_LOGIN_CSG(req->flags))
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"not the current stage");
	if (++l->rounds > ROUNDS_MAX)
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"too many requests");
	return ISCSI_LOGIN_OK;
}

static void begin(struct iscsi_login *l, const struct iscsi_bhs_login_req *req)
{
	l->begun = true;
	memcpy(l->isid, req->isid, sizeof(l->isid));
	l->tsih = be16_get(req->tsih);
	l->cid = be16_get(req->cid);
	l->cmdsn = be32_get(req->cmdsn);
	l->stage = ISCSI_LOGIN_CSG(req->flags);
	l->conn->statsn = be32_get(req->exp_statsn);	/* 11.13.4: any will do */
}

/* Collect the text.  *ret_whole: it is complete and of due form. */
static enum iscsi_login_status collect(struct iscsi_login *l,
				       const struct iscsi_pdu *pdu, bool *ret_whole)
{
	int err;

	*ret_whole = false;
	err = iscsi_text_append(&l->in, pdu->owned, pdu->data_bytes);
	if (!err && !(pdu->login_req.flags & ISCSI_LOGIN_CONTINUE)) {
		*ret_whole = true;
		err = iscsi_text_check(&l->in);
	}
	switch (err) {
	case 0:
		return ISCSI_LOGIN_OK;
	case -ENOMEM:
		return iscsi_login_fail(l, ISCSI_LOGIN_OUT_OF_RESOURCES,
					"out of memory");
	case -EINVAL:
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"not key=value pairs");
	default:
		return iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					"too much text");
	}
}

/* A whole request. */
static enum iscsi_login_state run(struct iscsi_login *l)
{
	const enum iscsi_login_state from = l->state;
	enum iscsi_login_state to = ISCSI_LOGIN_FAILED;

	if (iscsi_login_keys_sort(l) == ISCSI_LOGIN_OK)
		to = states[from].run(l);
	iscsi_text_fini(&l->in);
	assert(states[from].next & BIT(to));
	PROBE(iscsi, login_step, l->conn->id, from, to);
	return l->state = to;
}

static enum iscsi_login_state step(struct iscsi_login *l, const struct iscsi_pdu *pdu)
{
	const struct iscsi_bhs_login_req *req = &pdu->login_req;
	bool whole;

	if (check_flags(l, req) != ISCSI_LOGIN_OK)
		return ISCSI_LOGIN_FAILED;
	if (!l->begun)
		begin(l, req);
	if (check_same(l, req) != ISCSI_LOGIN_OK)
		return ISCSI_LOGIN_FAILED;
	l->last = *req;
	if (l->out.bytes) {	/* 6.2: an empty request, for the rest of our answer */
		if (pdu->data_bytes) {
			iscsi_login_fail(l, ISCSI_LOGIN_INITIATOR_ERROR,
					 "text before our answer was complete");
			return ISCSI_LOGIN_FAILED;
		}
		return answer(l, -1);
	}
	if (collect(l, pdu, &whole) != ISCSI_LOGIN_OK)
		return ISCSI_LOGIN_FAILED;
	if (whole)
		return run(l);
	if (respond(l, -1) < 0) {	/* "go on" */
		iscsi_login_fail(l, ISCSI_LOGIN_OUT_OF_RESOURCES, "out of memory");
		return ISCSI_LOGIN_FAILED;
	}
	return l->state;
}

int iscsi_login_request(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *req = pdu;
	struct iscsi_login *l = conn->login;

	if ((req->bhs.opcode & ISCSI_OPCODE_MASK) != ISCSI_OP_LOGIN_REQ) {
		if (!l->begun)	/* 6.3: then there is nobody to answer */
			return -EPROTO;
		return iscsi_login_refuse(conn, &req->bhs,
					  ISCSI_LOGIN_INVALID_REQUEST,
					  "another PDU during login");
	}
	if (step(l, req) != ISCSI_LOGIN_FAILED)
		return 0;
	l->state = ISCSI_LOGIN_FAILED;
	return iscsi_login_refuse(conn, &req->bhs, l->status, l->why);
}
