/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_image.c - an image from opening to closing.
 *
 * Either may wait for OSDs, which librados does without a bound here (see
 * bs_rbd_cluster.c).  So both are done on threads of their own: opening is given up
 * after a while, and closing is left to itself.
 */
#include "bs_rbd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what librbd says, in words --- */

/* ENOENT may mean the image or its snapshot. */
static int not_found(const struct bs_rbd_image *i, const struct bs_rbd_spec *s,
		     struct bs_rbd_why *why)
{
	const char *slash = *s->ns ? "/" : "";
	rbd_image_t image;

	if (s->snap && !rbd_open_read_only(i->io, s->image, &image, NULL)) {
		rbd_close(image);
		return bs_rbd_why_set(why, -ENOENT, "no such snapshot '%s' of image '%s' in pool "
						    "'%s%s%s'",
				      s->snap, s->image, s->pool, slash, s->ns);
	}
	return bs_rbd_why_set(why, -ENOENT, "no such image '%s' in pool '%s%s%s'", s->image,
			      s->pool, slash, s->ns);
}

static int cannot(const struct bs_rbd_image *i, const struct bs_rbd *d, int err,
		  const char *what, struct bs_rbd_why *why)
{
	const struct bs_rbd_spec *s = &d->spec;

	if (err == -ENOENT)
		return not_found(i, s, why);
	if (err == -EPERM || err == -EACCES)
		return bs_rbd_why_set(why, -EACCES, "no permission for client.%s: cannot %s image "
						    "'%s' in pool '%s'",
				      d->identity.id, what, s->image, s->pool);
	if (err == -ESHUTDOWN) {
		bs_rbd_cluster_spend(i->cluster);
		return bs_rbd_why_set(why, -ENXIO, "the cluster has blocklisted this client; "
						   "try again");
	}
	return bs_rbd_why_set(why, err, "cannot %s image '%s' in pool '%s': %s", what, s->image,
			      s->pool, strerror(-err));
}

/* --- opening --- */

static int open_it(struct bs_rbd_image *i, const struct bs_rbd *d)
{
	const struct bs_rbd_spec *s = &d->spec;
	int err = -EROFS;

	i->read_only = d->read_only || s->snap;
	if (!i->read_only)
		err = rbd_open(i->io, s->image, &i->image, NULL);
	/* Whoever may only read is served so, as with files. */
	if (err == -EROFS || err == -EPERM || err == -EACCES) {
		i->read_only = true;
		err = rbd_open_read_only(i->io, s->image, &i->image, s->snap);
	}
	if (err)
		i->image = NULL;
	return err;
}

static int learn(struct bs_rbd_image *i)
{
	char text[16] = "";
	uint64_t features;
	int err = rbd_stat(i->image, &i->info, sizeof(i->info));

	if (!err)
		err = rbd_get_stripe_unit(i->image, &i->stripe_unit);
	if (!err)
		err = rbd_get_stripe_count(i->image, &i->stripe_count);
	if (!err)
		err = rbd_get_features(i->image, &features);
	if (err)
		return err;
#ifdef RBD_FEATURE_NON_PRIMARY
	/* The other cluster writes to it. */
	if (features & RBD_FEATURE_NON_PRIMARY)
		i->read_only = true;
#endif
	(void)rados_conf_get(bs_rbd_cluster_rados(i->cluster), "rbd_cache", text, sizeof(text));
	i->caches = !strcmp(text, "true") && !i->read_only;
	return 0;
}

/* Who has the lock, for a sentence. */
static void find_owner(rbd_image_t image, char *buf, size_t bytes)
{
	rbd_lock_mode_t mode;
	char *owner = NULL;
	size_t n = 1;

	if (rbd_lock_get_owners(image, &mode, &owner, &n) || !n) {
		snprintf(buf, bytes, "another client");
		return;
	}
	snprintf(buf, bytes, "%s", owner);
	rbd_lock_get_owners_cleanup(&owner, n);
}

static int take_lock(struct bs_rbd_image *i, const struct bs_rbd *d, struct bs_rbd_why *why)
{
	const char *image = d->spec.image;
	char owner[128];
	uint64_t features = 0;
	int err = rbd_get_features(i->image, &features);
	const bool has_lock = features & RBD_FEATURE_EXCLUSIVE_LOCK;

	if (err)
		return cannot(i, d, err, "look at", why);
	if (d->lock == BS_RBD_LOCK_NONE && has_lock && !i->read_only)
		return bs_rbd_why_set(why, -EINVAL, "lock=none: image '%s' has the feature "
						    "exclusive-lock, with which only one client "
						    "writes at a time; disable it", image);
	if (d->lock != BS_RBD_LOCK_EXCLUSIVE || i->read_only)
		return 0;
	if (!has_lock)
		return bs_rbd_why_set(why, -EINVAL, "lock=exclusive: image '%s' lacks the feature "
						    "exclusive-lock; enable it", image);
	err = rbd_lock_acquire(i->image, RBD_LOCK_MODE_EXCLUSIVE);
	if (err == -EROFS || err == -EBUSY) {
		find_owner(i->image, owner, sizeof(owner));
		return bs_rbd_why_set(why, -EBUSY, "lock=exclusive: image '%s' is locked by %s",
				      image, owner);
	}
	return err ? cannot(i, d, err, "lock", why) : 0;
}

static void close_run(struct bs_rbd_bounded *b)
{
	struct bs_rbd_image *i = (struct bs_rbd_image *)b;

	if (i->watched)
		rbd_update_unwatch(i->image, i->watch);
	if (i->image)
		rbd_close(i->image);
	if (i->io)
		rados_ioctx_destroy(i->io);
	bs_rbd_cluster_put(i->cluster);
}

static void close_free(struct bs_rbd_bounded *b)
{
	struct bs_rbd_image *i = (struct bs_rbd_image *)b;

	if (i->disk)
		bs_rbd_put(i->disk);
	free(i);
}

/* All that hangs on it, here and now: it may wait. */
static void tear_down(struct bs_rbd_image *i)
{
	close_run(&i->closing);
	close_free(&i->closing);
}

int bs_rbd_image_open(const struct bs_rbd *d, struct bs_rbd_image **ret, struct bs_rbd_why *why)
{
	struct bs_rbd_image *i = calloc(1, sizeof(*i));
	int err;

	if (!i)
		return -ENOMEM;
	atomic_init(&i->refs, 1);
	i->closing.run = close_run;
	i->closing.abandoned = close_free;
	err = bs_rbd_cluster_get(&d->identity, &i->cluster, why);
	if (!err)
		err = bs_rbd_cluster_pool(i->cluster, &d->spec, &i->io, why);
	if (!err) {
		err = open_it(i, d);
		if (!err)
			err = learn(i);
		if (err)
			err = cannot(i, d, err, "open", why);
		else
			err = take_lock(i, d, why);
	}
	if (err)
		tear_down(i);
	else
		*ret = i;
	return err;
}

struct opening {
	struct bs_rbd_bounded b;
	struct bs_rbd *d;	/* holds a reference */
	struct bs_rbd_image *image;
	struct bs_rbd_why why;
	int err;
};

static void open_run(struct bs_rbd_bounded *b)
{
	struct opening *o = (struct opening *)b;

	o->err = bs_rbd_image_open(o->d, &o->image, &o->why);
}

static void open_abandoned(struct bs_rbd_bounded *b)
{
	struct opening *o = (struct opening *)b;

	if (!o->err)
		tear_down(o->image);
	bs_rbd_put(o->d);
	free(o);
}

int bs_rbd_image_open_bounded(struct bs_rbd *d, struct bs_rbd_image **ret,
			      struct bs_rbd_why *why)
{
	/* Connecting has the same bound, and a better sentence. */
	const unsigned int timeout_s = d->identity.timeout_s + 1;
	struct opening *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return -ENOMEM;
	o->b.run = open_run;
	o->b.abandoned = open_abandoned;
	o->d = bs_rbd_get(d);
	err = bs_rbd_bounded_run(&o->b, timeout_s);
	if (err == -ETIMEDOUT)
		return bs_rbd_why_set(why, err, "the OSDs do not answer within %u s", timeout_s);
	if (err) {
		bs_rbd_why_set(why, err, "no thread to open it, or too many attempts still wait "
					 "for their cluster");
	} else {
		err = o->err;
		*ret = o->image;
		*why = o->why;
	}
	bs_rbd_put(d);
	free(o);
	return err;
}

/* --- its size --- */

struct sizing {
	struct bs_rbd_bounded b;
	struct bs_rbd_image *image;	/* holds a reference */
	uint64_t bytes;
	int err;
};

static void size_run(struct bs_rbd_bounded *b)
{
	struct sizing *s = (struct sizing *)b;

	s->err = rbd_get_size(s->image->image, &s->bytes);
}

static void size_abandoned(struct bs_rbd_bounded *b)
{
	bs_rbd_image_put(((struct sizing *)b)->image);
	free(b);
}

static struct sizing *sizing_new(struct bs_rbd_image *i, void (*run)(struct bs_rbd_bounded *b))
{
	struct sizing *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->b.run = run;
	s->b.abandoned = size_abandoned;
	s->image = i;
	return s;
}

int bs_rbd_image_size(struct bs_rbd_image *i, unsigned int timeout_s, uint64_t *ret_bytes)
{
	struct sizing *s = sizing_new(i, size_run);
	int err;

	if (!s)
		return -ENOMEM;
	bs_rbd_image_get(i);
	err = bs_rbd_bounded_run(&s->b, timeout_s);
	if (err == -ETIMEDOUT)
		return err;
	if (!err)
		err = s->err;
	if (!err)
		*ret_bytes = s->bytes;
	size_abandoned(&s->b);
	return err;
}

static void tell_size(struct bs_rbd_bounded *b)
{
	struct sizing *s = (struct sizing *)b;
	struct bs_rbd *d = s->image->disk;

	size_run(b);
	pthread_mutex_lock(&d->mutex);
	if (!s->err && d->image == s->image && d->dev &&
	    atomic_exchange(&d->size_bytes, s->bytes) != s->bytes)
		bs_dev_resized(d->dev, s->bytes);
	pthread_mutex_unlock(&d->mutex);
}

/* False: it is being closed. */
static bool get_unless_closing(struct bs_rbd_image *i)
{
	unsigned int n = atomic_load(&i->refs);

	while (n && !atomic_compare_exchange_weak(&i->refs, &n, n + 1))
		;
	return n;
}

/* On a thread of librbd, twice for one change.  To ask for the size may wait for just
 * such a thread. */
static void updated(void *arg)
{
	struct bs_rbd_image *i = arg;
	struct sizing *s;

	if (!get_unless_closing(i))
		return;
	s = sizing_new(i, tell_size);
	if (s && !bs_rbd_bounded_leave(&s->b))
		return;
	bs_log("rbd %s: no memory or thread to see how large it is now", i->disk->name);
	free(s);
	bs_rbd_image_put(i);
}

void bs_rbd_image_watch(struct bs_rbd_image *i, struct bs_rbd *d)
{
	i->disk = bs_rbd_get(d);
	i->watched = rbd_update_watch(i->image, &i->watch, updated, i) == 0;
	if (!i->watched)
		bs_log("rbd %s: changes of its size cannot be watched", d->name);
}

/* --- closing --- */

void bs_rbd_image_get(struct bs_rbd_image *i)
{
	atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);
}

/* From a callback of librbd it cannot be closed: that would wait for the callback. */
void bs_rbd_image_put(struct bs_rbd_image *i)
{
	if (atomic_fetch_sub(&i->refs, 1) == 1 && bs_rbd_bounded_leave(&i->closing))
		bs_log("rbd %s: no thread to close it: it stays open", i->disk->name);
}

void bs_rbd_image_close(struct bs_rbd_image *i, unsigned int timeout_s)
{
	int err;

	if (atomic_fetch_sub(&i->refs, 1) != 1)
		return;
	err = bs_rbd_bounded_run(&i->closing, timeout_s);
	if (err == -ETIMEDOUT)
		return;
	if (err)		/* not started: here then, however long it takes */
		close_run(&i->closing);
	close_free(&i->closing);
}
