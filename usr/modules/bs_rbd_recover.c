/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_recover.c - life after the cluster has shut a connection out.
 *
 * A client is blocklisted when another one takes an image over from it, or by an
 * administrator.  From then on the OSDs refuse everything that it has sent, also what
 * is still under way, so nothing that has failed can land later.  What was under way
 * is not sent again here: whoever has taken over may have written since.  It fails,
 * and so does what comes until the disk has its image again, through a new
 * connection; what the initiators do then is their decision.
 *
 * Nor is it opened again at once.  If this process was stopped for a while, which is
 * why another gateway has taken over, there are writes in its sockets from before that,
 * whose initiators have long sent them the other way.  They have to meet a disk that
 * refuses them, and they do, as sockets are read before QUIET_MS are over.
 *
 * All disks of the connection are concerned, also those that have not noticed.  One
 * thread sees to all disks of all clusters; it is there while there is something to
 * do.
 */
#include "bs_rbd.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "base/macros.h"

#define QUIET_MS	2000U
#define RETRY_MS	1000U
#define RETRY_MS_MAX	30000U

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Each is in one of them; the second wait for an image. */
static struct list_head well = LIST_HEAD_INIT(well);
static struct list_head lost = LIST_HEAD_INIT(lost);
static bool running;		/* the thread */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- the thread --- */

/* The disk has its image, unless it was closed meanwhile. */
static void publish(struct bs_rbd *d, struct bs_rbd_image *i)
{
	bool wanted;

	bs_rbd_image_watch(i, d);
	pthread_mutex_lock(&d->mutex);
	wanted = d->dev != NULL;
	if (wanted) {
		d->image = i;
		if (atomic_exchange(&d->size_bytes, i->info.size) != i->info.size)
			bs_dev_resized(d->dev, i->info.size);
		atomic_fetch_add(&d->generation, 1);
	}
	pthread_mutex_unlock(&d->mutex);
	if (wanted)
		bs_log("rbd %s: open again", d->name);
	else
		bs_rbd_image_put(i);
}

/* True: it has what it needs, or needs nothing any more. */
static bool reopen(struct bs_rbd *d)
{
	struct bs_rbd_why why = { "out of memory" };
	struct bs_rbd_image *i;

	if (bs_rbd_image_open_bounded(d, &i, &why)) {
		bs_log("rbd %s: cannot be opened again: %s", d->name, why.text);
		return false;
	}
	/* Set for ever: what may be done with the disk was told when it was made. */
	if (i->read_only && !d->read_only) {
		bs_log("rbd %s: can only be read now, and is not opened again so", d->name);
		bs_rbd_image_put(i);
		return false;
	}
	publish(d, i);
	return true;
}

/* With the mutex: the disk that is due, or that will be first. */
static struct bs_rbd *first_due(void)
{
	struct bs_rbd *d, *first = NULL;

	list_for_each(d, &lost, node)
		if (!first || d->retry_ms < first->retry_ms)
			first = d;
	return first;
}

static void wait_until(uint64_t ms)
{
	struct timespec t;
	const uint64_t left = ms - now_ms();

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += (long)(left % 1000) * 1000000;
	t.tv_sec += (time_t)(left / 1000) + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&changed, &mutex, &t);
}

static void serve(struct bs_rbd *d)
{
	bool well_again;

	bs_rbd_get(d);
	d->retry_ms = now_ms() + MIN(RETRY_MS << MIN(d->tries, 5U), RETRY_MS_MAX);
	d->tries++;
	pthread_mutex_unlock(&mutex);
	well_again = reopen(d);
	pthread_mutex_lock(&mutex);
	/* Not if it was closed meanwhile. */
	if (well_again && list_is_linked(&d->node)) {
		list_del(&d->node);
		list_add_tail(&well, &d->node);
	}
	bs_rbd_put(d);
}

static void *thread(void *arg)
{
	struct bs_rbd *d;

	(void)arg;
	pthread_mutex_lock(&mutex);
	while ((d = first_due())) {
		if (d->retry_ms > now_ms())
			wait_until(d->retry_ms);
		else
			serve(d);
	}
	running = false;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/* With the mutex. */
static void start(void)
{
	pthread_attr_t attr;
	pthread_t t;

	if (running)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	running = pthread_create(&t, &attr, thread, NULL) == 0;
	pthread_attr_destroy(&attr);
	if (!running)
		bs_log("rbd: no thread to open disks again: they stay out of order");
}

/* --- losing --- */

/* @d loses its image if that has this connection.  With the mutex. */
static bool loses(struct bs_rbd *d, const struct bs_rbd_cluster *c)
{
	struct bs_rbd_image *i;

	pthread_mutex_lock(&d->mutex);
	i = d->image;
	if (i && i->cluster == c) {
		d->image = NULL;
		atomic_fetch_add(&d->generation, 1);
	} else {
		i = NULL;
	}
	pthread_mutex_unlock(&d->mutex);
	if (i)
		bs_rbd_image_put(i);
	return i;
}

void bs_rbd_recover(struct bs_rbd_image *i)
{
	struct bs_rbd *d, *next;

	bs_rbd_cluster_spend(i->cluster);
	pthread_mutex_lock(&mutex);
	list_for_each_safe(d, next, &well, node) {
		if (!loses(d, i->cluster))
			continue;
		bs_log("rbd %s: the cluster has blocklisted this client; what was under way "
		       "fails, and the image is opened again", d->name);
		list_del(&d->node);
		list_add_tail(&lost, &d->node);
		d->retry_ms = now_ms() + QUIET_MS;
		d->tries = 0;
	}
	if (!list_empty(&lost))
		start();
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

void bs_rbd_recover_add(struct bs_rbd *d)
{
	pthread_mutex_lock(&mutex);
	list_add_tail(&well, &d->node);
	pthread_mutex_unlock(&mutex);
}

void bs_rbd_recover_remove(struct bs_rbd *d)
{
	pthread_mutex_lock(&mutex);
	list_del(&d->node);
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}
