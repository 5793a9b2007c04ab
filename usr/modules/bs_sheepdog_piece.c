/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_piece.c - from a piece to requests of the sheep, and what their results
 * mean.
 *
 * An object that is not ours is created with its data, then its slot is written, then
 * the inode is looked at; only then it is in our map and the piece is done.  A crash
 * in between leaves an object that nobody refers to, and that the next create
 * replaces; the other order would leave a slot that names what is not there.  The
 * look tells whether a snapshot was taken in between: its working VDI has a slot
 * less, and the piece is done anew there.
 */
#include "bs_sheepdog_piece.h"

#include <errno.h>

#define ZEROES_BYTES (64U << 10)

static uint8_t zeroes[ZEROES_BYTES]; /* only read */
static const struct iovec zeroes_iov[SHEEP_PIECE_BYTES / ZEROES_BYTES] = {
	[0 ... SHEEP_PIECE_BYTES / ZEROES_BYTES - 1] = { zeroes, ZEROES_BYTES },
};

static void came(struct sheep_xfer *x, int result);

/* --- spots --- */

static struct sheep_spot **chain(struct sheep_channel *ch, uint32_t index)
{
	return &ch->spots[index % ARRAY_SIZE(ch->spots)];
}

static struct sheep_spot *spot_find(struct sheep_channel *ch, uint32_t index)
{
	struct sheep_spot *s = *chain(ch, index);

	while (s && s->index != index)
		s = s->next;
	return s;
}

static struct sheep_spot *spot_get(struct sheep_channel *ch, uint32_t index)
{
	struct sheep_spot *s = spot_find(ch, index);
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

static void spot_put(struct sheep_spot *s)
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

/* A claim is kept while something is written only. */
static void release_unused(struct sheep_spot *s)
{
	if (s->claim == SHEEP_CLAIMED && !s->nr_writes)
		bs_sheepdog_claim_put(s);
}

static void kick(struct sheep_spot *s)
{
	if (!list_is_linked(&s->kick))
		list_add_tail(&s->ch->conn->pool->kicks, &s->kick);
}

/* --- the end of a piece --- */

static void write_ends(struct sheep_piece *p)
{
	struct sheep_spot *s = p->spot;

	if (!p->is_write)
		return;
	assert(s);			/* who writes has one */
	p->is_write = false;
	s->creates = false;
	s->nr_writes--;
	release_unused(s);
	bs_sheepdog_reload_write_end(p->ch);
}

static void piece_free(struct sheep_pool *pool, struct sheep_piece *p)
{
	list_add(&pool->free, &p->node);
	pool->nr_free++;
	pool->freed = true;
}

static void finish(struct sheep_piece *p, int err)
{
	struct sheep_channel *ch = p->ch;
	struct bs_req *req = p->req;

	write_ends(p);
	list_del(&p->node);
	list_del(&p->park);
	if (p->spot)
		kick(p->spot);
	ch->nr_pieces--;
	p->ch = NULL;
	p->req = NULL;
	piece_free(ch->conn->pool, p);
	if (req)
		bs_sheepdog_io_piece_done(ch, req, err);
}

/* From the beginning, when that is possible again. */
static void park(struct sheep_piece *p, struct list_head *where)
{
	write_ends(p);
	if (!p->req) {
		finish(p, 0);
		return;
	}
	p->phase = SHEEP_PARKED;
	list_del(&p->park);
	list_add_tail(where, &p->park);
	if (p->spot)
		kick(p->spot);
	bs_sheepdog_conn_want_tick(p->ch->conn);
}

/* --- sending --- */

static void send_it(struct sheep_piece *p, enum sheep_phase phase)
{
	p->phase = (uint8_t)phase;
	p->x.done = came;
	if (bs_sheepdog_conn_send(p->ch->conn, &p->x))
		park(p, p->ch->conn->state == SHEEP_CONN_UP ? &p->ch->delayed :
							      &p->ch->parked);
}

static void set_own(struct sheep_piece *p, void *memory, size_t bytes)
{
	p->x.own.iov_base = memory;
	p->x.own.iov_len = bytes;
	p->x.data = (struct sheep_cursor){ .iov = &p->x.own };
}

static void send_read(struct sheep_piece *p)
{
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_READ, sheep_dev_flags(p->ch->d),
		sheep_data_oid(p->slot, p->spot->index), p->off, p->len);
	p->x.data = p->data;
	p->x.in_bytes = p->len;
	p->x.out_bytes = 0;
	send_it(p, SHEEP_MOVES);
}

static void send_payload(struct sheep_piece *p, enum sheep_phase phase)
{
	p->x.data = p->data;
	p->x.out_bytes = p->len;
	p->x.in_bytes = 0;
	send_it(p, phase);
}

static void send_write(struct sheep_piece *p)
{
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_WRITE, SHEEP_FLAG_WRITE | sheep_dev_flags(p->ch->d),
		sheep_data_oid(p->vid, p->spot->index), p->off, p->len);
	send_payload(p, SHEEP_MOVES);
}

static void send_create(struct sheep_piece *p)
{
	const uint16_t flags = SHEEP_FLAG_WRITE | sheep_dev_flags(p->ch->d);
	const uint32_t i = p->spot->index;

	if (p->slot)
		p->x.h = bs_sheepdog_wire_copy(flags, sheep_data_oid(p->vid, i),
					       sheep_data_oid(p->slot, i),
					       p->off, p->len);
	else
		p->x.h = bs_sheepdog_wire_object(SHEEP_CREATE, flags,
						 sheep_data_oid(p->vid, i),
						 p->off, p->len);
	send_payload(p, SHEEP_CREATES);
}

static void send_slot(struct sheep_piece *p)
{
	const le32 vid = le32_make(p->vid);

	memcpy(p->small, &vid, sizeof(vid));
	set_own(p, p->small, sizeof(vid));
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_WRITE, SHEEP_FLAG_WRITE | sheep_dev_flags(p->ch->d),
		sheep_inode_oid(p->vid), sheep_slot_off(p->spot->index),
		sizeof(vid));
	p->x.out_bytes = sizeof(vid);
	p->x.in_bytes = 0;
	send_it(p, SHEEP_MAPS);
}

/* The time of a snapshot, and the size, which a VDI that was deleted has not. */
static_assert(offsetof(struct sheep_inode, size_bytes) + sizeof(le64) -
			      offsetof(struct sheep_inode, snapped) ==
		      sizeof(((struct sheep_piece *)NULL)->small),
	      "what the check reads");

static void send_check(struct sheep_piece *p)
{
	set_own(p, p->small, sizeof(p->small));
	p->x.h = bs_sheepdog_wire_object(SHEEP_READ, 0, sheep_inode_oid(p->vid),
					 offsetof(struct sheep_inode, snapped),
					 sizeof(p->small));
	p->x.out_bytes = 0;
	p->x.in_bytes = sizeof(p->small);
	send_it(p, SHEEP_CHECKS);
}

/* Any read of the inode tells whether another gateway has changed it. */
static void send_probe(struct sheep_piece *p)
{
	set_own(p, p->small, 1);
	p->x.h = bs_sheepdog_wire_object(SHEEP_READ, SHEEP_FLAG_TGT,
					 sheep_inode_oid(p->vid), 0, 1);
	p->x.out_bytes = 0;
	p->x.in_bytes = 1;
	send_it(p, SHEEP_PROBES);
}

static void send_discard(struct sheep_piece *p)
{
	/* Of the VDI that is open, never of the slot's: that would hit a snapshot. */
	p->x.h = bs_sheepdog_wire_object(SHEEP_DISCARD,
					 sheep_dev_flags(p->ch->d),
					 sheep_data_oid(p->vid, p->spot->index),
					 0, 0);
	p->x.out_bytes = p->x.in_bytes = 0;
	send_it(p, SHEEP_MOVES);
}

static void send_flush(struct sheep_piece *p)
{
	p->x.h = bs_sheepdog_wire_object(
		SHEEP_FLUSH_VDI, 0,
		sheep_inode_oid(atomic_load(&p->ch->d->vid)), 0, 0);
	p->x.out_bytes = p->x.in_bytes = 0;
	send_it(p, SHEEP_MOVES);
}

/* --- trying --- */

static bool overlaps(const struct sheep_piece *a, const struct sheep_piece *b)
{
	return a->off < b->off + b->len && b->off < a->off + a->len &&
	       (a->kind != SHEEP_PIECE_READ || b->kind != SHEEP_PIECE_READ);
}

/* Has one that came before to be done first? */
static bool is_behind(const struct sheep_piece *p)
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

static void look(struct sheep_piece *p)
{
	struct sheep_dev *d = p->ch->d;

	p->vid = atomic_load_explicit(&d->vid, memory_order_acquire);
	p->slot = atomic_load_explicit(&d->slots[p->spot->index],
				       memory_order_acquire);
}

static void try_read(struct sheep_piece *p)
{
	struct sheep_cursor to = p->data;

	look(p);
	if (p->slot) {
		send_read(p);
	} else if (p->ch->d->coherent) {
		send_probe(p);
	} else {
		sheep_cursor_put(&to, NULL, p->len);
		finish(p, 0);
	}
}

/* May a write of this object be begun? */
static bool may_write(struct sheep_spot *s)
{
	if (s->creates || s->claim == SHEEP_CLAIM_WAITS)
		return false;
	if (s->claim == SHEEP_UNCLAIMED)
		return bs_sheepdog_claim_get(s);
	/* One at least, then it is the others' turn. */
	return !s->nr_writes || !bs_sheepdog_claim_is_wanted(s);
}

/* Nothing is there that could be zeroed or discarded. */
static bool is_nothing(const struct sheep_piece *p)
{
	return !p->slot &&
	       (p->kind == SHEEP_PIECE_ZERO || p->kind == SHEEP_PIECE_DISCARD);
}

static void write_begin(struct sheep_piece *p)
{
	struct sheep_spot *s = p->spot;
	const bool alone = p->slot != p->vid;

	if (alone && s->nr_writes)
		return;
	if (!bs_sheepdog_reload_write_begin(p->ch)) {
		park(p, &p->ch->parked);
		return;
	}
	s->nr_writes++;
	p->is_write = true;
	if (p->kind == SHEEP_PIECE_DISCARD) {
		send_discard(p);
	} else if (alone) {
		s->creates = true;
		send_create(p);
	} else {
		send_write(p);
	}
}

static void try_write(struct sheep_piece *p)
{
	struct sheep_spot *s = p->spot;

	if (!may_write(s))
		return;
	look(p);
	if (!is_nothing(p))
		write_begin(p);
	else if (p->ch->d->coherent)
		send_probe(p);
	else
		finish(p, 0);
	release_unused(s);
}

static void try(struct sheep_piece *p)
{
	struct sheep_channel *ch = p->ch;

	if (atomic_load_explicit(&ch->d->dead, memory_order_relaxed))
		finish(p, -ENXIO);
	else if (ch->conn->state != SHEEP_CONN_UP || sheep_channel_is_stale(ch))
		park(p, &ch->parked);
	else if (p->kind == SHEEP_PIECE_FLUSH)
		send_flush(p);
	else if (is_behind(p))
		return;
	else if (p->kind == SHEEP_PIECE_READ)
		try_read(p);
	else
		try_write(p);
}

/* --- answers --- */

static void reload(struct sheep_piece *p)
{
	bs_sheepdog_reload_need(p->ch);
	/* Not in a circle as fast as it goes. */
	park(p, p->was_reloaded ? &p->ch->delayed : &p->ch->parked);
}

/* It is in our map from now on. */
static void mapped(struct sheep_piece *p)
{
	static const uint8_t no_snapshot[8], no_size[8];

	if (memcmp(p->small, no_snapshot, 8) != 0 ||
	    !memcmp(p->small + 16, no_size, 8)) {
		reload(p);
		return;
	}
	atomic_store_explicit(&p->ch->d->slots[p->spot->index], p->vid,
			      memory_order_release);
	finish(p, 0);
}

static void probed(struct sheep_piece *p)
{
	struct sheep_cursor to = p->data;

	if (p->req && p->kind == SHEEP_PIECE_READ)
		sheep_cursor_put(&to, NULL, p->len);
	finish(p, 0);
}

static void moved(struct sheep_piece *p)
{
	if (p->kind == SHEEP_PIECE_DISCARD)
		atomic_store_explicit(&p->ch->d->slots[p->spot->index], 0,
				      memory_order_release);
	finish(p, 0);
}

static void (*const succeeded[])(struct sheep_piece *p) = {
	[SHEEP_MOVES] = moved,	   [SHEEP_CREATES] = send_slot,
	[SHEEP_MAPS] = send_check, [SHEEP_CHECKS] = mapped,
	[SHEEP_PROBES] = probed,
};

static void fail(struct sheep_piece *p, int result)
{
	char words[128];

	if (p->req)
		bs_log("sheepdog: VDI %s, object %x: %s",
		       p->ch->d->spec.names.name, p->spot ? p->spot->index : 0,
		       bs_sheepdog_wire_words((uint32_t)result, words,
					      sizeof(words)));
	finish(p, bs_sheepdog_wire_errno((uint32_t)result));
}

/* What we knew of the object is not true any more. */
static void mistaken(struct sheep_piece *p, int result)
{
	struct sheep_dev *d = p->ch->d;

	if (!p->spot) {
		fail(p, result);
	} else if (result == SHEEP_NO_OBJ && p->kind == SHEEP_PIECE_READ &&
		   p->req &&
		   atomic_load(&d->slots[p->spot->index]) != p->slot) {
		p->phase = SHEEP_IDLE;
		kick(p->spot);
	} else if (result == SHEEP_NO_OBJ && p->was_reloaded) {
		fail(p, result);
	} else {
		reload(p);
		p->was_reloaded = true;
	}
}

static void came(struct sheep_xfer *x, int result)
{
	struct sheep_piece *p = container_of(x, struct sheep_piece, x);

	if (p->kind == SHEEP_PIECE_FLUSH && result == SHEEP_INVALID_PARMS)
		result = SHEEP_SUCCESS; /* there was nothing to flush */
	if (result < 0) {
		park(p, &p->ch->parked);
		return;
	}
	switch (bs_sheepdog_wire_verdict((uint32_t)result)) {
	case SHEEP_DONE:
		succeeded[p->phase](p);
		return;
	case SHEEP_RETRY:
		park(p, &p->ch->delayed);
		return;
	case SHEEP_RELOAD:
		mistaken(p, result);
		return;
	case SHEEP_FAILED:
		fail(p, result);
	}
}

/* --- for bs_sheepdog_io.c --- */

void bs_sheepdog_piece_start(struct sheep_channel *ch, struct bs_req *req,
			     enum sheep_kind kind, uint64_t off_bytes,
			     uint32_t len, struct sheep_cursor data)
{
	const unsigned int exp = ch->d->object_exp;
	struct sheep_pool *pool = ch->conn->pool;
	struct sheep_piece *p = list_pop(&pool->free, struct sheep_piece, node);

	assert(p);
	pool->nr_free--;
	ch->nr_pieces++;
	p->ch = ch;
	p->req = req;
	p->kind = (uint8_t)kind;
	p->phase = SHEEP_IDLE;
	p->data = data;
	if (kind == SHEEP_PIECE_ZERO)
		p->data = (struct sheep_cursor){ .iov = zeroes_iov };
	p->off = (uint32_t)(off_bytes & ((1ULL << exp) - 1));
	p->len = len;
	p->is_write = p->was_reloaded = false;
	p->spot = kind == SHEEP_PIECE_FLUSH ?
			  NULL :
			  spot_get(ch, (uint32_t)(off_bytes >> exp));
	if (p->spot)
		list_add_tail(&p->spot->pieces, &p->node);
	try(p);
}

static void spot_run(struct sheep_spot *s)
{
	struct sheep_piece *p, *tmp;

	list_for_each_safe(p, tmp, &s->pieces, node)
		if (p->phase == SHEEP_IDLE)
			try(p);
	release_unused(s);
	if (list_empty(&s->pieces) && !list_is_linked(&s->kick))
		spot_put(s);
}

void bs_sheepdog_piece_run(struct sheep_conn *c)
{
	struct sheep_spot *s;

	while ((s = list_pop(&c->pool->kicks, struct sheep_spot, kick)))
		spot_run(s);
}

void bs_sheepdog_piece_unpark(struct list_head *parked)
{
	struct list_head batch;
	struct sheep_piece *p;

	list_init(&batch);
	list_splice_tail(&batch, parked);
	while ((p = list_pop(&batch, struct sheep_piece, park))) {
		p->phase = SHEEP_IDLE;
		if (p->spot)
			kick(p->spot);
		else
			try(p);
	}
}

/* --- pieces whose request does not wait for them any more --- */

bool bs_sheepdog_piece_give_up(struct sheep_piece *p)
{
	struct sheep_conn *c = p->ch->conn;
	struct bs_req *req = p->req;

	if (!sheep_piece_is_at_sheep(p) || bs_sheepdog_conn_unsend(c, &p->x)) {
		finish(p, -ETIMEDOUT);
		return true;
	}
	if (bs_sheepdog_conn_copy_rest(c, &p->x))
		return false;
	/* It keeps its place, so that nothing that overlaps overtakes it. */
	if (p->phase == SHEEP_MOVES && p->kind == SHEEP_PIECE_READ)
		bs_sheepdog_conn_disown(c, &p->x);
	p->req = NULL;
	bs_sheepdog_io_piece_done(p->ch, req, -ETIMEDOUT);
	return true;
}

static void forgotten(struct sheep_xfer *x, int result)
{
	struct sheep_piece *p = container_of(x, struct sheep_piece, x);

	(void)result;
	piece_free(p->pool, p);
}

void bs_sheepdog_piece_forget_all(struct sheep_channel *ch)
{
	struct sheep_pool *pool = ch->conn->pool;

	for (unsigned int i = 0; ch->nr_pieces && i < SHEEP_PIECES; i++) {
		struct sheep_piece *p = &pool->pieces[i];

		if (p->ch != ch)
			continue;
		assert(!p->req && sheep_piece_is_at_sheep(p));
		write_ends(p);
		list_del(&p->node);
		if (p->spot)
			kick(p->spot);
		ch->nr_pieces--;
		p->ch = NULL;
		p->x.done = forgotten;
	}
	bs_sheepdog_piece_run(ch->conn);
}
