/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_bounded.c - calls of librbd that wait for the cluster, for ever if need be.
 *
 * They run on a thread of their own, for which a worker waits only so long.  What is
 * given up goes on, and cleans up behind itself when the cluster is back; so there is
 * a bound on how many may.
 */
#include "bs_rbd.h"

#include <errno.h>
#include <time.h>

#define HANGING_MAX	64U

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned int nr_hanging;		/* under the mutex */

static void init(void)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&ended, &attr);
	pthread_condattr_destroy(&attr);
}

static void *thread(void *arg)
{
	struct bs_rbd_bounded *b = arg;
	bool given_up;

	b->run(b);
	pthread_mutex_lock(&mutex);
	b->done = true;
	given_up = b->given_up;
	nr_hanging -= b->counted;
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&mutex);
	if (given_up)
		b->abandoned(b);
	return NULL;
}

static int start(struct bs_rbd_bounded *b)
{
	pthread_attr_t attr;
	pthread_t t;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&t, &attr, thread, b);
	pthread_attr_destroy(&attr);
	return err ? -EAGAIN : 0;
}

int bs_rbd_bounded_run(struct bs_rbd_bounded *b, unsigned int timeout_s)
{
	struct timespec until;
	int err;

	pthread_once(&once, init);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_s;
	b->done = b->given_up = b->counted = false;
	pthread_mutex_lock(&mutex);
	err = nr_hanging < HANGING_MAX ? start(b) : -EAGAIN;
	while (!err && !b->done)
		err = -pthread_cond_timedwait(&ended, &mutex, &until);
	if (err == -ETIMEDOUT && b->done)
		err = 0;
	if (err == -ETIMEDOUT) {
		b->given_up = b->counted = true;
		nr_hanging++;
	}
	pthread_mutex_unlock(&mutex);
	return err;
}

int bs_rbd_bounded_leave(struct bs_rbd_bounded *b)
{
	b->done = b->counted = false;
	b->given_up = true;
	return start(b);
}
