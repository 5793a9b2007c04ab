/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_claim.c - of all reactors, one writes an object.
 *
 * A claim is a word per object: 0, or the id of the channel that holds it, with a bit
 * if others wait.  Claiming what is free and giving up what nobody waits for is one
 * atomic operation.  Whoever has to wait is in a list under the device's mutex; the
 * claim is handed over to the first of them, which a note tells.
 */
#include "bs_sheepdog_piece.h"

#define WANTED 0x8000U

static _Atomic uint16_t *claim_of(const struct sheep_spot *s)
{
	return &s->ch->d->claims[s->index];
}

static void is_ours(struct sheep_note *n)
{
	struct sheep_spot *s = container_of(n, struct sheep_spot, claim_note);
	struct sheep_conn *c = s->ch->conn;

	s->claim = SHEEP_CLAIMED;
	bs_sheepdog_spot_kick(s);
	bs_sheepdog_io_run(c);
}

/* Under the mutex.  True: it is ours. */
static bool get_or_want(struct sheep_spot *s)
{
	_Atomic uint16_t *claim = claim_of(s);
	uint16_t is = atomic_load(claim);

	for (;;) {
		const uint16_t want = is ? is | WANTED : s->ch->id;

		if (atomic_compare_exchange_weak(claim, &is, want))
			return !is;
	}
}

bool bs_sheepdog_claim_get(struct sheep_spot *s)
{
	struct sheep_dev *d = s->ch->d;
	uint16_t is = 0;

	if (atomic_compare_exchange_strong(claim_of(s), &is, s->ch->id)) {
		s->claim = SHEEP_CLAIMED;
		return true;
	}
	pthread_mutex_lock(&d->mutex);
	s->claim = get_or_want(s) ? SHEEP_CLAIMED : SHEEP_CLAIM_WAITS;
	if (s->claim == SHEEP_CLAIM_WAITS) {
		s->claim_note.run = is_ours;
		list_add_tail(&d->claimants, &s->claim_node);
	}
	pthread_mutex_unlock(&d->mutex);
	return s->claim == SHEEP_CLAIMED;
}

/* Under the mutex.  The first, or the next after @from, that waits for this object. */
static struct sheep_spot *waiting(const struct sheep_spot *s,
				  struct list_head *from)
{
	struct sheep_dev *d = s->ch->d;

	for (struct list_head *n = from->next; n != &d->claimants;
	     n = n->next) {
		struct sheep_spot *w =
			list_entry(n, struct sheep_spot, claim_node);

		if (w->index == s->index)
			return w;
	}
	return NULL;
}

void bs_sheepdog_claim_put(struct sheep_spot *s)
{
	struct sheep_dev *d = s->ch->d;
	struct sheep_spot *next;
	uint16_t is = s->ch->id;

	s->claim = SHEEP_UNCLAIMED;
	if (atomic_compare_exchange_strong(claim_of(s), &is, 0))
		return;
	pthread_mutex_lock(&d->mutex);
	next = waiting(s, &d->claimants);
	if (next) {
		is = next->ch->id |
		     (waiting(s, &next->claim_node) ? WANTED : 0);
		list_del(&next->claim_node);
		bs_sheepdog_note_post(&next->ch->conn->group->notes,
				      &next->claim_note);
	}
	atomic_store(claim_of(s), next ? is : 0);
	pthread_mutex_unlock(&d->mutex);
}

bool bs_sheepdog_claim_is_wanted(const struct sheep_spot *s)
{
	return atomic_load_explicit(claim_of(s), memory_order_relaxed) & WANTED;
}

void bs_sheepdog_claim_forget(struct sheep_spot *s)
{
	struct sheep_dev *d = s->ch->d;

	pthread_mutex_lock(&d->mutex);
	if (list_is_linked(&s->claim_node)) {
		list_del(&s->claim_node);
		s->claim = SHEEP_UNCLAIMED;
	}
	pthread_mutex_unlock(&d->mutex);
}
