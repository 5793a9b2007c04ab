/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/register_close.c - closing sessions for the administrator. */
#include "iscsi/register.h"

#include <stdlib.h>
#include "base/log.h"
#include "base/macros.h"
#include "iscsi/redirect.h"
#include "reactor/group.h"

/* A iscsi_register_close_all() under way. */
struct closing {
	struct list_head node;
	int tid;
	uint64_t sid, last_sid;		/* sessions that came later stay */
	unsigned int nr_left, logout_s;	/* of one walk */
	struct timer timer;
	struct mail mail;
	void (*done)(void *arg);
	void *arg;
};

static struct list_head closings = LIST_HEAD_INIT(closings);	/* control's */

static bool concerns(const struct closing *c, const struct iscsi_register_entry *e)
{
	return e->state == ISCSI_REGISTER_LIVE && e->sid <= c->last_sid &&
	       (c->tid == -1 || c->tid == e->tid) && (!c->sid || c->sid == e->sid);
}

static void closing_done(struct mail *m)
{
	struct closing *c = container_of(m, struct closing, mail);

	if (c->done)
		c->done(c->arg);
	free(c);
}

static void count_left(struct iscsi_register_entry *e, void *arg)
{
	struct closing *c = arg;

	c->nr_left += concerns(c, e);
}

static void check_closing(struct closing *c)
{
	c->nr_left = 0;
	iscsi_register_walk(count_left, c);
	if (c->nr_left)
		return;
	list_del(&c->node);
	reactor_timer_cancel(reactor_group_control(), &c->timer);
	reactor_mailbox_send(reactor_group_control(), &c->mail, closing_done);
}

void iscsi_register_check_closings(void)
{
	struct closing *c, *tmp;

	list_for_each_safe(c, tmp, &closings, node)
		check_closing(c);
}

static void close_one(struct iscsi_register_entry *e, void *arg)
{
	if (concerns(arg, e))
		iscsi_register_order_close(e, "closed by the administrator");
}

static void log_one_out(struct iscsi_register_entry *e, void *arg)
{
	struct closing *c = arg;

	if (concerns(c, e))
		iscsi_register_order_logout(e, c->logout_s);
}

/* Those that wait for their predecessor, or for a program that tells where they
 * have to go, have no session to close yet. */
static void turn_one_away(struct iscsi_register_entry *e, void *arg)
{
	const struct closing *c = arg;

	if (e->state == ISCSI_REGISTER_WAITING && (c->tid == -1 || c->tid == e->tid))
		iscsi_register_turn_away(e, ISCSI_LOGIN_UNAVAILABLE);
}

static void was_polite(struct timer *t)
{
	iscsi_register_walk(close_one, container_of(t, struct closing, timer));
}

void iscsi_register_close_all(int tid, uint64_t sid, unsigned int polite_ms,
			      void (*done)(void *arg), void *arg)
{
	struct closing what = { .tid = tid, .sid = sid,
				.last_sid = iscsi_register_last_sid() };
	struct closing *c = malloc(sizeof(*c));

	if (!sid) {
		iscsi_register_walk(turn_one_away, &what);
		iscsi_redirect_cancel(tid);
	}
	if (!c) {	/* closed all the same; the caller cannot be told when */
		log_err("no memory to wait for sessions to end");
		iscsi_register_walk(close_one, &what);
		if (done)
			done(arg);
		return;
	}
	*c = what;
	c->logout_s = DIV_ROUND_UP(polite_ms, 1000U);
	c->timer.expired = was_polite;
	c->done = done;
	c->arg = arg;
	list_add_tail(&closings, &c->node);
	if (polite_ms && !reactor_timer_arm(reactor_group_control(), &c->timer, polite_ms))
		iscsi_register_walk(log_one_out, c);
	else
		iscsi_register_walk(close_one, c);
	check_closing(c);
}
