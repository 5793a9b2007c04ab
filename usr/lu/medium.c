/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/medium.c - see medium.h.
 *
 *	open the store -> a channel per reactor -> | swap: publish the store -> each
 *	reactor shows its channel -> publish the geometry -> flush and close the old
 *
 * What can fail comes before the swap.  The visits to the reactors use mail that is
 * part of the medium, so that they cannot fail either.
 *
 * The geometry comes last: as long as a reactor has a channel to the old store, its
 * size is what requests are checked against.
 */
#include "lu/medium.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/rcu.h"
#include "lu/internal.h"
#include "lu/journal.h"
#include "reactor/group.h"

struct slot {				/* its reactor only; the last is control's */
	struct mail mail;
	struct lu_medium *m;
	struct lu_channel *ch;
};

struct lu_medium {
	struct lu *lu;			/* holds a reference until changed() */
	struct bs_device *dev;		/* a reference, the LU's after the swap; or NULL */
	struct lu_geometry g;
	struct lu_geometry *new_g;	/* not published yet */
	char *path;
	uint32_t flags;
	void (*opened)(void *arg, struct lu_medium *m, int err, const char *why);
	const struct lu_medium_ops *ops;
	void (*over)(void *arg);
	void *arg;
	int open_err;			/* opened() is told when all is closed again */
	char why[512];

	/* What is taken out. */
	struct bs_device *old;		/* NULL: there was none */
	struct lu_channel *old_ch;	/* control's, to flush it; NULL: idem */
	struct lu_io flush;
	int flush_err;
	struct rcu_head rcu;
	struct mail mail;

	/* A visit to all reactors. */
	void (*here)(struct slot *s);
	void (*then)(struct lu_medium *m);
	atomic_uint pending;
	atomic_int err;

	unsigned int nr_slots;
	struct slot slots[];
};

static void medium_free(struct lu_medium *m)
{
	if (!m)
		return;
	lu_geometry_free(m->new_g);
	free(m->path);
	free(m);
}
DEFINE_CLEANUP(struct lu_medium *, medium_free)

/* --- visits --- */

static void visited(struct mail *mail)
{
	struct lu_medium *m = container_of(mail, struct lu_medium, mail);

	m->here(&m->slots[m->nr_slots - 1]);	/* control's own */
	m->then(m);
}

static void put_visit(struct lu_medium *m)
{
	if (atomic_fetch_sub(&m->pending, 1) == 1)
		reactor_mailbox_send(reactor_group_control(), &m->mail, visited);
}

static void visit_here(struct mail *mail)
{
	struct slot *s = container_of(mail, struct slot, mail);

	s->m->here(s);
	put_visit(s->m);
}

static void visit(struct lu_medium *m, void (*here)(struct slot *s),
		  void (*then)(struct lu_medium *m))
{
	m->here = here;
	m->then = then;
	atomic_store(&m->pending, m->nr_slots);
	for (unsigned int i = 0; i + 1 < m->nr_slots; i++)
		reactor_mailbox_send(reactor_group_get(i), &m->slots[i].mail, visit_here);
	put_visit(m);
}

/* --- giving up --- */

static void drop_here(struct slot *s)
{
	if (s->ch)
		lu_channel_put(s->ch);
}

static void drop_over(void *arg)
{
	struct lu_medium *m = arg;

	if (m->open_err)
		m->opened(m->arg, NULL, m->open_err, m->why);
	else
		m->over(m->arg);
	medium_free(m);
}

static void dropped(struct lu_medium *m)
{
	if (m->old_ch)
		lu_channel_put(m->old_ch);
	m->lu->changing = false;
	lu_put(m->lu);
	if (!m->dev) {
		drop_over(m);
		return;
	}
	bs_device_on_closed(m->dev, drop_over, m);
	bs_device_put(m->dev);
}

void lu_medium_drop(struct lu_medium *m, void (*over)(void *arg), void *arg)
{
	m->over = over;
	m->arg = arg;
	visit(m, drop_here, dropped);
}

/* --- opening --- */

static void prepare_here(struct slot *s)
{
	const int err = lu_channel_open(s->m->lu, s->m->dev, &s->ch);

	if (err)
		atomic_store(&s->m->err, err);
}

static void fail(struct lu_medium *m, int err, const char *why)
{
	m->open_err = err;
	snprintf(m->why, sizeof(m->why), "%s", why ?: "unknown error");
	visit(m, drop_here, dropped);
}

static void prepared(struct lu_medium *m)
{
	int err = atomic_load(&m->err);

	m->new_g = lu_geometry_new(&m->g);
	if (!m->new_g)
		err = -ENOMEM;
	if (!err && m->lu->dev)
		err = lu_channel_get(m->lu, &m->old_ch);
	if (err)
		fail(m, err, strerrordesc_np(-err));
	else
		m->opened(m->arg, m, 0, NULL);
}

/* What another logical unit had begun to write there, before a crash. */
static void finished(void *arg, struct lu_journal *none, int err, const char *why)
{
	struct lu_medium *m = arg;

	(void)none;
	if (err)
		fail(m, err, why);
	else
		visit(m, prepare_here, prepared);
}

static void opened(void *arg, struct bs_device *dev, int err, const char *why)
{
	struct lu_medium *m = arg;
	const struct bs_open_spec spec = { .bstype = m->lu->bstype, .path = m->path };
	char text[512] = "";

	if (err) {
		fail(m, err, why);
		return;
	}
	m->dev = dev;
	err = lu_fit(m->lu, dev, lu_geometry(m->lu)->block_bytes, &m->g, text, sizeof(text));
	if (!err)
		err = lu_journal_open(dev, &spec, 0, finished, m);
	if (err)
		fail(m, err, *text ? text : strerrordesc_np(-err));
}

static struct lu_medium *medium_new(struct lu *lu, const char *path)
{
	const unsigned int n = reactor_group_size() + 1;
	_cleanup_(medium_freep) struct lu_medium *m =
		calloc(1, sizeof(*m) + n * sizeof(m->slots[0]));

	if (!m)
		return NULL;
	m->path = strdup(path);
	if (!m->path)
		return NULL;
	m->lu = lu;
	m->nr_slots = n;
	for (unsigned int i = 0; i < n; i++)
		m->slots[i].m = m;
	return TAKE_PTR(m);
}

static int open_store(struct lu_medium *m, char *why_buf, size_t why_bytes)
{
	const struct lu *lu = m->lu;
	const struct bs_open_spec spec = {
		.bstype = lu->bstype,
		.path = m->path,
		.bsopts = lu->bsopts,
		.flags = m->flags,
		.block_bytes = lu_geometry(lu)->block_bytes,
	};

	return bs_open(&spec, why_buf, why_bytes, opened, m);
}

int lu_medium_open(struct lu *lu, const char *path, uint32_t flags, char *why_buf,
		   size_t why_bytes,
		   void (*done)(void *arg, struct lu_medium *m, int err, const char *why),
		   void *arg)
{
	_cleanup_(medium_freep) struct lu_medium *m = NULL;
	int err = 0;

	if (lu->changing) {
		snprintf(why_buf, why_bytes, "another change of the medium is under way");
		return -EBUSY;
	}
	if (lu->journal) {
		snprintf(why_buf, why_bytes,
			 "its atomic writes are of this medium: remove the LUN and add it anew");
		return -EINVAL;
	}
	m = medium_new(lu, path);
	if (!m)
		return -ENOMEM;
	m->flags = flags;
	m->opened = done;
	m->arg = arg;
	if (*path)
		err = open_store(m, why_buf, why_bytes);
	else
		err = lu_geometry_init(&m->g, 0, lu_geometry(lu)->block_bytes, 0);
	if (err)
		return err;
	lu->changing = true;
	lu_get(lu);
	if (!*path)
		visit(m, prepare_here, prepared);
	m = NULL;		/* with opened(), or prepared(), now */
	return 0;
}

/* --- the old store --- */

static void old_closed(void *arg)
{
	struct lu_medium *m = arg;

	m->ops->closed(m->arg, m->flush_err);
	medium_free(m);
}

static void old_free_rcu(struct rcu_head *head)
{
	bs_device_put(container_of(head, struct lu_medium, rcu)->old);
}

static void flushed(struct lu_io *io, int err)
{
	struct lu_medium *m = container_of(io, struct lu_medium, flush);

	m->flush_err = err;
	lu_channel_put(m->old_ch);
	call_rcu(&m->rcu, old_free_rcu);
}

/* Nobody else can any more: initiators reach the new one. */
static void flush_old(struct lu_medium *m)
{
	bs_device_on_closed(m->old, old_closed, m);
	bs_device_on_resized(m->old, NULL, NULL);
	m->flush.op = LU_FLUSH;
	m->flush.done = flushed;
	lu_io_submit(m->old_ch, &m->flush);
}

/* --- swapping --- */

static void show_here(struct slot *s)
{
	struct lu_medium *m = s->m;

	lu_channel_show(s->ch);
	m->ops->move(m->arg);
	lu_channel_put(s->ch);
}

static void publish(struct lu_medium *m)
{
	struct lu *lu = m->lu;
	char *path = m->path;

	lu_geometry_publish(lu, TAKE_PTR(m->new_g));
	lu_attach(lu, m->dev);
	m->path = lu->path;
	lu->path = path;
	lu->open_flags = m->flags;
	lu->limit_bytes = 0;
	lu_watch_revoke(lu);		/* what was promised of its data ends */
}

static void shown(struct lu_medium *m)
{
	struct lu *lu = m->lu;

	publish(m);
	lu->changing = false;
	m->ops->changed(m->arg);
	if (m->old)
		flush_old(m);
	else
		old_closed(m);
	lu_put(lu);
}

void lu_medium_swap(struct lu_medium *m, const struct lu_medium_ops *ops, void *arg)
{
	m->ops = ops;
	m->arg = arg;
	m->old = m->lu->dev;
	rcu_assign_pointer(m->lu->dev, m->dev);
	visit(m, show_here, shown);
}

bool lu_medium_is_there(const struct lu_medium *m)
{
	return m->dev != NULL;
}
