/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_aio_queue.c - from requests to io_submit() and back.
 *
 * A request is in one of three places: waiting in its channel, queued for the
 * next io_submit(), or with the kernel.  The last two together are bounded by the
 * size of the context.  A channel may have a quarter of what is free there, so a
 * device that hangs, or several, never take all of it from the others.
 *
 * req->priv: [0] what is done (bs_file_io.c), [1] the channel, [2] the next one
 * that waits, [3] and on: the iocb.
 */
#include "bs_aio.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/list.h"
#include "base/macros.h"

#define QUEUE_MAX	1024U	/* of the context; fs.aio-max-nr is 65,536 */
#define QUEUE_MIN	32U
#define EVENTS_MAX	64
#define RETRY_MS	2

#define PRIV_CHANNEL	1
#define PRIV_NEXT	2
#define PRIV_IOCB	3
static_assert(sizeof(struct iocb) <= (BS_REQ_PRIV - PRIV_IOCB) * sizeof(void *),
	      "the iocb lives in the request");

struct aio_group {
	struct bs_group *g;
	io_context_t ctx;
	unsigned int size;		/* of the context */
	int event_fd;
	struct bs_watch *watch;
	struct bs_timer *retry;		/* the kernel had no memory, nothing is under way */
	unsigned int nr_queued, nr_kernel;
	struct list_head waiting;	/* struct aio_channel */
	struct iocb *queue[QUEUE_MAX];	/* nr_queued */
};

struct aio_channel {
	struct list_head node;		/* in aio_group.waiting while first is set */
	struct bs_req *first, *last;	/* that wait */
	unsigned int nr;		/* queued or with the kernel */
};

static struct bs_req *req_of(struct iocb *cb)
{
	return container_of((void **)cb, struct bs_req, priv[PRIV_IOCB]);
}

/* --- queueing --- */

static bool may_queue(const struct aio_group *a, const struct aio_channel *c)
{
	const unsigned int used = a->nr_queued + a->nr_kernel;

	return used < a->size && c->nr < MAX((a->size - used) / 4, 1U);
}

static void enqueue(struct aio_group *a, struct bs_channel *ch, struct bs_req *req)
{
	const struct bs_file *f = ch->dev->priv;
	struct aio_channel *c = ch->priv;
	struct iocb *cb = (struct iocb *)&req->priv[PRIV_IOCB];

	if (req->op == BS_WRITE)
		io_prep_pwritev2(cb, f->fd, req->iov, req->iovcnt, (long long)req->off_bytes,
				 RWF_NOWAIT | bs_file_write_flags(f, req));
	else
		io_prep_preadv2(cb, f->fd, req->iov, req->iovcnt, (long long)req->off_bytes,
				RWF_NOWAIT);
	io_set_eventfd(cb, a->event_fd);
	a->queue[a->nr_queued++] = cb;
	c->nr++;
}

void bs_aio_queue_add(struct bs_channel *ch, struct bs_req *req)
{
	struct aio_group *a = ch->group->priv;
	struct aio_channel *c = ch->priv;

	bs_file_start(req);
	req->priv[PRIV_CHANNEL] = ch;
	req->priv[PRIV_NEXT] = NULL;
	if (!c->first && may_queue(a, c)) {
		enqueue(a, ch, req);
		return;
	}
	if (c->first)
		c->last->priv[PRIV_NEXT] = req;
	else
		c->first = req;
	c->last = req;
	if (!list_is_linked(&c->node))
		list_add_tail(&a->waiting, &c->node);
}

/* One of each channel at a time, while they may. */
static void queue_waiting(struct aio_group *a)
{
	struct aio_channel *c, *tmp;
	bool any = true;

	while (any) {
		any = false;
		list_for_each_safe(c, tmp, &a->waiting, node) {
			struct bs_req *req = c->first;

			if (!req || !may_queue(a, c))
				continue;
			any = true;
			c->first = req->priv[PRIV_NEXT];
			if (!c->first)
				list_del(&c->node);
			enqueue(a, req->priv[PRIV_CHANNEL], req);
		}
	}
}

/* --- to the kernel --- */

static void retry(void *ctx)
{
	struct aio_group *a = ctx;

	bs_timer_free(a->retry);
	a->retry = NULL;
	bs_aio_queue_flush(a->g);
}

/* The kernel does not take the first of the queue: a worker can, or says why. */
static void refused(struct iocb *cb, int err)
{
	struct bs_req *req = req_of(cb);
	struct bs_channel *ch = req->priv[PRIV_CHANNEL];
	struct bs_file *f = ch->dev->priv;

	if (err == -EOPNOTSUPP && !bs_file_write_flags(f, req))
		atomic_store(&f->no_nowait_direct, true);
	((struct aio_channel *)ch->priv)->nr--;
	bs_file_rest(ch, req);
}

static void submit(struct aio_group *a)
{
	unsigned int at = 0;

	while (at < a->nr_queued) {
		const int n = io_submit(a->ctx, a->nr_queued - at, a->queue + at);

		if (n > 0) {
			at += (unsigned int)n;
			a->nr_kernel += (unsigned int)n;
		} else if (n == 0 || n == -EAGAIN) {
			break;
		} else if (n != -EINTR) {
			refused(a->queue[at++], n);
		}
	}
	a->nr_queued -= at;
	for (unsigned int i = 0; at && i < a->nr_queued; i++)
		a->queue[i] = a->queue[at + i];
	/* What is left goes when something comes back. */
	if (a->nr_queued && !a->nr_kernel && !a->retry)
		a->retry = bs_timer_new(a->g, RETRY_MS, retry, a);
	if (a->nr_queued && !a->nr_kernel && !a->retry)
		while (a->nr_queued)
			refused(a->queue[--a->nr_queued], -EAGAIN);
}

/* Where all were refused (a file system without RWF_NOWAIT), nothing comes back for
 * those that wait to be queued. */
void bs_aio_queue_flush(struct bs_group *g)
{
	struct aio_group *a = g->priv;

	submit(a);
	while (!a->nr_queued && !a->nr_kernel && !list_empty(&a->waiting)) {
		queue_waiting(a);
		submit(a);
	}
}

/* --- from the kernel --- */

static void finish(struct iocb *cb, long res)
{
	struct bs_req *req = req_of(cb);
	struct bs_channel *ch = req->priv[PRIV_CHANNEL];

	((struct aio_channel *)ch->priv)->nr--;
	if (res > 0)
		bs_file_advance(req, (uint64_t)res);
	if (bs_file_is_done(req))
		bs_complete(ch, req, 0);
	else if (res == -EAGAIN || res == -EOPNOTSUPP || res == -EINTR || res >= 0)
		bs_file_rest(ch, req);
	else
		bs_complete(ch, req, bs_file_error((int)-res));
}

static void ready(void *ctx)
{
	struct aio_group *a = ctx;
	struct io_event events[EVENTS_MAX];
	struct timespec none = { 0 };
	uint64_t count;
	int n;

	/* Before reaping: what ends afterwards counts again. */
	if (read(a->event_fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	do {
		n = io_getevents(a->ctx, 0, EVENTS_MAX, events, &none);
		for (int i = 0; i < n; i++)
			finish(events[i].obj, (long)events[i].res);
		a->nr_kernel -= (unsigned int)MAX(n, 0);
	} while (n == EVENTS_MAX || n == -EINTR);
	queue_waiting(a);
	bs_aio_queue_flush(a->g);
}

/* --- groups and channels --- */

/* As large as fs.aio-max-nr leaves it. */
static int setup(struct aio_group *a)
{
	int err = -EAGAIN;

	for (a->size = QUEUE_MAX; err == -EAGAIN && a->size >= QUEUE_MIN; a->size /= 2)
		err = io_setup((int)a->size, &a->ctx);
	a->size *= 2;
	return err;
}

int bs_aio_group_open(struct bs_group *g)
{
	struct aio_group *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->g = g;
	list_init(&a->waiting);
	a->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = a->event_fd == -1 ? -errno : setup(a);
	if (!err) {
		a->watch = bs_watch_new(g, a->event_fd, ready, a);
		err = a->watch ? 0 : -ENOMEM;
	}
	g->priv = a;
	if (err)
		bs_aio_group_close(g);
	return err;
}

void bs_aio_group_close(struct bs_group *g)
{
	struct aio_group *a = g->priv;

	bs_timer_free(a->retry);
	bs_watch_free(a->watch);
	if (a->ctx)
		io_destroy(a->ctx);
	if (a->event_fd != -1)
		close(a->event_fd);
	free(a);
}

int bs_aio_channel_open(struct bs_channel *ch)
{
	struct aio_channel *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	list_init(&c->node);
	ch->priv = c;
	return 0;
}

void bs_aio_channel_close(struct bs_channel *ch)
{
	free(ch->priv);
}
