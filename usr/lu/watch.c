/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/watch.c - see watch.h.
 *
 * Arming takes the range lock for a moment: it waits for writers that began
 * before, and holds back new ones until the watch is ready to see them.  Whoever
 * starts after that finds the counter raised, since it was released by the same
 * lock.
 */
#include "lu/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lu/internal.h"

struct lu_watch {
	/* Under owners. */
	struct lu *lu;			/* NULL: gone */

	/* Under lu->watches.mutex. */
	struct list_head node;

	/* Any thread. */
	atomic_bool changed;

	/* Constant. */
	uint64_t off, end;		/* around all of it */
	unsigned int n;

	/* While arming. */
	struct lu_range_lock *lock;
	void (*armed)(void *arg, int err);
	void *arg;

	struct lu_watch_range r[];
};

/* Of lu_watch.lu; taken before a list's mutex. */
static pthread_mutex_t owners = PTHREAD_MUTEX_INITIALIZER;

void lu_watch_init(struct lu_watches *ws)
{
	atomic_init(&ws->n, 0);
	pthread_mutex_init(&ws->mutex, NULL);
	list_init(&ws->list);
}

/* Under the list's mutex. */
static void set_changed(struct lu_watches *ws, struct lu_watch *w)
{
	if (!atomic_exchange(&w->changed, true))
		atomic_fetch_sub(&ws->n, 1);
}

void lu_watch_detach(struct lu *lu)
{
	struct lu_watches *ws = &lu->watches;
	struct lu_watch *w;

	pthread_mutex_lock(&owners);
	pthread_mutex_lock(&ws->mutex);
	while ((w = list_pop(&ws->list, struct lu_watch, node))) {
		set_changed(ws, w);
		w->lu = NULL;
	}
	pthread_mutex_unlock(&ws->mutex);
	pthread_mutex_unlock(&owners);
	pthread_mutex_destroy(&ws->mutex);
}

struct lu_watch *lu_watch_new(struct lu *lu, const struct lu_watch_range *r,
			      unsigned int n)
{
	struct lu_watch *w = calloc(1, sizeof(*w) + n * sizeof(w->r[0]));
	struct lu_watches *ws = &lu->watches;

	if (!w)
		return NULL;
	w->lu = lu;
	w->n = n;
	memcpy(w->r, r, n * sizeof(*r));
	w->off = UINT64_MAX;
	for (unsigned int i = 0; i < n; i++) {
		w->off = MIN(w->off, r[i].off_bytes);
		w->end = MAX(w->end, r[i].off_bytes + r[i].len_bytes);
	}
	pthread_mutex_lock(&ws->mutex);
	list_add_tail(&ws->list, &w->node);
	atomic_fetch_add(&ws->n, 1);
	pthread_mutex_unlock(&ws->mutex);
	return w;
}

void lu_watch_free(struct lu_watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&owners);
	if (w->lu) {
		struct lu_watches *ws = &w->lu->watches;

		pthread_mutex_lock(&ws->mutex);
		set_changed(ws, w);
		list_del(&w->node);
		pthread_mutex_unlock(&ws->mutex);
	}
	pthread_mutex_unlock(&owners);
	free(w);
}

/* Nobody can write there now.  The LU stays: the lock has it. */
static void locked(void *arg, int err)
{
	struct lu_watch *w = arg;
	struct lu_watches *ws = &w->lu->watches;

	pthread_mutex_lock(&ws->mutex);
	if (err)
		set_changed(ws, w);
	else if (atomic_exchange(&w->changed, false))
		atomic_fetch_add(&ws->n, 1);
	pthread_mutex_unlock(&ws->mutex);
	if (!err)
		lu_range_lock_release(w->lock);
	w->armed(w->arg, err);
}

int lu_watch_arm(struct lu_watch *w, void (*armed)(void *arg, int err), void *arg)
{
	w->armed = armed;
	w->arg = arg;
	return lu_range_lock_acquire(w->lu, w->off, w->end - w->off, LU_RANGE_WRITERS,
				     locked, w, &w->lock);
}

bool lu_watch_changed(const struct lu_watch *w)
{
	return atomic_load(&w->changed);
}

struct lu *lu_watch_lu(struct lu_watch *w)
{
	struct lu *lu = NULL;

	pthread_mutex_lock(&owners);
	if (w->lu && refcount_get_unless_zero(&w->lu->refs))
		lu = w->lu;
	pthread_mutex_unlock(&owners);
	return lu;
}

bool lu_watch_is_of(struct lu_watch *w, const struct lu *lu)
{
	bool is;

	pthread_mutex_lock(&owners);
	is = w->lu == lu;
	pthread_mutex_unlock(&owners);
	return is;
}

static bool concerns(const struct lu_watch *w, uint64_t off, uint64_t end)
{
	if (off >= w->end || end <= w->off)
		return false;
	for (unsigned int i = 0; i < w->n; i++)
		if (off < w->r[i].off_bytes + w->r[i].len_bytes && w->r[i].off_bytes < end)
			return true;
	return false;
}

void lu_watch_touch(struct lu *lu, uint64_t off_bytes, uint64_t len_bytes)
{
	struct lu_watches *ws = &lu->watches;
	struct lu_watch *w;

	pthread_mutex_lock(&ws->mutex);
	list_for_each(w, &ws->list, node)
		if (!atomic_load_explicit(&w->changed, memory_order_relaxed) &&
		    concerns(w, off_bytes, off_bytes + len_bytes))
			set_changed(ws, w);
	pthread_mutex_unlock(&ws->mutex);
}

void lu_watch_revoke(struct lu *lu)
{
	lu_watch_touch(lu, 0, UINT64_MAX);
}
