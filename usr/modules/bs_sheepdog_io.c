/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_io.c - requests are cut at the borders of objects, and end with their
 * last piece, or when their time is over.
 *
 * A connection has SHEEP_PIECES pieces, of which a disk may take as many as are left;
 * requests for which there is none wait in their order.
 *
 * req->priv is a struct request.
 */
#include "bs_sheepdog_piece.h"

#include <errno.h>
#include <stdlib.h>
#include "base/clock.h"

struct request {
	struct list_head node; /* in channel.reqs */
	struct list_head wait; /* in channel.waiting */
	uint64_t until_ns;
	uint64_t cut_bytes;	/* what has become pieces */
	struct sheep_cursor at; /* where the rest's data are */
	uint32_t nr_pieces;	/* under way; and 1 while it is being cut */
	int err;
	bool was_flushed;
};
static_assert(sizeof(struct request) <= BS_REQ_PRIV * sizeof(void *),
	      "it lives in the request");

static struct request *of(struct bs_req *req)
{
	return (struct request *)(void *)req->priv;
}

static struct bs_req *req_of(struct request *r)
{
	return container_of((void **)(void *)r, struct bs_req, priv[0]);
}

/* --- cutting --- */

static bool may_take(const struct sheep_channel *ch)
{
	return ch->nr_pieces < ch->conn->pool->nr_free;
}

static enum sheep_kind kind_of(const struct sheep_dev *d,
			       const struct bs_req *req)
{
	switch (req->op) {
	case BS_READ:
		return SHEEP_PIECE_READ;
	case BS_WRITE:
		return SHEEP_PIECE_WRITE;
	case BS_UNMAP:
		return SHEEP_PIECE_DISCARD;
	default:
		return req->flags & BS_REQ_UNMAP && d->discards ?
			       SHEEP_PIECE_DISCARD :
			       SHEEP_PIECE_ZERO;
	}
}

/* The next piece of @req: its length.  What is less than an object cannot be
 * discarded, and becomes zeroes. */
static uint32_t next_piece(const struct sheep_dev *d, const struct bs_req *req,
			   uint64_t off, enum sheep_kind *kind)
{
	const uint64_t object = 1ULL << d->object_exp,
		       in_object = off & (object - 1);
	const uint64_t end = req->off_bytes + req->len_bytes;
	const uint64_t len = MIN(end - off, object - in_object);

	*kind = kind_of(d, req);
	if (*kind == SHEEP_PIECE_DISCARD &&
	    (in_object || (len < object && end < atomic_load(&d->size_bytes))))
		*kind = SHEEP_PIECE_ZERO;
	return (uint32_t)(*kind == SHEEP_PIECE_DISCARD ?
				  len :
				  MIN(len, SHEEP_PIECE_BYTES));
}

static void release(struct sheep_channel *ch, struct bs_req *req)
{
	struct request *r = of(req);

	if (--r->nr_pieces || (!r->err && r->cut_bytes < req->len_bytes))
		return;
	if (req->op == BS_WRITE && req->flags & BS_REQ_FUA &&
	    ch->d->has_cache && !r->err && !r->was_flushed) {
		r->was_flushed = true;
		r->nr_pieces++;
		bs_sheepdog_piece_start(ch, req, SHEEP_PIECE_FLUSH, 0, 0,
					r->at);
		return;
	}
	list_del(&r->node);
	list_del(&r->wait);
	bs_complete(ch->ch, req, r->err);
}

static void cut(struct sheep_channel *ch, struct bs_req *req)
{
	struct request *r = of(req);

	r->nr_pieces++;
	while (!r->err && r->cut_bytes < req->len_bytes && may_take(ch)) {
		const uint64_t off = req->off_bytes + r->cut_bytes;
		const struct sheep_cursor data = r->at;
		enum sheep_kind kind;
		const uint32_t len = next_piece(ch->d, req, off, &kind);

		r->nr_pieces++;
		r->cut_bytes += len;
		if (r->at.iov)
			sheep_cursor_advance(&r->at, len);
		bs_sheepdog_piece_start(ch, req, kind, off, len, data);
	}
	if (!r->err && r->cut_bytes < req->len_bytes)
		list_add(&ch->waiting, &r->wait); /* it was the first */
	release(ch, req);
}

void bs_sheepdog_io_piece_done(struct sheep_channel *ch, struct bs_req *req,
			       int err)
{
	if (err && !of(req)->err)
		of(req)->err = err;
	release(ch, req);
}

/* --- submitting --- */

/* As far as the slots are all 0, or all not. */
static void block_status(struct sheep_channel *ch, struct bs_req *req)
{
	const struct sheep_dev *d = ch->d;
	const uint64_t end = req->off_bytes + req->len_bytes;
	uint64_t i = req->off_bytes >> d->object_exp, at;
	const bool is_mapped = atomic_load(&d->slots[i]);

	do
		at = ++i << d->object_exp;
	while (at < end && is_mapped == (atomic_load(&d->slots[i]) != 0));
	req->result = MIN(at, end) - req->off_bytes;
	if (is_mapped)
		req->flags |= BS_REQ_MAPPED;
	bs_complete(ch->ch, req, 0);
}

static void request_init(struct sheep_channel *ch, struct bs_req *req)
{
	struct request *r = of(req);

	*r = (struct request){ .until_ns = clock_now_ns() + ch->d->timeout_ns };
	if (req->op == BS_READ || req->op == BS_WRITE)
		r->at.iov = req->iov;
	list_init(&r->wait);
	list_add_tail(&ch->reqs, &r->node);
}

static void flush(struct sheep_channel *ch, struct bs_req *req)
{
	struct request *r = of(req);

	if (!ch->d->has_cache) { /* what was answered is on the disks */
		bs_complete(ch->ch, req, 0);
		return;
	}
	request_init(ch, req);
	r->cut_bytes = req->len_bytes;
	if (ch->conn->pool->nr_free) {
		r->nr_pieces++;
		bs_sheepdog_piece_start(ch, req, SHEEP_PIECE_FLUSH, 0, 0,
					r->at);
	} else {
		list_add_tail(&ch->waiting, &r->wait);
	}
}

void bs_sheepdog_io_submit(struct bs_channel *bch, struct bs_req *req)
{
	struct sheep_channel *ch = bch->priv;

	if (req->op == BS_BLOCK_STATUS) {
		block_status(ch, req);
		return;
	}
	bs_sheepdog_conn_want_tick(ch->conn);
	if (req->op == BS_FLUSH) {
		flush(ch, req);
		return;
	}
	request_init(ch, req);
	if (list_empty(&ch->waiting))
		cut(ch, req);
	else
		list_add_tail(&ch->waiting, &of(req)->wait);
}

/* --- going on --- */

static void start_waiting(struct sheep_channel *ch)
{
	struct request *r;

	while (may_take(ch) &&
	       (r = list_pop(&ch->waiting, struct request, wait))) {
		if (req_of(r)->op == BS_FLUSH) {
			r->nr_pieces++;
			bs_sheepdog_piece_start(ch, req_of(r),
						SHEEP_PIECE_FLUSH, 0, 0, r->at);
		} else {
			cut(ch, req_of(r));
		}
	}
}

void bs_sheepdog_io_run(struct sheep_conn *c)
{
	struct sheep_channel *ch;

	do {
		bs_sheepdog_spot_run_kicked(c);
		c->pool->freed = false;
		list_for_each(ch, &c->channels, node)
			start_waiting(ch);
	} while (c->pool->freed || !list_empty(&c->pool->kicks));
	bs_sheepdog_conn_flush(c);
}

void bs_sheepdog_io_flush_batch(struct bs_group *g)
{
	struct sheep_group *s = g->priv;
	struct sheep_conn *c;

	list_for_each(c, &s->conns, node)
		bs_sheepdog_io_run(c);
}

/* --- the connection, and time --- */

static void go_on(struct sheep_channel *ch)
{
	if (ch->conn->state != SHEEP_CONN_UP)
		return;
	if (sheep_channel_is_stale(ch) && !atomic_load(&ch->d->dead))
		bs_sheepdog_reload_start(ch);
	else
		bs_sheepdog_piece_unpark(&ch->parked);
}

void bs_sheepdog_io_conn_up(struct sheep_conn *c)
{
	struct sheep_channel *ch;

	list_for_each(ch, &c->channels, node)
		go_on(ch);
}

/* Whether what was under way is done, only the map can tell.  A snapshot has always the
 * same. */
void bs_sheepdog_io_conn_lost(struct sheep_conn *c)
{
	struct sheep_channel *ch;

	list_for_each(ch, &c->channels, node)
		if (!ch->d->is_snapshot)
			ch->reload_needed =
				atomic_load(&ch->d->reloads_begun) + 1;
}

static void woken(struct sheep_note *n)
{
	struct sheep_channel *ch = container_of(n, struct sheep_channel, wake);

	bs_sheepdog_reload_go_on(ch);
	go_on(ch);
	bs_sheepdog_io_run(ch->conn);
}

/* False: the connection has to be dropped, then it can be done. */
static bool give_up(struct sheep_channel *ch, struct bs_req *req)
{
	struct sheep_pool *pool = ch->conn->pool;
	struct request *r = of(req);

	r->nr_pieces++;
	for (unsigned int i = 0; r->nr_pieces > 1 && i < SHEEP_PIECES; i++) {
		struct sheep_piece *p = &pool->pieces[i];

		if (p->ch != ch || p->req != req ||
		    bs_sheepdog_piece_give_up(p))
			continue;
		r->nr_pieces--;
		return false;
	}
	r->err = -ETIMEDOUT;
	release(ch, req);
	return true;
}

static void time_out(struct sheep_channel *ch, uint64_t now)
{
	bool any = false;

	while (!list_empty(&ch->reqs)) {
		struct request *r = list_first(&ch->reqs, struct request, node);

		if (r->until_ns > now)
			break;
		any = true;
		if (!give_up(ch, req_of(r)))
			bs_sheepdog_conn_drop(ch->conn, "it hangs",
					      SHEEP_ALIVE);
	}
	if (any)
		bs_log("sheepdog: VDI %s: requests were not done within %u s",
		       ch->d->spec.names.name,
		       (unsigned int)(ch->d->timeout_ns / NS_PER_SEC));
}

bool bs_sheepdog_io_tick(struct sheep_conn *c)
{
	const uint64_t now = clock_now_ns();
	struct sheep_channel *ch;
	bool again = false;

	list_for_each(ch, &c->channels, node) {
		bs_sheepdog_piece_unpark(&ch->delayed);
		go_on(ch);
		time_out(ch, now);
		again |= !list_empty(&ch->reqs) || ch->nr_pieces ||
			 (sheep_channel_is_stale(ch) &&
			  !atomic_load(&ch->d->dead));
	}
	return again;
}

/* --- channels --- */

/* Under the mutex: one that no other channel has. */
static uint16_t new_id(struct sheep_dev *d)
{
	const struct sheep_channel *ch;
	uint16_t id = 1;

again:
	list_for_each(ch, &d->channels, dev_node)
		if (ch->id == id) {
			id++;
			goto again;
		}
	return id;
}

/* A request survives several gateways that hang, one after the other. */
static uint64_t stall_ns(const struct sheep_dev *d)
{
	return MAX(d->timeout_ns / 5, NS_PER_SEC);
}

int bs_sheepdog_io_channel_open(struct bs_channel *bch)
{
	struct sheep_channel *ch = calloc(1, sizeof(*ch));
	struct sheep_dev *d = bch->dev->priv;

	if (!ch)
		return -ENOMEM;
	ch->ch = bch;
	ch->d = d;
	ch->conn = bs_sheepdog_conn_get(bch->group->priv, d->cluster);
	if (!ch->conn) {
		free(ch);
		return -ENOMEM;
	}
	ch->wake.run = woken;
	list_init(&ch->reqs);
	list_init(&ch->waiting);
	list_init(&ch->parked);
	list_init(&ch->delayed);
	list_add_tail(&ch->conn->channels, &ch->node);
	if (!ch->conn->stall_ns || stall_ns(d) < ch->conn->stall_ns)
		ch->conn->stall_ns = stall_ns(d);
	ch->conn->is_eager &= d->is_eager;
	pthread_mutex_lock(&d->mutex);
	ch->id = new_id(d);
	list_add_tail(&d->channels, &ch->dev_node);
	pthread_mutex_unlock(&d->mutex);
	bch->priv = ch;
	return 0;
}

void bs_sheepdog_io_channel_close(struct bs_channel *bch)
{
	struct sheep_channel *ch = bch->priv;
	struct sheep_dev *d = ch->d;

	assert(list_empty(&ch->reqs));
	bs_sheepdog_reload_leave(ch);
	bs_sheepdog_piece_forget_all(ch);
	pthread_mutex_lock(&d->mutex);
	list_del(&ch->dev_node);
	pthread_mutex_unlock(&d->mutex);
	/* Nobody posts another one now, and none may come when it is freed. */
	bs_sheepdog_note_run(&ch->conn->group->notes);
	list_del(&ch->node);
	bs_sheepdog_conn_put(ch->conn);
	free(ch);
}

/* --- the pool --- */

int bs_sheepdog_io_pool_new(struct sheep_conn *c)
{
	struct sheep_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	list_init(&pool->free);
	list_init(&pool->kicks);
	for (unsigned int i = 0; i < SHEEP_PIECES; i++) {
		struct sheep_piece *p = &pool->pieces[i];

		p->pool = pool;
		list_init(&p->x.node);
		list_init(&p->park);
		list_add_tail(&pool->free, &p->node);
	}
	pool->nr_free = SHEEP_PIECES;
	for (unsigned int i = 0; i < ARRAY_SIZE(pool->spots); i++) {
		struct sheep_spot *s = &pool->spots[i];

		list_init(&s->pieces);
		list_init(&s->kick);
		list_init(&s->claim_node);
		s->next = pool->free_spots;
		pool->free_spots = s;
	}
	c->pool = pool;
	return 0;
}

void bs_sheepdog_io_pool_free(struct sheep_conn *c)
{
	free(c->pool);
}
