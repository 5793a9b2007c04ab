/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/cmdsn.c - TCP keeps the order of one connection, so holding is rare; but
 * an initiator may number as it likes, and what it may make us hold is bounded
 * by the window.
 */
#include "iscsi/cmdsn.h"

#include "base/log.h"
#include "base/serial.h"
#include "iscsi/command.h"
#include "iscsi/conn.h"
#include "iscsi/pdu_table.h"
#include "iscsi/session.h"
#include "reactor/buffer.h"

#define UNSOLICITED_PART	4U	/* of the arena, for all windows, when all is fair */
#define PROMISED_PART		2U	/* beyond this, new windows are small */
#define LEAST_PART		4U	/* of the fair window */
#define WINDOW_START		32U

static const struct iscsi_pdu_type *type_of(const struct iscsi_pdu *pdu)
{
	return iscsi_pdu_table_find(pdu->bhs.opcode & ISCSI_OPCODE_MASK);
}

/*
 * Data that comes without an R2T takes memory whether we have any or not.  So what a
 * window lets come is promised to it by the arena (reactor_buffer_promise()), and
 * all windows together are to be no more than a part of that.  A promise cannot be
 * taken back (RFC 7143 4.2.2.1), so a session that has not sent anything gets a
 * small one: or those that came first would hold too much.
 */
static uint32_t window(struct iscsi_session *s)
{
	const unsigned int n = iscsi_session_count();

	if (!s->unsolicited_bytes)
		return s->window;
	if (unlikely(s->fair_sessions != n)) {
		const uint64_t fair = reactor_buffer_cap() / UNSOLICITED_PART /
				      s->unsolicited_bytes / MAX(n, 1U);

		s->fair_sessions = n;
		s->fair_window = (uint32_t)MIN(MAX(fair, 1ULL), (uint64_t)s->window);
	}
	return likely(s->has_sent) ? s->fair_window : MIN(s->fair_window, WINDOW_START);
}

static void promise(const struct iscsi_session *s, uint32_t commands)
{
	reactor_buffer_promise((int64_t)s->unsolicited_bytes * (int32_t)commands);
}

/*
 * Of @free commands as many as the arena's part for promises has room for: sessions
 * that came when there were few may hold large windows and send nothing.
 */
static uint32_t affordable(const struct iscsi_session *s, uint32_t free)
{
	const uint32_t has = s->max_cmdsn + 1 - s->exp_cmdsn;
	const uint32_t least = MAX(s->fair_window / LEAST_PART, 1U);
	const uint64_t limit = reactor_buffer_cap() / PROMISED_PART;
	const uint64_t promised = reactor_buffer_promised();
	uint64_t room = 0;

	if (free <= has || promised + (uint64_t)(free - has) * s->unsolicited_bytes <= limit)
		return free;
	if (promised < limit)
		room = (limit - promised) / s->unsolicited_bytes;
	room = MAX(room + has, (uint64_t)least - MIN(least, s->nr_commands));
	return (uint32_t)MIN(room, (uint64_t)free);
}

uint32_t iscsi_cmdsn_max(struct iscsi_session *s)
{
	const uint32_t open = window(s), busy = MIN(s->nr_commands, open);
	const uint32_t max = s->exp_cmdsn - 1 + affordable(s, open - busy);

	if (serial32_lt(s->max_cmdsn, max)) {
		promise(s, max - s->max_cmdsn);
		s->max_cmdsn = max;
	}
	return s->max_cmdsn;
}

/* One that the window let come has come. */
static void advance(struct iscsi_session *s)
{
	s->exp_cmdsn++;
	s->has_sent = true;
	promise(s, (uint32_t)-1);
}

/* CmdSN stands at the same place in all requests that have one. */
static uint32_t cmdsn_of(const struct iscsi_pdu *pdu)
{
	return be32_get(pdu->command.cmdsn);
}

static void hold(struct iscsi_session *s, struct iscsi_pdu *pdu)
{
	const uint32_t cmdsn = cmdsn_of(pdu);
	struct iscsi_pdu *p;

	list_for_each(p, &s->held, node) {
		if (cmdsn_of(p) == cmdsn) {	/* a duplicate */
			iscsi_pdu_free(pdu);
			return;
		}
		if (serial32_lt(cmdsn, cmdsn_of(p)))
			break;
	}
	list_add_tail(&p->node, &pdu->node);	/* before @p, or at the end */
	s->nr_held++;
}

static int run(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	if (pdu->cancelled) {
		iscsi_pdu_free(pdu);
		return 0;
	}
	return type_of(pdu)->run(conn, pdu);
}

/* Those whose turn has come. */
static int run_held(struct iscsi_conn *conn)
{
	struct iscsi_session *s = conn->session;
	int err = 0;

	while (err >= 0 && conn->state == ISCSI_CONN_FULL_FEATURE &&
	       !list_empty(&s->held)) {
		struct iscsi_pdu *p = list_first(&s->held, struct iscsi_pdu, node);

		if (cmdsn_of(p) != s->exp_cmdsn)
			break;
		list_del(&p->node);
		s->nr_held--;
		advance(s);
		err = run(conn, p);
	}
	return err;
}

static int run_then_held(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	struct iscsi_session *s = conn->session;
	const int err = run(conn, pdu);

	if (err < 0 || conn->state != ISCSI_CONN_FULL_FEATURE ||
	    likely(list_empty(&s->held)))
		return err;
	return run_held(conn);
}

int iscsi_cmdsn_deliver(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	struct iscsi_session *s = conn->session;
	const uint32_t cmdsn = cmdsn_of(pdu);

	if (pdu->bhs.opcode & ISCSI_IMMEDIATE)
		return run_then_held(conn, pdu);
	if (serial32_lt(cmdsn, s->exp_cmdsn) || serial32_lt(s->max_cmdsn, cmdsn)) {
		/* 4.2.2.1: MUST silently ignore. */
		log_debug("conn %lu: CmdSN %u outside [%u, %u] ignored",
			  (unsigned long)conn->id, cmdsn, s->exp_cmdsn,
			  s->max_cmdsn);
		iscsi_pdu_free(pdu);
		return 0;
	}
	if (cmdsn != s->exp_cmdsn) {
		hold(s, pdu);
		return 0;
	}
	advance(s);
	return run_then_held(conn, pdu);
}

bool iscsi_cmdsn_cancel(struct iscsi_session *s, uint32_t ref_itt, uint32_t ref_cmdsn,
			uint32_t tmf_cmdsn)
{
	struct iscsi_pdu *p;

	list_for_each(p, &s->held, node)
		if (be32_get(p->bhs.itt) == ref_itt && cmdsn_of(p) == ref_cmdsn) {
			p->cancelled = true;
			return true;
		}
	/* 11.6.1: a task that never came, numbered before this request and
	 * within the window, is taken as received and aborted. */
	if (serial32_lt(ref_cmdsn, s->exp_cmdsn) ||
	    !serial32_lt(ref_cmdsn, tmf_cmdsn) ||
	    serial32_lt(s->max_cmdsn, ref_cmdsn))
		return false;
	p = iscsi_pdu_new(ISCSI_OP_COMMAND);
	if (!p)
		return false;
	p->command.itt = be32_make(ref_itt);
	p->command.cmdsn = be32_make(ref_cmdsn);
	p->cancelled = true;
	hold(s, p);
	return true;
}

void iscsi_cmdsn_close(struct iscsi_session *s)
{
	struct iscsi_pdu *p;

	while ((p = list_pop(&s->held, struct iscsi_pdu, node)))
		iscsi_pdu_free(p);
	s->nr_held = 0;
	promise(s, s->exp_cmdsn - 1 - s->max_cmdsn);
	s->exp_cmdsn = s->max_cmdsn + 1;
}
