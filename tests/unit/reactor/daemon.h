/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daemon.h - control, reactors and workers in threads of their own, so that a
 * test is a straight line of calls that are made there and waited for.
 */
#pragma once
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "base/macros.h"
#include "reactor/group.h"
#include "reactor/mailbox.h"
#include "reactor/reactor.h"
#include "reactor/worker.h"

#define WAIT_SECONDS	30

static struct {
	struct reactor *control;
	pthread_t thread;
} test_daemon;

/* A condition must come true in time; a test that hangs is a test that fails. */
static inline void wait_for(sem_t *sem, const char *what)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_SECONDS;
	while (sem_timedwait(sem, &until))
		if (errno != EINTR) {
			fprintf(stderr, "waited %d s for %s\n", WAIT_SECONDS, what);
			abort();
		}
}

struct call {
	struct mail mail;
	void (*fn)(void *arg);
	void *arg;
	sem_t *over;
};

static inline void call_run(struct mail *m)
{
	struct call *c = container_of(m, struct call, mail);

	c->fn(c->arg);
	sem_post(c->over);
}

/* Run @fn on @r's thread and wait until it has returned. */
static inline void call_on(struct reactor *r, void (*fn)(void *arg), void *arg)
{
	sem_t over;
	struct call c = { .fn = fn, .arg = arg, .over = &over };

	sem_init(&over, 0, 0);
	reactor_mailbox_send(r, &c.mail, call_run);
	wait_for(&over, "a call on a reactor");
	sem_destroy(&over);
}

struct daemon_start {
	unsigned int reactors;
	int err;
};

static inline void daemon_start_group(void *arg)
{
	struct daemon_start *s = arg;

	s->err = reactor_group_start(test_daemon.control, s->reactors);
}

static inline void daemon_stop_group(void *arg)
{
	(void)arg;
	reactor_group_stop();
}

static inline void *daemon_thread(void *arg)
{
	reactor_run(arg);
	return NULL;
}

static inline void daemon_start(unsigned int reactors, unsigned int workers)
{
	struct daemon_start s = { .reactors = reactors };

	assert_int_equal(reactor_worker_start(workers), 0);
	test_daemon.control = reactor_new(REACTOR_CONTROL);
	assert_non_null(test_daemon.control);
	assert_int_equal(pthread_create(&test_daemon.thread, NULL, daemon_thread,
					test_daemon.control),
			 0);
	call_on(test_daemon.control, daemon_start_group, &s);
	assert_int_equal(s.err, 0);
}

static inline void daemon_stop(void)
{
	call_on(test_daemon.control, daemon_stop_group, NULL);
	reactor_stop(test_daemon.control);
	pthread_join(test_daemon.thread, NULL);
	reactor_worker_stop();
	reactor_free(test_daemon.control);
	test_daemon.control = NULL;
}
