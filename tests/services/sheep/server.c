/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.c - a turn: receive from all, execute, answer.
 *
 * What a rule of fault.h says is done at three points: before the request is
 * executed, after that, and once it is answered.
 */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/list.h"
#include "conn.h"
#include "fault.h"
#include "gateway.h"
#include "request.h"
#include "strict.h"

#define TORN_BYTES 24  /* half of a header */
#define REORDER_US 500 /* at the most, so that it does not take long */

static struct list_head arrived = LIST_HEAD_INIT(arrived); /* this turn's */
static struct list_head waiting = LIST_HEAD_INIT(waiting); /* until due_ns */
static struct list_head held = LIST_HEAD_INIT(held);	   /* until let go */
static struct conn *ended;
static uint64_t seed;
static uint64_t counts[256];

void server_init(uint64_t reorder_seed)
{
	seed = reorder_seed;
}

/* xorshift64 */
static uint64_t dice(uint64_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % sides;
}

void server_arrived(struct request *r)
{
	counts[r->head.op]++;
	strict_arrived(r);
	r->fault = fault_match(r);
	if (r->fault)
		strict_excuse();
	if (seed && dice(2))
		list_add(&arrived, &r->queue);
	else
		list_add_tail(&arrived, &r->queue);
}

void server_free_later(struct conn *c)
{
	c->next_ended = ended;
	ended = c;
}

static void free_ended(void)
{
	struct conn *c;

	while ((c = ended)) {
		ended = c->next_ended;
		free(c);
	}
}

/* --- what rules say ------------------------------------------------------ */

static _Noreturn void die(void)
{
	conn_flush_all();
	_exit(SERVER_DIED);
}

static void drop(struct request *r)
{
	conn_close(r->conn);
	request_free(r);
}

static void wait_until(struct request *r, uint64_t ns)
{
	r->due_ns = clock_now_ns() + ns;
	list_del(&r->queue);
	list_add_tail(&waiting, &r->queue);
}

static void hold(struct request *r)
{
	list_del(&r->queue);
	list_add_tail(&held, &r->queue);
}

static void mangle(struct request *r)
{
	struct wire_reply *w = r->reply;

	switch ((enum fault_mangle)r->fault->arg) {
	case MANGLE_ID:
		w->id = le32_make(le32_get(w->id) ^ 0x40000000);
		break;
	case MANGLE_OP:
		w->op ^= 1;
		break;
	case MANGLE_SHORT:
		r->reply_bytes /= 2;
		w->data_bytes = le32_make(r->reply_bytes);
		break;
	case MANGLE_LONG:
		w->data_bytes = le32_make(0x7fffffff);
		break;
	}
}

/* True: the rule has taken the request. */
static bool obey(struct request *r, enum fault_where where)
{
	const struct fault *f = r->fault;

	if (!f || f->where != where)
		return false;
	if (f->what != FAULT_DIE)
		r->fault = NULL; /* once */
	switch (f->what) {
	case FAULT_DIE:
		die();
	case FAULT_CLOSE:
		drop(r);
		return true;
	case FAULT_HOLD:
		hold(r);
		return true;
	case FAULT_DELAY:
		wait_until(r, f->arg * NS_PER_MS);
		return true;
	case FAULT_RESULT:
		request_refuse(r, f->arg);
		return false;
	case FAULT_MANGLE:
		r->fault = f;
		mangle(r);
		return false;
	}
	return false;
}

static void answer(struct request *r)
{
	const struct fault *f = r->fault;
	struct conn *c = r->conn;

	if (f && f->where == FAULT_TORN) {
		conn_answer(r, TORN_BYTES);
		if (f->what == FAULT_DIE)
			die();
		return;
	}
	c->ends |= f && f->where == FAULT_ANSWERED && f->what == FAULT_CLOSE;
	conn_answer(r, UINT32_MAX);
	if (f && f->where == FAULT_ANSWERED && f->what == FAULT_DIE)
		die();
}

/* --- turns --------------------------------------------------------------- */

static bool put_off(struct request *r)
{
	if (!seed || dice(2))
		return false;
	wait_until(r, dice(REORDER_US) * NS_PER_US);
	return true;
}

static void run(struct request *r)
{
	if (!r->executed && r->conn->is_of_the_dead) {
		request_free(r);
		return;
	}
	if (!r->executed) {
		if (obey(r, FAULT_BEFORE))
			return;
		if (!r->executed) {
			strict_executes(r);
			request_execute(r);
			strict_executed(r);
		}
		if (obey(r, FAULT_AFTER) || put_off(r))
			return;
	}
	list_del(&r->queue);
	answer(r);
}

static void run_all(struct list_head *from)
{
	struct list_head now = LIST_HEAD_INIT(now);
	struct list_head *n;

	list_splice_tail(&now, from);
	while ((n = now.next) != &now) {
		struct request *r = list_entry(n, struct request, queue);

		list_del(&r->queue);
		run(r);
	}
}

static uint64_t run_due(void)
{
	struct list_head due = LIST_HEAD_INIT(due);
	const uint64_t now = clock_now_ns();
	struct request *r, *tmp;
	uint64_t next = UINT64_MAX;

	list_for_each_safe(r, tmp, &waiting, queue) {
		if (r->due_ns <= now) {
			list_del(&r->queue);
			list_add_tail(&due, &r->queue);
		} else if (r->due_ns < next) {
			next = r->due_ns;
		}
	}
	run_all(&due);
	return next;
}

/* Some begin later. */
static void put_off_some(void)
{
	struct request *r, *tmp;

	list_for_each_safe(r, tmp, &arrived, queue)
		put_off(r);
}

uint64_t server_turn(void)
{
	uint64_t next;

	put_off_some();
	next = run_due();
	run_all(&arrived);
	conn_flush_all();
	free_ended();
	return list_empty(&waiting) ?
		       UINT64_MAX :
		       MIN(next, clock_now_ns() + REORDER_US * NS_PER_US);
}

void server_let_go(void)
{
	list_splice_tail(&arrived, &held);
}

static unsigned int length(const struct list_head *h)
{
	const struct list_head *n;
	unsigned int i = 0;

	for (n = h->next; n != h; n = n->next)
		i++;
	return i;
}

void server_stat(char *text, unsigned int bytes)
{
	int at = snprintf(text, bytes, "held %u\nwaiting %u\n", length(&held),
			  length(&waiting));

	for (unsigned int i = 0; i < nr_ops && at < (int)bytes - 40; i++)
		at += snprintf(text + at, bytes - (unsigned int)at, "%s %lu\n",
			       ops[i].name, (unsigned long)counts[ops[i].code]);
}

static void drop_all(struct list_head *h)
{
	struct list_head *n;

	while ((n = h->next) != h)
		request_free(list_entry(n, struct request, queue));
}

void server_fini(void)
{
	drop_all(&arrived);
	drop_all(&waiting);
	drop_all(&held);
	gateway_close_all();
	free_ended();
}
