/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_spot.c - objects that have pieces under way on this reactor.
 *
 * A spot is found by its object's index, lives while it has pieces (or while a note
 * that tells of its claim is under way), and is kicked when some of them may go on.
 */
#include "bs_sheepdog_piece.h"

static struct sheep_spot **chain(struct sheep_channel *ch, uint32_t index)
{
	return &ch->spots[index % ARRAY_SIZE(ch->spots)];
}

static struct sheep_spot *find(struct sheep_channel *ch, uint32_t index)
{
	struct sheep_spot *s = *chain(ch, index);

	while (s && s->index != index)
		s = s->next;
	return s;
}

struct sheep_spot *bs_sheepdog_spot_get(struct sheep_channel *ch,
					uint32_t index)
{
	struct sheep_spot *s = find(ch, index);
	struct sheep_pool *pool = ch->conn->pool;

	if (s)
		return s;
	s = pool->free_spots;
	assert(s);
	pool->free_spots = s->next;
	s->next = *chain(ch, index);
	*chain(ch, index) = s;
	s->ch = ch;
	s->index = index;
	return s;
}

static void put(struct sheep_spot *s)
{
	struct sheep_spot **at = chain(s->ch, s->index);
	struct sheep_pool *pool = s->ch->conn->pool;

	if (s->claim == SHEEP_CLAIM_WAITS)
		bs_sheepdog_claim_forget(s);
	if (s->claim == SHEEP_CLAIM_WAITS)
		return; /* a note is under way, which kicks it */
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	list_del(&s->kick);
	s->next = pool->free_spots;
	pool->free_spots = s;
}

void bs_sheepdog_spot_release_unused(struct sheep_spot *s)
{
	if (s->claim == SHEEP_CLAIMED && !s->nr_writes)
		bs_sheepdog_claim_put(s);
}

void bs_sheepdog_spot_kick(struct sheep_spot *s)
{
	if (!list_is_linked(&s->kick))
		list_add_tail(&s->ch->conn->pool->kicks, &s->kick);
}

/* --- order --- */

static bool overlaps(const struct sheep_piece *a, const struct sheep_piece *b)
{
	return a->off < b->off + b->len && b->off < a->off + a->len &&
	       (a->kind != SHEEP_PIECE_READ || b->kind != SHEEP_PIECE_READ);
}

bool bs_sheepdog_spot_is_behind(const struct sheep_piece *p)
{
	const struct sheep_piece *q;

	list_for_each(q, &p->spot->pieces, node) {
		if (q == p)
			return false;
		if (overlaps(q, p))
			return true;
	}
	return false;
}

/* --- going on --- */

static void run(struct sheep_spot *s)
{
	struct sheep_piece *p, *tmp;

	list_for_each_safe(p, tmp, &s->pieces, node)
		if (p->phase == SHEEP_IDLE)
			bs_sheepdog_piece_try(p);
	bs_sheepdog_spot_release_unused(s);
	if (list_empty(&s->pieces) && !list_is_linked(&s->kick))
		put(s);
}

void bs_sheepdog_spot_run_kicked(struct sheep_conn *c)
{
	struct sheep_spot *s;

	while ((s = list_pop(&c->pool->kicks, struct sheep_spot, kick)))
		run(s);
}
