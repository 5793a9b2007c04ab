/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/text_req.c - Text Requests, RFC 7143 11.10, 11.11 and appendix C.
 *
 * A session has one exchange at a time; a request with the reserved Target
 * Transfer Tag begins a new one and ends the one before.  The list of targets is
 * made as it is sent, a PDU at a time, with the tid of the last one told as the
 * only memory: ten thousand targets cost no more than ten.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "iscsi/acl.h"
#include "iscsi/conn.h"
#include "iscsi/keys.h"
#include "iscsi/login.h"
#include "iscsi/login_state.h"
#include "iscsi/portal.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "iscsi/target.h"
#include "iscsi/text.h"
#include "net/addr.h"
#include "scsi/target.h"

#define RESPONSE_MAX	262144U	/* bytes of one, whatever the initiator takes */
#define SEND_TARGETS	"SendTargets"

struct iscsi_text_exchange {
	be32 itt;
	uint32_t ttt;
	struct iscsi_text in, out;
	bool asked;		/* SendTargets: once in an exchange */
	bool listing;		/* SendTargets=All has not told them all */
	int last_tid;		/* it told those up to here */
};

void iscsi_text_req_exchange_free(struct iscsi_text_exchange *x)
{
	if (!x)
		return;
	iscsi_text_fini(&x->in);
	iscsi_text_fini(&x->out);
	free(x);
}

static void end_exchange(struct iscsi_session *s)
{
	iscsi_text_req_exchange_free(s->text);
	s->text = NULL;
}

static int begin_exchange(struct iscsi_session *s, const struct iscsi_pdu *pdu)
{
	end_exchange(s);
	s->text = calloc(1, sizeof(*s->text));
	if (!s->text)
		return -ENOMEM;
	if (++s->next_ttt == ISCSI_TAG_NONE)
		s->next_ttt = 0;
	s->text->itt = pdu->text_req.itt;
	s->text->ttt = s->next_ttt;
	return 0;
}

/* --- SendTargets --- */

static bool visible(const struct iscsi_session *s, const struct iscsi_target *t)
{
	return iscsi_acl_allows(iscsi_target_config(t)->acl, &s->conn->peer,
				s->initiator_name);
}

/* 13.8: each portal by which this initiator can reach it. */
static int add_addresses(const struct iscsi_session *s, struct iscsi_text *out)
{
	const struct iscsi_portal_list *list = iscsi_portal_list();
	int err = 0;

	for (unsigned int i = 0; list && !err && i < list->n; i++) {
		char endpoint[NET_ADDR_TEXT_MAX], value[NET_ADDR_TEXT_MAX + 8];
		struct sockaddr_storage addr;

		if (!iscsi_portal_reachable(&list->e[i], &s->conn->local, &addr))
			continue;
		snprintf(value, sizeof(value), "%s,%u",
			 net_addr_format_endpoint(&addr, endpoint, sizeof(endpoint)),
			 list->e[i].tpgt);
		err = iscsi_text_add(out, "TargetAddress", value);
	}
	return err;
}

static int add_target(const struct iscsi_session *s, const struct iscsi_target *t,
		      struct iscsi_text *out)
{
	const int err = iscsi_text_add(out, "TargetName", t->scsi->name);

	return err < 0 ? err : add_addresses(s, out);
}

/* Whom the initiator may not see is answered like one who is not there. */
static int add_named(const struct iscsi_session *s, const char *name,
		     struct iscsi_text *out)
{
	struct iscsi_target *t;
	int err = 0;

	/* Appendix C: a normal session learns of its own target only. */
	if (s->target && strcmp(s->target->scsi->name, name))
		return 0;
	t = iscsi_target_find(name);
	if (!t)
		return 0;
	if (s->target || visible(s, t))
		err = add_target(s, t, out);
	iscsi_target_put(t);
	return err;
}

static int send_targets(const struct iscsi_session *s, struct iscsi_text_exchange *x,
			const char *value)
{
	const bool all = !strcmp(value, "All");

	if (x->asked)
		return -EEXIST;
	x->asked = true;
	if (all && !s->target) {
		x->listing = true;
		x->last_tid = 0;
		return 0;
	}
	if (s->target && !value[0])
		return add_named(s, s->target->scsi->name, &x->out);
	if (all || !value[0])
		return iscsi_text_add(&x->out, SEND_TARGETS, "Reject");
	return add_named(s, value, &x->out);
}

/* More of the list, until there is enough for a PDU of @bytes. */
static int list_more(const struct iscsi_session *s, struct iscsi_text_exchange *x,
		     uint32_t bytes)
{
	while (x->listing && x->out.bytes <= bytes) {
		const struct iscsi_target *t = iscsi_target_next(x->last_tid);
		int err = 0;

		if (!t) {
			x->listing = false;
			break;
		}
		x->last_tid = t->scsi->tid;
		if (visible(s, t))
			err = add_target(s, t, &x->out);
		if (err < 0)
			return err;
	}
	return 0;
}

/* --- keys --- */

static int answer_key(struct iscsi_conn *conn, struct iscsi_negotiation *n,
		      const char *key, const char *value)
{
	struct iscsi_text_exchange *x = conn->session->text;
	char answer[ISCSI_KEYS_VALUE_MAX + 1];
	int err;

	if (!strcmp(key, SEND_TARGETS))
		return send_targets(conn->session, x, value);
	if (iscsi_login_keys_has(key))
		return iscsi_text_add(&x->out, key, "Reject");
	err = iscsi_keys_offer(n, ISCSI_KEYS_FULL_FEATURE, key, value, answer);
	if (err == -ENOENT)
		return iscsi_text_add(&x->out, key, "NotUnderstood");
	if (err < 0)
		return err;
	return answer[0] ? iscsi_text_add(&x->out, key, answer) : 0;
}

/* -EINVAL, -EEXIST: the initiator's error; -ENOMEM. */
static int answer_all(struct iscsi_conn *conn)
{
	struct iscsi_session *s = conn->session;
	struct iscsi_text_exchange *x = s->text;
	struct iscsi_negotiation n = {
		.own = s->target ? &iscsi_target_config(s->target)->params
				 : &iscsi_params_default,
		.params = &conn->params,
		.discovery = !s->target,
	};
	const char *key, *value;
	uint32_t pos = 0;
	int err;

	err = iscsi_text_check(&x->in);
	while (!err && iscsi_text_next(&x->in, &pos, &key, &value))
		err = answer_key(conn, &n, key, value);
	iscsi_text_fini(&x->in);
	return err;
}

/* --- PDUs --- */

/*
 * The next part of the answer.  @final: the initiator has said all.  The
 * exchange ends when both have.
 */
static int respond(struct iscsi_conn *conn, bool final)
{
	struct iscsi_session *s = conn->session;
	struct iscsi_text_exchange *x = s->text;
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *pdu =
		iscsi_pdu_new(ISCSI_OP_TEXT_RSP);
	const uint32_t max = MIN(conn->params.v[ISCSI_KEY_MAX_XMIT_DATA_SEGMENT],
				 RESPONSE_MAX);
	uint32_t bytes;
	void *data;
	bool more;

	if (!pdu || list_more(s, x, max) < 0 ||
	    iscsi_text_take(&x->out, max, &data, &bytes) < 0)
		return -ENOMEM;
	iscsi_pdu_take_data(pdu, data, bytes);
	more = x->out.bytes || x->listing;
	pdu->text_rsp.itt = x->itt;
	pdu->text_rsp.ttt = be32_make(ISCSI_TAG_NONE);
	pdu->text_rsp.flags = ISCSI_FINAL;
	if (more || !final) {
		pdu->text_rsp.ttt = be32_make(x->ttt);
		pdu->text_rsp.flags = more ? ISCSI_TEXT_CONTINUE : 0;
	} else {
		end_exchange(s);
	}
	iscsi_conn_send(conn, TAKE_PTR(pdu));
	return 0;
}

/* Find the exchange that @pdu belongs to, or begin one.  -EINVAL: none. */
static int find_exchange(struct iscsi_session *s, const struct iscsi_pdu *pdu)
{
	const uint32_t ttt = be32_get(pdu->text_req.ttt);

	if (ttt == ISCSI_TAG_NONE)
		return begin_exchange(s, pdu);
	if (!s->text || s->text->ttt != ttt ||
	    be32_get(s->text->itt) != be32_get(pdu->text_req.itt))
		return -EINVAL;
	return 0;
}

static int received(struct iscsi_conn *conn, const struct iscsi_pdu *pdu)
{
	const bool final = pdu->text_req.flags & ISCSI_FINAL;
	const bool part = pdu->text_req.flags & ISCSI_TEXT_CONTINUE;
	struct iscsi_session *s = conn->session;
	int err;

	if (final && part)		/* 11.10.2 */
		return -EINVAL;
	err = find_exchange(s, pdu);
	if (err < 0)
		return err;
	if (s->text->out.bytes || s->text->listing)	/* fetches the rest */
		return pdu->data_bytes ? -EINVAL : respond(conn, final);
	err = iscsi_text_append(&s->text->in, pdu->owned, pdu->data_bytes);
	if (err < 0)
		return err;
	if (part)
		return respond(conn, false);
	err = answer_all(conn);
	return err < 0 ? err : respond(conn, final);
}

int iscsi_text_req_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *req = pdu;
	const int err = received(conn, req);

	if (err >= 0 || err == -ENOMEM)
		return err;
	/* 7.12: the exchange is over, the values in force stay. */
	end_exchange(conn->session);
	iscsi_reject(conn, &req->bhs, ISCSI_REJECT_PROTOCOL_ERROR);
	return 0;
}
