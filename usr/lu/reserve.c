/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve.c - publishing states, changes in turn, and the register of units.
 *
 * Changes queue under the unit's mutex; the first of the queue is under way, on
 * the reactor that asked for it, and the mutex is not held meanwhile.  The plain
 * reservation is one word beside the state, written under the same mutex and only
 * while no change is under way, so that the two kinds exclude each other.
 */
#include "lu/reserve.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/refcount.h"
#include "reactor/group.h"
#include "reactor/reactor.h"

#define UNIT_MAX	63

struct lu_reserve {
	/* Constant. */
	char unit[UNIT_MAX + 1];

	/* Any thread: readers under RCU; written under lock. */
	struct lu_reserve_state *state;
	_Atomic uint64_t taken;		/* the plain reservation's holder; 0: nobody */
	_Atomic uint64_t active;

	refcount refs;
	pthread_mutex_t lock;		/* of the next and the above */
	struct list_head changes;
	struct lu_keep keep;

	/* Control only, while it is being loaded. */
	bool loaded;
	struct list_head openings;
	struct work load;
	struct lu_reserve_state *found;
	int err;
	char why[512];

	struct list_head node;		/* of the register, under its lock */
	struct rcu_head rcu;
};

struct opening {
	struct list_head node;
	struct mail mail;
	struct lu_reserve *r;		/* holds a reference */
	void (*done)(void *arg, struct lu_reserve *r, int err, const char *why);
	void *arg;
};

static struct {
	const struct lu_reserve_store *store;
	struct worker_source *source;
	pthread_mutex_t lock;
	struct list_head units;
	_Atomic uint64_t last_version;
} all = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.units = LIST_HEAD_INIT(all.units),
};

/* --- asking --- */

uint64_t lu_reserve_active(const struct lu_reserve *r)
{
	return atomic_load_explicit(&r->active, memory_order_acquire);
}

const struct lu_reserve_state *lu_reserve_state(const struct lu_reserve *r)
{
	return rcu_dereference(r->state);
}

bool lu_reserve_is_taken(const struct lu_reserve *r)
{
	return atomic_load(&r->taken) != 0;
}

unsigned int lu_reserve_denied(const struct lu_reserve *r, const struct lu_reserve_who *who,
			       uint64_t id)
{
	const struct lu_reserve_state *s = lu_reserve_state(r);
	const uint64_t taken = atomic_load(&r->taken);

	if (taken && taken != id)
		return LU_RESERVE_READ | LU_RESERVE_WRITE | LU_RESERVE_USE;
	if (lu_reserve_state_may(s, lu_reserve_state_find(s, who)))
		return 0;
	return LU_RESERVE_WRITE | (lu_reserve_type_lets_read(s->type) ? 0 : LU_RESERVE_READ);
}

/* Under the lock: what is written is to be seen. */
static void announce(struct lu_reserve *r)
{
	const bool reserved = atomic_load(&r->taken) || r->state->type != LU_RESERVE_NONE;

	atomic_store_explicit(&r->active,
			      reserved ? atomic_fetch_add(&all.last_version, 1) + 1 : 0,
			      memory_order_release);
}

/* --- the plain reservation --- */

/* SPC-4 r37 5.12.3 where there are registrations, else SPC-2 r20 5.5.1. */
static int take_or_release(struct lu_reserve *r, const struct lu_reserve_who *who,
			   uint64_t id, bool take)
{
	const uint64_t taken = atomic_load(&r->taken);
	const struct lu_reserve_state *s = r->state;

	if (!list_empty(&r->changes))
		return -EBUSY;
	if (s->n)
		return s->type != LU_RESERVE_NONE &&
				       lu_reserve_state_may(s, lu_reserve_state_find(s, who)) ?
			       0 : -EPERM;
	if (taken && taken != id)
		return take ? -EPERM : 0;
	atomic_store(&r->taken, take ? id : 0);
	announce(r);
	return 0;
}

static int locked(struct lu_reserve *r, const struct lu_reserve_who *who, uint64_t id,
		  bool take)
{
	int err;

	pthread_mutex_lock(&r->lock);
	err = take_or_release(r, who, id, take);
	pthread_mutex_unlock(&r->lock);
	return err;
}

int lu_reserve_take(struct lu_reserve *r, const struct lu_reserve_who *who, uint64_t id)
{
	return locked(r, who, id, true);
}

int lu_reserve_release(struct lu_reserve *r, const struct lu_reserve_who *who, uint64_t id)
{
	return locked(r, who, id, false);
}

void lu_reserve_lose(struct lu_reserve *r, uint64_t id)
{
	if (likely(atomic_load(&r->taken) != id))
		return;
	pthread_mutex_lock(&r->lock);
	if (atomic_load(&r->taken) == id) {
		atomic_store(&r->taken, 0);
		announce(r);
	}
	pthread_mutex_unlock(&r->lock);
}

void lu_reserve_clear(struct lu_reserve *r)
{
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->taken, 0);
	announce(r);
	pthread_mutex_unlock(&r->lock);
}

/* --- changes --- */

static void state_free_rcu(struct rcu_head *h)
{
	free(container_of(h, struct lu_reserve_state, rcu));
}

static void begin(struct mail *m);

static void publish(struct lu_reserve_change *c)
{
	struct lu_reserve *r = c->r;

	c->old = r->state;
	rcu_assign_pointer(r->state, TAKE_PTR(c->new));
	announce(r);
}

/* The next one may begin before the caller learns of this one. */
static void finish(struct lu_reserve_change *c, enum lu_reserve_result result)
{
	struct lu_reserve *r = c->r;
	struct lu_reserve_change *next;

	c->result = result;
	pthread_mutex_lock(&r->lock);
	if (result == LU_RESERVE_OK && c->new)
		publish(c);
	list_del(&c->node);
	next = list_empty(&r->changes) ? NULL :
	       list_first(&r->changes, struct lu_reserve_change, node);
	pthread_mutex_unlock(&r->lock);
	if (next)
		reactor_mailbox_send(next->home, &next->mail, begin);
	free(c->new);
	c->new = NULL;
	c->done(c);
}

static void save(struct work *w)
{
	struct lu_reserve_change *c = container_of(w, struct lu_reserve_change, work);
	const bool keep = c->new->durable && c->new->n;

	c->err = all.store->save(c->r->unit, keep ? c->new : NULL);
}

static void saved(struct work *w)
{
	struct lu_reserve_change *c = container_of(w, struct lu_reserve_change, work);

	if (c->err)
		log_err("%s: its reservations cannot be kept: %s", c->r->unit,
			strerrordesc_np(-c->err));
	finish(c, c->err ? LU_RESERVE_NOT_KEPT : LU_RESERVE_OK);
}

/* The state is ours to read: who changes it is the first of the queue. */
static void begin(struct mail *m)
{
	struct lu_reserve_change *c = container_of(m, struct lu_reserve_change, mail);
	const struct lu_reserve_state *old = c->r->state;
	enum lu_reserve_result result;

	if (c->q.verb == LU_RESERVE_FORGET)
		lu_reserve_clear(c->r);
	if (lu_reserve_is_taken(c->r)) {	/* SPC-2 r20 5.5.1: whoever asks */
		finish(c, LU_RESERVE_CONFLICT);
		return;
	}
	c->event = calloc(MAX(old->n, 1U), sizeof(*c->event));
	result = c->event ? lu_reserve_state_next(old, &c->q, &c->new, c->event) :
			    LU_RESERVE_NO_MEMORY;
	if (!c->new || !(c->new->durable || old->durable)) {
		finish(c, result);
		return;
	}
	if (!all.store) {
		finish(c, LU_RESERVE_NOT_KEPT);
		return;
	}
	c->work = (struct work){ .run = save, .done = saved };
	reactor_worker_submit(all.source, &c->work);
}

void lu_reserve_submit(struct lu_reserve *r, struct lu_reserve_change *c)
{
	bool first;

	c->r = r;
	c->home = reactor_current();
	c->old = NULL;
	c->new = NULL;
	c->event = NULL;
	pthread_mutex_lock(&r->lock);
	first = list_empty(&r->changes);
	list_add_tail(&r->changes, &c->node);
	pthread_mutex_unlock(&r->lock);
	if (first)
		reactor_mailbox_send(c->home, &c->mail, begin);
}

void lu_reserve_change_fini(struct lu_reserve_change *c)
{
	struct lu_reserve_state *old = (struct lu_reserve_state *)c->old;

	free(c->event);
	if (old)
		call_rcu(&old->rcu, state_free_rcu);
	lu_reserve_put(c->r);
}

/* --- life --- */

int lu_reserve_start(const struct lu_reserve_store *store)
{
	all.store = store;
	all.source = store ? reactor_worker_source_new() : NULL;
	return store && !all.source ? -ENOMEM : 0;
}

void lu_reserve_stop(void)
{
	all.store = NULL;
	reactor_worker_source_free(TAKE_PTR(all.source));
}

bool lu_reserve_can_keep(void)
{
	return all.store != NULL;
}

const char *lu_reserve_unit(const struct lu_reserve *r)
{
	return r->unit;
}

struct lu_keep *lu_reserve_keep(struct lu_reserve *r)
{
	return &r->keep;
}

void lu_reserve_work(struct work *w)
{
	reactor_worker_submit(all.source, w);
}

static void reserve_free_rcu(struct rcu_head *h)
{
	struct lu_reserve *r = container_of(h, struct lu_reserve, rcu);

	lu_keep_fini(&r->keep);
	pthread_mutex_destroy(&r->lock);
	free(r->state);
	free(r->found);
	free(r);
}

struct lu_reserve *lu_reserve_get(struct lu_reserve *r)
{
	return refcount_get_unless_zero(&r->refs) ? r : NULL;
}

void lu_reserve_put(struct lu_reserve *r)
{
	if (!r || !refcount_put(&r->refs))
		return;
	pthread_mutex_lock(&all.lock);
	list_del(&r->node);
	pthread_mutex_unlock(&all.lock);
	call_rcu(&r->rcu, reserve_free_rcu);
}

/* One that dies is still in the list for a moment; then there is another. */
static struct lu_reserve *find(const char *unit)
{
	struct lu_reserve *r, *found = NULL;

	pthread_mutex_lock(&all.lock);
	list_for_each(r, &all.units, node)
		if (!strcmp(r->unit, unit) && lu_reserve_get(r)) {
			found = r;
			break;
		}
	pthread_mutex_unlock(&all.lock);
	return found;
}

static struct lu_reserve *reserve_new(const char *unit)
{
	struct lu_reserve *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->state = lu_reserve_state_new(0);
	if (!r->state) {
		free(r);
		return NULL;
	}
	snprintf(r->unit, sizeof(r->unit), "%s", unit);
	refcount_init(&r->refs, 1);
	pthread_mutex_init(&r->lock, NULL);
	lu_keep_init(&r->keep);
	list_init(&r->changes);
	list_init(&r->openings);
	pthread_mutex_lock(&all.lock);
	list_add(&all.units, &r->node);
	pthread_mutex_unlock(&all.lock);
	return r;
}

static void opened(struct mail *m)
{
	struct opening *o = container_of(m, struct opening, mail);

	if (o->r->err) {
		o->done(o->arg, NULL, o->r->err, o->r->why);
		lu_reserve_put(o->r);
	} else {
		o->done(o->arg, o->r, 0, NULL);
	}
	free(o);
}

static void load(struct work *w)
{
	struct lu_reserve *r = container_of(w, struct lu_reserve, load);

	r->err = all.store->load(r->unit, &r->found, r->why, sizeof(r->why));
	if (!r->err && lu_keep_can())
		r->err = lu_keep_load(&r->keep, r->unit, r->why, sizeof(r->why));
}

static void loaded(struct work *w)
{
	struct lu_reserve *r = container_of(w, struct lu_reserve, load);
	struct opening *o;

	r->loaded = true;
	if (r->found) {
		struct lu_reserve_state *none = r->state;

		pthread_mutex_lock(&r->lock);
		rcu_assign_pointer(r->state, TAKE_PTR(r->found));
		announce(r);
		pthread_mutex_unlock(&r->lock);
		free(none);		/* nobody has seen it */
		log_info("%s: %u registrations as before", r->unit, r->state->n);
	}
	while ((o = list_pop(&r->openings, struct opening, node)))
		reactor_mailbox_send(reactor_current(), &o->mail, opened);
}

static void start_loading(struct lu_reserve *r)
{
	r->load = (struct work){ .run = load, .done = loaded };
	reactor_worker_submit(all.source, &r->load);
}

int lu_reserve_open(const char *unit,
		    void (*done)(void *arg, struct lu_reserve *r, int err, const char *why),
		    void *arg)
{
	struct opening *o = malloc(sizeof(*o));
	struct lu_reserve *r = find(unit);
	const bool is_new = !r;

	if (!r)
		r = reserve_new(unit);
	if (!o || !r) {
		free(o);
		lu_reserve_put(r);
		return -ENOMEM;
	}
	*o = (struct opening){ .r = r, .done = done, .arg = arg };
	list_init(&o->node);
	if (is_new && all.store)
		start_loading(r);
	else if (is_new)
		r->loaded = true;
	if (r->loaded)
		reactor_mailbox_send(reactor_current(), &o->mail, opened);
	else
		list_add_tail(&r->openings, &o->node);
	return 0;
}
