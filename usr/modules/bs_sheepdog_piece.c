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
 *
 * If the answer to a slot's write is lost, some replicas of the inode may have it and
 * others not; a sheep that was killed and comes back does not find out.  Whatever is
 * read then, the slot is written again after the next write of the object.
 */
#include "bs_sheepdog_piece.h"

#include <errno.h>

static void came(struct sheep_xfer *x, int result);

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
	bs_sheepdog_spot_release_unused(s);
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
		bs_sheepdog_spot_kick(p->spot);
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
		bs_sheepdog_spot_kick(p->spot);
	bs_sheepdog_conn_want_tick(p->ch->conn);
}

/* --- sending --- */

static void take_step(struct sheep_piece *p, enum sheep_phase phase,
		      void (*step)(struct sheep_piece *p))
{
	step(p);
	p->phase = (uint8_t)phase;
	p->x.done = came;
	if (bs_sheepdog_conn_send(p->ch->conn, &p->x))
		park(p, p->ch->conn->state == SHEEP_CONN_UP ? &p->ch->delayed :
							      &p->ch->parked);
}

/* --- trying --- */

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
		take_step(p, SHEEP_MOVES, bs_sheepdog_step_read);
	} else if (p->ch->d->coherent) {
		take_step(p, SHEEP_PROBES, bs_sheepdog_step_probe);
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
	       ((p->kind == SHEEP_PIECE_ZERO && !p->must_map) ||
		p->kind == SHEEP_PIECE_DISCARD);
}

static void write_begin(struct sheep_piece *p)
{
	struct sheep_spot *s = p->spot;
	const bool creates = p->slot != p->vid, alone = creates || p->must_map;

	if (alone && s->nr_writes)
		return;
	if (!bs_sheepdog_reload_write_begin(p->ch)) {
		park(p, &p->ch->parked);
		return;
	}
	s->nr_writes++;
	p->is_write = true;
	s->creates = alone && p->kind != SHEEP_PIECE_DISCARD;
	if (p->kind == SHEEP_PIECE_DISCARD) {
		take_step(p, SHEEP_MOVES, bs_sheepdog_step_discard);
	} else if (creates) {
		take_step(p, SHEEP_CREATES, bs_sheepdog_step_create);
	} else {
		take_step(p, SHEEP_MOVES, bs_sheepdog_step_write);
	}
}

static void try_write(struct sheep_piece *p)
{
	struct sheep_spot *s = p->spot;

	if (!may_write(s))
		return;
	look(p);
	p->must_map = atomic_load_explicit(&p->ch->d->unsure[s->index],
					   memory_order_relaxed);
	if (!is_nothing(p))
		write_begin(p);
	else if (p->ch->d->coherent)
		take_step(p, SHEEP_PROBES, bs_sheepdog_step_probe);
	else
		finish(p, 0);
	bs_sheepdog_spot_release_unused(s);
}

void bs_sheepdog_piece_try(struct sheep_piece *p)
{
	struct sheep_channel *ch = p->ch;

	if (atomic_load_explicit(&ch->d->dead, memory_order_relaxed))
		finish(p, -ENXIO);
	else if (ch->conn->state != SHEEP_CONN_UP || sheep_channel_is_stale(ch))
		park(p, &ch->parked);
	else if (!p->spot) /* FLUSH: of no object */
		take_step(p, SHEEP_MOVES, bs_sheepdog_step_flush);
	else if (bs_sheepdog_spot_is_behind(p))
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

static void created(struct sheep_piece *p)
{
	take_step(p, SHEEP_MAPS, bs_sheepdog_step_slot);
}

static void slotted(struct sheep_piece *p)
{
	take_step(p, SHEEP_CHECKS, bs_sheepdog_step_check);
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
	atomic_store_explicit(&p->ch->d->unsure[p->spot->index], false,
			      memory_order_relaxed);
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
	if (p->is_write && p->must_map && p->kind != SHEEP_PIECE_DISCARD) {
		created(p);
		return;
	}
	if (p->kind == SHEEP_PIECE_DISCARD)
		atomic_store_explicit(&p->ch->d->slots[p->spot->index], 0,
				      memory_order_release);
	finish(p, 0);
}

static void (*const succeeded[])(struct sheep_piece *p) = {
	[SHEEP_MOVES] = moved,	 [SHEEP_CREATES] = created,
	[SHEEP_MAPS] = slotted,	 [SHEEP_CHECKS] = mapped,
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
		bs_sheepdog_spot_kick(p->spot);
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
	if (p->phase == SHEEP_MAPS && result != SHEEP_SUCCESS)
		atomic_store(&p->ch->d->unsure[p->spot->index], true);
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
		p->data = bs_sheepdog_step_zeroes();
	p->off = (uint32_t)(off_bytes & ((1ULL << exp) - 1));
	p->len = len;
	p->is_write = p->was_reloaded = p->must_map = false;
	p->spot = kind == SHEEP_PIECE_FLUSH ?
			  NULL :
			  bs_sheepdog_spot_get(ch, (uint32_t)(off_bytes >> exp));
	if (p->spot)
		list_add_tail(&p->spot->pieces, &p->node);
	bs_sheepdog_piece_try(p);
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
			bs_sheepdog_spot_kick(p->spot);
		else
			bs_sheepdog_piece_try(p);
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
			bs_sheepdog_spot_kick(p->spot);
		ch->nr_pieces--;
		p->ch = NULL;
		p->x.done = forgotten;
	}
	bs_sheepdog_spot_run_kicked(ch->conn);
}
