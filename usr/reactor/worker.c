/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/worker.c - one mutex over a list of sources that have work and a
 * free share.  Held for list operations only.
 */
#include "reactor/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include "base/log.h"
#include "reactor/internal.h"

#define THREADS_MAX	256

struct worker_source {
	struct list_head node;		/* in pool.ready when it may run more */
	struct list_head queue;
	unsigned int running, share;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list_head ready;
	unsigned int idle;
	bool stop;
	unsigned int n;
	pthread_t threads[THREADS_MAX];
	struct worker_source own;
} pool = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.wake = PTHREAD_COND_INITIALIZER,
	.ready = LIST_HEAD_INIT(pool.ready),
	.own = { .node = LIST_HEAD_INIT(pool.own.node),
		 .queue = LIST_HEAD_INIT(pool.own.queue), .share = 4 },
};

/* Keep @s in the ready list exactly while it has work and a free share. */
static void update_ready(struct worker_source *s)
{
	const bool ready = !list_empty(&s->queue) && s->running < s->share;

	if (ready && !list_is_linked(&s->node))
		list_add_tail(&pool.ready, &s->node);
	else if (!ready)
		list_del(&s->node);
}

static void finished(struct mail *m)
{
	struct work *w = container_of(m, struct work, mail);

	w->home->nr_working--;
	w->done(w);
}

/* Called and returns with the lock held. */
static void run_one(struct worker_source *s)
{
	struct work *w = list_pop(&s->queue, struct work, node);

	s->running++;
	list_del(&s->node);		/* to the end: sources take turns */
	update_ready(s);
	pthread_mutex_unlock(&pool.lock);
	w->run(w);
	pthread_mutex_lock(&pool.lock);
	s->running--;
	update_ready(s);
	/* Last touch of @s before its owner may learn that it is unused. */
	pthread_mutex_unlock(&pool.lock);
	reactor_mailbox_send(w->home, &w->mail, finished);
	pthread_mutex_lock(&pool.lock);
}

static void *thread_main(void *arg)
{
	static const struct sched_param none;

	pthread_setname_np(pthread_self(), "worker");
	/* On its CPU a reactor first ends its turn: it hands over more at once. */
	pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
	(void)arg;
	pthread_mutex_lock(&pool.lock);
	for (;;) {
		if (!list_empty(&pool.ready)) {
			run_one(list_first(&pool.ready, struct worker_source, node));
			continue;
		}
		if (pool.stop)
			break;
		pool.idle++;
		pthread_cond_wait(&pool.wake, &pool.lock);
		pool.idle--;
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

int reactor_worker_start(unsigned int threads)
{
	sigset_t all, old;
	int err = 0;

	assert(threads >= 1 && !pool.n);
	threads = MIN(threads, (unsigned int)THREADS_MAX);
	pool.stop = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (!err && pool.n < threads) {
		err = pthread_create(&pool.threads[pool.n], NULL, thread_main, NULL);
		if (!err)
			pool.n++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		reactor_worker_stop();
	return -err;
}

void reactor_worker_stop(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.stop = true;
	pthread_cond_broadcast(&pool.wake);
	pthread_mutex_unlock(&pool.lock);
	for (unsigned int i = 0; i < pool.n; i++)
		pthread_join(pool.threads[i], NULL);
	pool.n = 0;
}

struct worker_source *reactor_worker_source_new(void)
{
	struct worker_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	list_init(&s->node);
	list_init(&s->queue);
	/* Three stores that hang leave a quarter of the pool to the others. */
	s->share = MAX(pool.n / 4, 1U);
	return s;
}

void reactor_worker_source_free(struct worker_source *s)
{
	if (!s)
		return;
	assert(list_empty(&s->queue) && !s->running);
	free(s);
}

static void wake(unsigned int items)
{
	for (unsigned int n = MIN(items, pool.idle); n; n--)
		pthread_cond_signal(&pool.wake);
}

void reactor_worker_submit_batch(struct worker_source *s, struct list_head *batch)
{
	struct reactor *home = reactor_current();
	unsigned int n = 0, startable;
	struct work *w;

	list_for_each(w, batch, node) {
		w->home = home;
		n++;
	}
	home->nr_working += n;
	if (!s)
		s = &pool.own;
	pthread_mutex_lock(&pool.lock);
	list_splice_tail(&s->queue, batch);
	update_ready(s);
	startable = s->share > s->running ? s->share - s->running : 0;
	wake(MIN(n, startable));
	pthread_mutex_unlock(&pool.lock);
}

void reactor_worker_submit(struct worker_source *s, struct work *w)
{
	struct list_head one;

	list_init(&one);
	list_add_tail(&one, &w->node);
	reactor_worker_submit_batch(s, &one);
}

bool reactor_worker_cancel(struct worker_source *s, struct work *w)
{
	bool queued;

	if (!s)
		s = &pool.own;
	pthread_mutex_lock(&pool.lock);
	queued = list_is_linked(&w->node);
	if (queued) {
		list_del(&w->node);
		update_ready(s);
	}
	pthread_mutex_unlock(&pool.lock);
	if (queued)
		w->home->nr_working--;
	return queued;
}
