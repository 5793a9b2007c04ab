/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/channel.c - from lu/ to a module and back, on one reactor.
 *
 * What a module completes, whenever it does so, goes to one list per reactor
 * and is delivered in the COMPLETE stage: a caller's done() never runs inside
 * submit(), and a module is never entered from within its own bs_complete().
 *
 * Requests that would only wait for each other are run one after another by one
 * worker, a batch at a time; what comes meanwhile is the next batch.  So a burst
 * costs one hand-over and one wake-up each way.
 *
 * Groups and channels are found through a list per reactor; a channel holds a
 * reference on its device, a group lives as long as it has channels.
 */
#include "bs/channel.h"

#include <errno.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/probe.h"
#include "bs/internal.h"

#define BATCH_BYTES	(256U << 10)	/* a batch's first answer waits for its last */

struct shard {			/* what bs/ keeps per reactor */
	struct reactor *reactor;
	struct list_head groups;
	struct list_head completed;	/* struct bs_io */
	struct reactor_hook deliver;
};

struct batch {			/* what a worker runs one after another */
	struct work work;
	struct list_head ios;		/* struct bs_io, by work.node */
	bool running;
};

struct group {
	struct bs_group g;		/* what the module sees */
	const struct bs_module *module;
	struct shard *shard;
	struct list_head node;		/* in shard->groups */
	struct list_head channels;
	struct reactor_hook flush;	/* armed by the first submit of a turn */
};

struct channel {
	struct bs_channel ch;		/* what the module sees */
	struct bs_device *device;	/* holds a reference */
	struct group *group;
	struct list_head node;		/* in group->channels */
	unsigned int refs, in_flight;
	struct list_head blocking;	/* work for the next hand-over */
	struct list_head ordered;	/* struct bs_io, by work.node: the next batches */
	struct batch batch;		/* one at a time */
	struct reactor_hook hand_over;
};

static __thread struct shard *shard;

static void deliver(struct reactor_hook *h);

static void shard_free(void)
{
	if (!list_empty(&shard->groups)) {
		/* Kept: completions may still be on their way here. */
		log_err("reactor %d: stores are still in use at its end",
			reactor_id(shard->reactor));
		return;
	}
	free(shard);
	shard = NULL;
}

static struct shard *shard_get(void)
{
	struct reactor *r = reactor_current();

	assert(r);
	if (likely(shard))
		return shard;
	shard = calloc(1, sizeof(*shard));
	if (!shard)
		return NULL;
	if (reactor_on_exit(r, shard_free)) {
		free(shard);
		shard = NULL;
		return NULL;
	}
	shard->reactor = r;
	list_init(&shard->groups);
	list_init(&shard->completed);
	reactor_hook_init(&shard->deliver, deliver);
	return shard;
}

/* --- groups --- */

struct reactor *bs_channel_reactor(struct bs_group *g)
{
	return container_of(g, struct group, g)->shard->reactor;
}

static void flush(struct reactor_hook *h)
{
	struct group *g = container_of(h, struct group, flush);

	g->module->flush_batch(&g->g);
}

static struct group *group_find(struct shard *s, const struct bs_module *m)
{
	struct group *g;

	list_for_each(g, &s->groups, node)
		if (g->module == m)
			return g;
	return NULL;
}

static int group_open(struct shard *s, const struct bs_module *m, struct group **ret)
{
	struct group *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return -ENOMEM;
	g->module = m;
	g->shard = s;
	list_init(&g->channels);
	reactor_hook_init(&g->flush, flush);
	err = m->group_open ? m->group_open(&g->g) : 0;
	if (err) {
		free(g);
		return err;
	}
	list_add(&s->groups, &g->node);
	*ret = g;
	return 0;
}

static void group_close_unused(struct group *g)
{
	if (!list_empty(&g->channels))
		return;
	reactor_hook_disarm(&g->flush);
	if (g->module->group_close)
		g->module->group_close(&g->g);
	list_del(&g->node);
	free(g);
}

/* --- channels --- */

static void batch_start(struct channel *c);

/* A turn's blocking requests go to the workers together. */
static void hand_over(struct reactor_hook *h)
{
	struct channel *c = container_of(h, struct channel, hand_over);

	if (!list_empty(&c->blocking))
		reactor_worker_submit_batch(c->device->source, &c->blocking);
	if (!list_empty(&c->ordered) && !c->batch.running)
		batch_start(c);
}

static struct channel *channel_find(struct group *g, const struct bs_device *d)
{
	struct channel *c;

	list_for_each(c, &g->channels, node)
		if (c->device == d)
			return c;
	return NULL;
}

static int channel_open(struct group *g, struct bs_device *d, struct channel **ret)
{
	struct channel *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->ch.dev = &d->dev;
	c->ch.group = &g->g;
	c->group = g;
	list_init(&c->blocking);
	list_init(&c->ordered);
	list_init(&c->batch.ios);
	reactor_hook_init(&c->hand_over, hand_over);
	err = g->module->channel_open ? g->module->channel_open(&c->ch) : 0;
	if (err) {
		free(c);
		return err;
	}
	c->device = bs_device_get(d);
	list_add(&g->channels, &c->node);
	*ret = c;
	return 0;
}

int bs_channel_get(struct bs_device *dev, struct bs_channel **ret_ch)
{
	struct shard *s = shard_get();
	struct channel *c = NULL;
	struct group *g;
	int err = 0;

	if (!s)
		return -ENOMEM;
	g = group_find(s, dev->module);
	if (g)
		c = channel_find(g, dev);
	else
		err = group_open(s, dev->module, &g);
	if (err)
		return err;
	if (!c)
		err = channel_open(g, dev, &c);
	if (err) {
		group_close_unused(g);
		return err;
	}
	c->refs++;
	*ret_ch = &c->ch;
	return 0;
}

static void channel_close_unused(struct channel *c)
{
	struct group *g = c->group;
	struct bs_device *d = c->device;

	if (c->refs || c->in_flight)
		return;
	reactor_hook_disarm(&c->hand_over);
	if (g->module->channel_close)
		g->module->channel_close(&c->ch);
	list_del(&c->node);
	free(c);
	group_close_unused(g);
	/* Last: when the store is closed, its module may be unloaded. */
	bs_device_put(d);
}

void bs_channel_put(struct bs_channel *ch)
{
	struct channel *c = container_of(ch, struct channel, ch);

	assert(c->refs > 0);
	c->refs--;
	channel_close_unused(c);
}

/* --- requests --- */

void bs_channel_submit(struct bs_channel *ch, struct bs_io *io)
{
	struct channel *c = container_of(ch, struct channel, ch);
	struct group *g = c->group;

	io->ch = ch;
	io->req.result = 0;
	c->in_flight++;
	if (g->module->flags & BS_MODULE_REMOTE)
		reactor_away(g->shard->reactor, 1);
	if (g->module->flush_batch)
		reactor_hook_arm(g->shard->reactor, &g->flush, REACTOR_SUBMIT);
	PROBE(bs, submit, io, io->req.op, io->req.off_bytes, io->req.len_bytes);
	g->module->submit(ch, &io->req);
}

const void *bs_channel_lend(struct bs_channel *ch, uint64_t off_bytes, uint64_t len_bytes,
			    void **ret_loan)
{
	const struct bs_module *m = container_of(ch, struct channel, ch)->group->module;

	return m->lend ? m->lend(ch, off_bytes, len_bytes, ret_loan) : NULL;
}

void bs_channel_lend_end(struct bs_channel *ch, void *loan, bool faulted)
{
	container_of(ch, struct channel, ch)->group->module->lend_end(ch, loan, faulted);
}

static void deliver(struct reactor_hook *h)
{
	struct shard *s = container_of(h, struct shard, deliver);
	struct list_head batch;
	struct bs_io *io;

	list_init(&batch);
	list_splice_tail(&batch, &s->completed);
	while ((io = list_pop(&batch, struct bs_io, node))) {
		struct channel *c = container_of(io->ch, struct channel, ch);

		PROBE(bs, complete, io, io->err);
		io->done(io, io->err);
		/* Only now, so that a put in done() does not free it. */
		c->in_flight--;
		channel_close_unused(c);
	}
}

static void completed(struct bs_io *io)
{
	const struct channel *c = container_of(io->ch, struct channel, ch);
	struct shard *s = c->group->shard;

	if (c->group->module->flags & BS_MODULE_REMOTE)
		reactor_away(s->reactor, -1);
	list_add_tail(&s->completed, &io->node);
	reactor_hook_arm(s->reactor, &s->deliver, REACTOR_COMPLETE);
}

void bs_complete(struct bs_channel *ch, struct bs_req *req, int err)
{
	struct bs_io *io = container_of(req, struct bs_io, req);

	assert(io->ch == ch);
	(void)ch;
	io->err = err;
	completed(io);
}

static void complete_mailed(struct mail *m)
{
	struct work *w = container_of(m, struct work, mail);

	completed(container_of(w, struct bs_io, work));
}

/* A burst of mail costs one wake-up. */
void bs_complete_from(struct bs_channel *ch, struct bs_req *req, int err)
{
	struct bs_io *io = container_of(req, struct bs_io, req);
	const struct channel *c = container_of(ch, struct channel, ch);

	io->err = err;
	reactor_mailbox_send(c->group->shard->reactor, &io->work.mail, complete_mailed);
}

/* --- blocking calls --- */

static void blocking_run(struct work *w)
{
	struct bs_io *io = container_of(w, struct bs_io, work);

	io->err = io->run(io->ch->dev, &io->req);
}

static void blocking_done(struct work *w)
{
	completed(container_of(w, struct bs_io, work));
}

void bs_run_blocking(struct bs_channel *ch, struct bs_req *req,
		     int (*run)(struct bs_dev *dev, struct bs_req *req))
{
	struct bs_io *io = container_of(req, struct bs_io, req);
	struct channel *c = container_of(ch, struct channel, ch);

	io->run = run;
	io->work.run = blocking_run;
	io->work.done = blocking_done;
	list_add_tail(&c->blocking, &io->work.node);
	reactor_hook_arm(c->group->shard->reactor, &c->hand_over, REACTOR_SUBMIT);
}

/* --- blocking calls, one after another --- */

static void batch_run(struct work *w)
{
	struct batch *b = container_of(w, struct batch, work);
	struct bs_io *io;

	list_for_each(io, &b->ios, work.node)
		io->err = io->run(io->ch->dev, &io->req);
}

static void batch_done(struct work *w)
{
	struct batch *b = container_of(w, struct batch, work);
	struct channel *c = container_of(b, struct channel, batch);
	struct bs_io *io;

	b->running = false;
	while ((io = list_pop(&b->ios, struct bs_io, work.node)))
		completed(io);
	if (!list_empty(&c->ordered))
		reactor_hook_arm(c->group->shard->reactor, &c->hand_over, REACTOR_SUBMIT);
}

static void batch_start(struct channel *c)
{
	struct batch *b = &c->batch;
	uint64_t bytes = 0;

	while (!list_empty(&c->ordered) && bytes < BATCH_BYTES) {
		struct bs_io *io = list_pop(&c->ordered, struct bs_io, work.node);

		bytes += io->req.len_bytes;
		list_add_tail(&b->ios, &io->work.node);
	}
	b->running = true;
	b->work.run = batch_run;
	b->work.done = batch_done;
	reactor_worker_submit(c->device->source, &b->work);
}

void bs_run_in_order(struct bs_channel *ch, struct bs_req *req,
		     int (*run)(struct bs_dev *dev, struct bs_req *req))
{
	struct bs_io *io = container_of(req, struct bs_io, req);
	struct channel *c = container_of(ch, struct channel, ch);

	io->run = run;
	list_add_tail(&c->ordered, &io->work.node);
	reactor_hook_arm(c->group->shard->reactor, &c->hand_over, REACTOR_SUBMIT);
}
