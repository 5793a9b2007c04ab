/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve_state.c - a request works on a draft: a copy of the state, in which
 * registrations are marked as dropped until the end, so that indices stay.
 */
#include "lu/reserve_state.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/cleanup.h"
#include "base/macros.h"

struct draft {
	const struct lu_reserve_state *old;
	const struct lu_reserve_request *q;
	struct lu_reserve_state *s;
	int own;			/* registration of who asks; -1: none */
	uint8_t *event;
	bool *drop;			/* room entries */
	bool changed;
};

const char *lu_reserve_type_name(enum lu_reserve_type type)
{
	static const char *const names[LU_RESERVE_NR_TYPES] = {
		[LU_RESERVE_NONE] = "none",
		[LU_RESERVE_WRITE_EXCLUSIVE] = "write-exclusive",
		[LU_RESERVE_EXCLUSIVE_ACCESS] = "exclusive-access",
		[LU_RESERVE_WRITE_EXCLUSIVE_REGISTRANTS] = "write-exclusive-registrants-only",
		[LU_RESERVE_EXCLUSIVE_ACCESS_REGISTRANTS] = "exclusive-access-registrants-only",
		[LU_RESERVE_WRITE_EXCLUSIVE_ALL] = "write-exclusive-all-registrants",
		[LU_RESERVE_EXCLUSIVE_ACCESS_ALL] = "exclusive-access-all-registrants",
	};

	return names[type];
}

struct lu_reserve_state *lu_reserve_state_new(unsigned int max)
{
	struct lu_reserve_state *s = calloc(1, sizeof(*s) + max * sizeof(s->reg[0]));

	if (s)
		s->holder = -1;
	return s;
}

bool lu_reserve_same(const struct lu_reserve_who *a, const struct lu_reserve_who *b)
{
	return a->port == b->port && !strcasecmp(a->initiator, b->initiator) &&
	       !strcasecmp(a->target, b->target);
}

int lu_reserve_state_find(const struct lu_reserve_state *s, const struct lu_reserve_who *w)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (lu_reserve_same(&s->reg[i].who, w))
			return (int)i;
	return -1;
}

bool lu_reserve_state_holds(const struct lu_reserve_state *s, int i)
{
	return i >= 0 && (s->holder == i || lu_reserve_type_is_all(s->type));
}

bool lu_reserve_state_may(const struct lu_reserve_state *s, int i)
{
	if (s->type == LU_RESERVE_NONE)
		return true;
	return i >= 0 && (s->holder == i || lu_reserve_type_is_shared(s->type));
}

/* --- pieces --- */

static bool has_key(const struct draft *d)
{
	return d->own >= 0 && d->s->reg[d->own].key == d->q->key;
}

static bool is_left(const struct draft *d, unsigned int i)
{
	return !d->drop[i];
}

/* Everybody who stays registered, but for who asks. */
static void tell_rest(struct draft *d, enum lu_reserve_event event)
{
	for (unsigned int i = 0; i < d->old->n; i++)
		if (is_left(d, i) && (int)i != d->own)
			d->event[i] = (uint8_t)event;
}

/* Unregister @i, by its own will: 5.12.11.2.3.  Who holds a reservation for
 * registrants gives it up for all of them. */
static void leave(struct draft *d, int i)
{
	struct lu_reserve_state *s = d->s;

	d->drop[i] = true;
	if (s->holder != i)
		return;
	if (lu_reserve_type_is_shared(s->type))
		tell_rest(d, LU_RESERVE_RELEASED);
	s->type = LU_RESERVE_NONE;
	s->holder = -1;
}

/* Index, or -1: no room. */
static int add(struct draft *d, const struct lu_reserve_who *w, uint64_t key)
{
	struct lu_reserve_state *s = d->s;

	if (s->n == LU_RESERVE_REGS_MAX)
		return -1;
	s->reg[s->n] = (struct lu_reserve_reg){ .key = key, .who = *w };
	return (int)s->n++;
}

static void hold(struct draft *d, enum lu_reserve_type type, int holder)
{
	d->s->type = type;
	d->s->holder = lu_reserve_type_is_all(type) ? -1 : holder;
}

/* Close the gaps, and see what follows from them. */
static void settle(struct draft *d)
{
	struct lu_reserve_state *s = d->s;
	const int holder = s->holder;
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->n; i++) {
		if (d->drop[i])
			continue;
		if ((int)i == holder)
			s->holder = (int)n;
		if (n != i)
			s->reg[n] = s->reg[i];
		n++;
	}
	s->n = n;
	if (!n)			/* the last of all registrants, 5.12.11.2.3 */
		s->type = LU_RESERVE_NONE;
}

/* --- requests --- */

/* One path, on the request's own or through another port.  5.12.7, tables 54, 55. */
static enum lu_reserve_result register_one(struct draft *d, const struct lu_reserve_who *w,
					   bool own)
{
	const struct lu_reserve_request *q = d->q;
	const int i = lu_reserve_state_find(d->s, w);

	if (q->verb == LU_RESERVE_REGISTER) {
		const uint64_t has = i < 0 ? 0 : d->s->reg[i].key;

		/* Through other ports what is there already is as good. */
		if (has != q->key && (own || (i >= 0 && has != q->new_key)))
			return LU_RESERVE_CONFLICT;
	}
	if (i < 0 && !q->new_key)
		return LU_RESERVE_OK;
	d->changed = true;
	if (!q->new_key)
		leave(d, i);
	else if (i >= 0)
		d->s->reg[i].key = q->new_key;
	else if (add(d, w, q->new_key) < 0)
		return LU_RESERVE_FULL;
	return LU_RESERVE_OK;
}

static enum lu_reserve_result do_register(struct draft *d)
{
	const struct lu_reserve_request *q = d->q;
	enum lu_reserve_result r = register_one(d, &q->who, true);
	struct lu_reserve_who w = q->who;

	if (r == LU_RESERVE_OK && q->nr_others && d->own >= 0)
		return LU_RESERVE_BAD_OTHERS;
	for (unsigned int i = 0; i < q->nr_ports && r == LU_RESERVE_OK; i++) {
		w.port = q->ports[i];
		r = register_one(d, &w, false);
	}
	for (unsigned int i = 0; i < q->nr_others && r == LU_RESERVE_OK && q->new_key; i++)
		if (lu_reserve_state_find(d->s, &q->others[i]) < 0 &&
		    add(d, &q->others[i], q->new_key) < 0)
			r = LU_RESERVE_FULL;
	if (d->changed)
		d->s->durable = q->durable;
	return r;
}

/* 5.12.8 */
static enum lu_reserve_result do_move(struct draft *d)
{
	const struct lu_reserve_request *q = d->q;
	struct lu_reserve_state *s = d->s;
	int to;

	if (!has_key(d) || lu_reserve_type_is_all(s->type))
		return LU_RESERVE_CONFLICT;
	if (s->type == LU_RESERVE_NONE || s->holder != d->own)
		return LU_RESERVE_NOT_HOLDER;
	if (!q->new_key)
		return LU_RESERVE_BAD_KEY;
	if (q->nr_others != 1 || lu_reserve_same(&q->others[0], &q->who))
		return LU_RESERVE_BAD_OTHERS;
	to = lu_reserve_state_find(s, &q->others[0]);
	if (to < 0)
		to = add(d, &q->others[0], q->new_key);
	if (to < 0)
		return LU_RESERVE_FULL;
	s->reg[to].key = q->new_key;
	s->holder = to;
	s->durable = q->durable;
	d->drop[d->own] = q->leave;
	d->changed = true;
	return LU_RESERVE_OK;
}

/* 5.12.10 */
static enum lu_reserve_result do_reserve(struct draft *d)
{
	if (d->q->type == LU_RESERVE_NONE)
		return LU_RESERVE_BAD_TYPE;
	if (!has_key(d))
		return LU_RESERVE_CONFLICT;
	if (d->s->type != LU_RESERVE_NONE)	/* once more, or not at all */
		return lu_reserve_state_holds(d->s, d->own) && d->s->type == d->q->type ?
			       LU_RESERVE_OK : LU_RESERVE_CONFLICT;
	hold(d, d->q->type, d->own);
	d->changed = true;
	return LU_RESERVE_OK;
}

/* 5.12.11.2.2 */
static enum lu_reserve_result do_release(struct draft *d)
{
	struct lu_reserve_state *s = d->s;

	if (!has_key(d))
		return LU_RESERVE_CONFLICT;
	if (!lu_reserve_state_holds(s, d->own))
		return LU_RESERVE_OK;
	if (s->type != d->q->type)
		return LU_RESERVE_WRONG_TYPE;
	if (lu_reserve_type_is_shared(s->type))
		tell_rest(d, LU_RESERVE_RELEASED);
	hold(d, LU_RESERVE_NONE, -1);
	d->changed = true;
	return LU_RESERVE_OK;
}

/* 5.12.11.2.8 */
static enum lu_reserve_result do_clear(struct draft *d)
{
	if (d->q->verb == LU_RESERVE_CLEAR && !has_key(d))
		return LU_RESERVE_CONFLICT;
	tell_rest(d, LU_RESERVE_PREEMPTED);
	memset(d->drop, true, d->s->n);
	hold(d, LU_RESERVE_NONE, -1);
	d->changed = true;
	return LU_RESERVE_OK;
}

/* Whether the key is the holder's, so that the reservation itself is meant. */
static bool takes_over(const struct draft *d)
{
	const struct lu_reserve_state *s = d->s;

	if (lu_reserve_type_is_all(s->type))
		return !d->q->new_key;
	return s->type != LU_RESERVE_NONE && s->reg[s->holder].key == d->q->new_key;
}

/* 5.12.11.2.4 to 5.12.11.2.6 */
static enum lu_reserve_result do_preempt(struct draft *d)
{
	const struct lu_reserve_request *q = d->q;
	const bool takes = takes_over(d);
	bool found = false;

	if (!has_key(d))
		return LU_RESERVE_CONFLICT;
	if (!q->new_key && !takes)
		return LU_RESERVE_BAD_KEY;
	if (takes && q->type == LU_RESERVE_NONE)
		return LU_RESERVE_BAD_TYPE;
	for (unsigned int i = 0; i < d->s->n; i++) {
		if (q->new_key && d->s->reg[i].key != q->new_key)
			continue;
		found = true;
		if ((int)i != d->own)
			d->event[i] = LU_RESERVE_UNREGISTERED;
		else if (takes)		/* the new holder stays */
			continue;
		d->drop[i] = true;
	}
	if (!found)
		return LU_RESERVE_CONFLICT;
	if (takes) {
		if (d->s->type != q->type)
			tell_rest(d, LU_RESERVE_RELEASED);
		hold(d, q->type, d->own);
	}
	d->changed = true;
	return LU_RESERVE_OK;
}

static const struct {
	enum lu_reserve_result (*run)(struct draft *d);
	bool counts;			/* in the generation, 6.15.2 */
} verbs[] = {
	[LU_RESERVE_REGISTER] = { do_register, true },
	[LU_RESERVE_REGISTER_ANYWAY] = { do_register, true },
	[LU_RESERVE_MOVE] = { do_move, true },
	[LU_RESERVE_RESERVE] = { do_reserve, false },
	[LU_RESERVE_RELEASE] = { do_release, false },
	[LU_RESERVE_CLEAR] = { do_clear, true },
	[LU_RESERVE_PREEMPT] = { do_preempt, true },
	[LU_RESERVE_FORGET] = { do_clear, true },
};

enum lu_reserve_result lu_reserve_state_next(const struct lu_reserve_state *old,
					     const struct lu_reserve_request *q,
					     struct lu_reserve_state **ret_new,
					     uint8_t *event)
{
	const unsigned int room = MIN(old->n + 1 + q->nr_ports + q->nr_others,
				      (unsigned int)LU_RESERVE_REGS_MAX);
	_cleanup_free_ struct lu_reserve_state *s = lu_reserve_state_new(room);
	_cleanup_free_ bool *drop = calloc(room, sizeof(*drop));
	struct draft d = { .old = old, .q = q, .s = s, .event = event, .drop = drop };
	enum lu_reserve_result r;

	*ret_new = NULL;
	if (!s || !drop)
		return LU_RESERVE_NO_MEMORY;
	s->generation = old->generation;
	s->durable = old->durable;
	s->type = old->type;
	s->holder = old->holder;
	s->n = old->n;
	memcpy(s->reg, old->reg, old->n * sizeof(s->reg[0]));
	d.own = q->verb == LU_RESERVE_FORGET ? -1 : lu_reserve_state_find(old, &q->who);
	r = verbs[q->verb].run(&d);
	if (r != LU_RESERVE_OK) {
		memset(event, LU_RESERVE_NO_EVENT, old->n);
		return r;
	}
	if (!d.changed)
		return LU_RESERVE_OK;
	settle(&d);
	s->generation += verbs[q->verb].counts;
	*ret_new = TAKE_PTR(s);
	return LU_RESERVE_OK;
}
