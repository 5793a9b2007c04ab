/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_uring_ring.c - from requests to the ring and back.
 *
 * A reactor has one ring for all devices (one of each kind that is in use).
 * Requests of a turn become entries of the submission queue; the end of the turn
 * enters the kernel once, and reaps at once what was done on the spot.  What ends
 * later is told by an eventfd (the ring's own fd does not become readable by work
 * that IORING_SETUP_DEFER_TASKRUN leaves for us to run).
 *
 * Bounds: a channel has CHANNEL_DEPTH requests in the ring, more wait in a list,
 * so that one device does not fill its queue from one reactor (then RWF_NOWAIT
 * would send all the rest to the workers).  The ring itself has none: the kernel
 * takes entries over when they are submitted and keeps completions that do not
 * fit.  So a device that hangs takes nothing from others.
 *
 * Files are registered while there are slots; the other ones work as well.
 * Buffers are not: to register them pins the whole arena of the reactor, also what
 * it would give back to the system; see doc/bs-module.md for what it would bring.
 *
 * req->priv: [0] what is done (bs_file_io.c), [1] the channel, [2] the next one
 * that waits.
 */
#include "bs_uring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/macros.h"

#define ENTRIES		256U	/* of the submission queue */
#define CHANNEL_DEPTH	128U
#define SLOTS		1024U	/* for registered files */
#define REAP_MAX	64U
#define DIRECT_BATCH	4U
#define RETRY_MS	2

#define PRIV_CHANNEL	1
#define PRIV_NEXT	2

struct uring_ring {
	struct io_uring ring;
	struct uring_group *group;
	unsigned int users;		/* channels */
	int event_fd;
	struct bs_watch *watch;
	struct bs_timer *retry;		/* the kernel did not take what is queued */
	unsigned int nr_slots;		/* 0: files cannot be registered */
	bool slot_used[SLOTS];
};

struct uring_group {
	struct bs_group *g;
	struct uring_ring *rings[URING_NR_KINDS];	/* NULL: not in use */
};

struct uring_channel {
	struct uring_ring *ring;
	int slot;			/* -1: not registered */
	unsigned int in_ring;
	struct bs_req *first, *last;	/* that wait */
};

/* --- submitting --- */

static void prepare(struct io_uring_sqe *sqe, struct bs_channel *ch, struct bs_req *req)
{
	const struct bs_file *f = ch->dev->priv;
	const struct uring_channel *c = ch->priv;
	const bool fixed = c->slot != -1;
	const int fd = fixed ? c->slot : f->fd;

	if (req->op == BS_WRITE)
		io_uring_prep_writev(sqe, fd, req->iov, (unsigned int)req->iovcnt,
				     req->off_bytes);
	else if (req->iovcnt == 1)
		io_uring_prep_read(sqe, fd, req->iov->iov_base,
				   (unsigned int)req->iov->iov_len, req->off_bytes);
	else
		io_uring_prep_readv(sqe, fd, req->iov, (unsigned int)req->iovcnt,
				    req->off_bytes);
	if (req->op == BS_WRITE)
		sqe->rw_flags = bs_file_write_flags(f, req);
	if (f->direct)
		sqe->rw_flags |= RWF_NOWAIT;
	if (fixed)
		sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, req);
}

static void enter(struct bs_channel *ch, struct bs_req *req)
{
	struct uring_channel *c = ch->priv;
	struct io_uring *ring = &c->ring->ring;
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe) {		/* a busy turn: make room */
		io_uring_submit(ring);
		sqe = io_uring_get_sqe(ring);
	}
	if (!sqe) {		/* the kernel has no memory for more */
		bs_file_rest(ch, req);
		return;
	}
	prepare(sqe, ch, req);
	c->in_ring++;
	/* A disk need not wait for the end of the turn. */
	if (((const struct bs_file *)ch->dev->priv)->direct &&
	    io_uring_sq_ready(ring) >= DIRECT_BATCH)
		io_uring_submit(ring);
}

void bs_uring_ring_add(struct bs_channel *ch, struct bs_req *req)
{
	struct uring_channel *c = ch->priv;

	bs_file_start(req);
	req->priv[PRIV_CHANNEL] = ch;
	req->priv[PRIV_NEXT] = NULL;
	if (c->in_ring < CHANNEL_DEPTH) {
		enter(ch, req);
		return;
	}
	if (c->first)
		c->last->priv[PRIV_NEXT] = req;
	else
		c->first = req;
	c->last = req;
}

static void enter_waiting(struct bs_channel *ch)
{
	struct uring_channel *c = ch->priv;

	while (c->first && c->in_ring < CHANNEL_DEPTH) {
		struct bs_req *req = c->first;

		c->first = req->priv[PRIV_NEXT];
		enter(ch, req);
	}
}

/* --- reaping --- */

/* What the ring could not do, or not all of it, a worker can, or says why not. */
static void finish(struct bs_req *req, int res)
{
	struct bs_channel *ch = req->priv[PRIV_CHANNEL];
	struct bs_file *f = ch->dev->priv;
	struct uring_channel *c = ch->priv;

	c->in_ring--;
	if (res > 0)
		bs_file_advance(req, (uint64_t)res);
	if (res == -EOPNOTSUPP && f->direct && !bs_file_write_flags(f, req))
		atomic_store(&f->no_nowait_direct, true);
	if (bs_file_is_done(req))
		bs_complete(ch, req, 0);
	else if (res >= 0 || res == -EAGAIN || res == -EOPNOTSUPP || res == -EINTR ||
		 res == -ECANCELED)
		bs_file_rest(ch, req);
	else
		bs_complete(ch, req, bs_file_error(-res));
	enter_waiting(ch);
}

static void reap(struct uring_ring *r)
{
	struct io_uring_cqe *cqes[REAP_MAX];
	unsigned int n;

	do {
		n = io_uring_peek_batch_cqe(&r->ring, cqes, REAP_MAX);
		for (unsigned int i = 0; i < n; i++)
			finish(io_uring_cqe_get_data(cqes[i]), cqes[i]->res);
		io_uring_cq_advance(&r->ring, n);
	} while (n == REAP_MAX);
}

static void retry(void *ctx);

/* Everything that is queued, and what of it is done on the spot. */
static void submit(struct uring_ring *r)
{
	/* The thread takes its time, and reaping can wait until the fd tells. */
	if (r->ring.flags & IORING_SETUP_SQPOLL) {
		if (io_uring_sq_ready(&r->ring))
			io_uring_submit(&r->ring);
		return;
	}
	/* Reaping lets waiting requests in; each round has completed some. */
	while (io_uring_sq_ready(&r->ring)) {
		const int n = io_uring_submit_and_get_events(&r->ring);

		reap(r);
		if (n > 0 || n == -EINTR)
			continue;
		if (!r->retry)
			r->retry = bs_timer_new(r->group->g, RETRY_MS, retry, r);
		break;
	}
}

/* The kernel was out of memory for requests. */
static void retry(void *ctx)
{
	struct uring_ring *r = ctx;

	bs_timer_free(r->retry);
	r->retry = NULL;
	submit(r);
}

static void ready(void *ctx)
{
	struct uring_ring *r = ctx;
	uint64_t count;

	/* Before reaping: what ends afterwards counts again. */
	if (read(r->event_fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	if (r->ring.flags & IORING_SETUP_DEFER_TASKRUN)
		io_uring_get_events(&r->ring);
	reap(r);
	submit(r);
}

void bs_uring_ring_flush(struct bs_group *g)
{
	struct uring_group *u = g->priv;

	for (int k = 0; k < URING_NR_KINDS; k++)
		if (u->rings[k])
			submit(u->rings[k]);
}

/* --- rings --- */

static void ring_close(struct uring_ring *r)
{
	bs_timer_free(r->retry);
	bs_watch_free(r->watch);
	io_uring_queue_exit(&r->ring);
	if (r->event_fd != -1)
		close(r->event_fd);
	free(r);
}

static int watch(struct uring_ring *r)
{
	int err;

	r->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->event_fd == -1)
		return -errno;
	err = io_uring_register_eventfd(&r->ring, r->event_fd);
	if (err)
		return err;
	r->watch = bs_watch_new(r->group->g, r->event_fd, ready, r);
	return r->watch ? 0 : -ENOMEM;
}

static int ring_open(struct uring_group *u, enum uring_kind kind)
{
	struct uring_ring *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->group = u;
	err = bs_uring_setup(&r->ring, ENTRIES, kind, bs_log);
	if (err) {
		free(r);
		return err;
	}
	err = watch(r);
	if (err) {
		ring_close(r);
		return err;
	}
	if (!io_uring_register_files_sparse(&r->ring, SLOTS))
		r->nr_slots = SLOTS;
	u->rings[kind] = r;
	return 0;
}

int bs_uring_group_open(struct bs_group *g)
{
	struct uring_group *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->g = g;
	g->priv = u;
	return 0;
}

void bs_uring_group_close(struct bs_group *g)
{
	free(g->priv);		/* its rings went with their last channels */
}

/* --- channels --- */

static int slot_take(struct uring_ring *r, int fd)
{
	for (unsigned int i = 0; i < r->nr_slots; i++) {
		if (r->slot_used[i])
			continue;
		if (io_uring_register_files_update(&r->ring, i, &fd, 1) != 1)
			return -1;
		r->slot_used[i] = true;
		return (int)i;
	}
	return -1;
}

static void slot_put(struct uring_ring *r, int slot)
{
	int none = -1;

	if (slot == -1)
		return;
	/* The store may be closed now: let go of its file. */
	if (io_uring_register_files_update(&r->ring, (unsigned int)slot, &none, 1) == 1)
		r->slot_used[slot] = false;
}

int bs_uring_channel_open(struct bs_channel *ch)
{
	struct uring_group *u = ch->group->priv;
	const struct uring_dev *d = ch->dev->priv;
	struct uring_channel *c = calloc(1, sizeof(*c));
	int err = 0;

	if (!c)
		return -ENOMEM;
	if (!u->rings[d->kind])
		err = ring_open(u, d->kind);
	if (err) {
		free(c);
		return err;
	}
	c->ring = u->rings[d->kind];
	c->ring->users++;
	c->slot = slot_take(c->ring, d->f.fd);
	ch->priv = c;
	return 0;
}

void bs_uring_channel_close(struct bs_channel *ch)
{
	struct uring_group *u = ch->group->priv;
	const struct uring_dev *d = ch->dev->priv;
	struct uring_channel *c = ch->priv;
	struct uring_ring *r = c->ring;

	slot_put(r, c->slot);
	free(c);
	if (--r->users)
		return;
	u->rings[d->kind] = NULL;
	ring_close(r);
}
