/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor/timer.c - a binary heap by due time; a timer knows its place, from 1. */
#include "reactor/timer.h"

#include <errno.h>
#include <stdlib.h>
#include "base/clock.h"
#include "reactor/internal.h"

static void place(struct timer_heap *h, struct timer *t, unsigned int slot)
{
	h->v[slot] = t;
	t->slot = slot;
}

static void sift_up(struct timer_heap *h, struct timer *t, unsigned int slot)
{
	for (; slot > 1 && h->v[slot / 2]->due_ns > t->due_ns; slot /= 2)
		place(h, h->v[slot / 2], slot);
	place(h, t, slot);
}

static void sift_down(struct timer_heap *h, struct timer *t, unsigned int slot)
{
	for (;;) {
		unsigned int child = 2 * slot;

		if (child > h->n)
			break;
		if (child < h->n && h->v[child + 1]->due_ns < h->v[child]->due_ns)
			child++;
		if (h->v[child]->due_ns >= t->due_ns)
			break;
		place(h, h->v[child], slot);
		slot = child;
	}
	place(h, t, slot);
}

static int reserve(struct timer_heap *h)
{
	const unsigned int max = h->max ? 2 * h->max : 16;
	struct timer **v;

	if (h->n + 1 < h->max)
		return 0;
	v = realloc(h->v, max * sizeof(struct timer *));
	if (!v)
		return -ENOMEM;
	h->v = v;
	h->max = max;
	return 0;
}

void reactor_timer_cancel(struct reactor *r, struct timer *t)
{
	struct timer_heap *h = &r->timers;
	const unsigned int slot = t->slot;
	struct timer *last;

	if (!slot)
		return;
	t->slot = 0;
	last = h->v[h->n--];
	if (last == t)
		return;
	if (slot > 1 && h->v[slot / 2]->due_ns > last->due_ns)
		sift_up(h, last, slot);
	else
		sift_down(h, last, slot);
}

int reactor_timer_arm(struct reactor *r, struct timer *t, uint64_t delay_ms)
{
	struct timer_heap *h = &r->timers;

	assert(r == reactor_current());
	reactor_timer_cancel(r, t);
	if (reserve(h) < 0)
		return -ENOMEM;
	t->due_ns = clock_now_ns() + delay_ms * NS_PER_MS;
	sift_up(h, t, ++h->n);
	return 0;
}

bool reactor_timer_armed(const struct timer *t)
{
	return t->slot != 0;
}

void reactor_timer_run(struct reactor *r)
{
	struct timer_heap *h = &r->timers;

	while (h->n && h->v[1]->due_ns <= r->now_ns) {
		struct timer *t = h->v[1];

		reactor_timer_cancel(r, t);
		t->expired(t);
	}
}

int reactor_timer_wait_ms(const struct reactor *r, uint64_t now_ns)
{
	const struct timer_heap *h = &r->timers;
	uint64_t ms;

	if (!h->n)
		return -1;
	if (h->v[1]->due_ns <= now_ns)
		return 0;
	ms = DIV_ROUND_UP(h->v[1]->due_ns - now_ns, NS_PER_MS);
	return (int)MIN(ms, 60000ULL);
}
