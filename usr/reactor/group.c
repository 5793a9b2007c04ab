/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor/group.c - the table of reactors is written before threads start and
 * after they ended, so reading it needs no lock. */
#include "reactor/group.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/rcu.h"

static struct {
	struct reactor *control;
	unsigned int n;
	const int *cpus;
	struct reactor *reactors[REACTORS_MAX];
	pthread_t threads[REACTORS_MAX];
} group;

static void *thread_main(void *arg)
{
	struct reactor *r = arg;
	char name[16];

	snprintf(name, sizeof(name), "reactor-%d", reactor_id(r));
	pthread_setname_np(pthread_self(), name);
	reactor_run(r);
	return NULL;
}

void reactor_group_set_cpus(const int *cpus)
{
	group.cpus = cpus;
}

static int attributes(unsigned int id, pthread_attr_t *a)
{
	cpu_set_t set;
	int err = pthread_attr_init(a);

	if (err || !group.cpus)
		return err;
	CPU_ZERO(&set);
	if (group.cpus[id] >= CPU_SETSIZE)
		err = EINVAL;
	else
		CPU_SET((size_t)group.cpus[id], &set);
	if (!err)
		err = pthread_attr_setaffinity_np(a, sizeof(set), &set);
	if (err)
		pthread_attr_destroy(a);
	return err;
}

static int thread_start(unsigned int id, struct reactor *r)
{
	pthread_attr_t a;
	int err = attributes(id, &a);

	if (err)
		return err;
	err = pthread_create(&group.threads[id], &a, thread_main, r);
	pthread_attr_destroy(&a);
	return err;
}

static int start_one(unsigned int id)
{
	struct reactor *r = reactor_new((int)id);
	sigset_t all, old;
	int err;

	if (!r)
		return errno ? -errno : -ENOMEM;
	/* Signals belong to the control thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	group.reactors[id] = r;
	err = thread_start(id, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		group.reactors[id] = NULL;
		reactor_free(r);
		return -err;
	}
	return 0;
}

int reactor_group_start(struct reactor *control, unsigned int n)
{
	assert(n >= 1 && n <= REACTORS_MAX && !group.n);
	group.control = control;
	for (unsigned int i = 0; i < n; i++) {
		const int err = start_one(i);

		if (err < 0) {
			reactor_group_stop();
			return err;
		}
		group.n = i + 1;
	}
	return 0;
}

void reactor_group_stop(void)
{
	for (unsigned int i = 0; i < group.n; i++)
		reactor_stop(group.reactors[i]);
	for (unsigned int i = 0; i < group.n; i++)
		pthread_join(group.threads[i], NULL);
	for (unsigned int i = 0; i < group.n; i++) {
		reactor_free(group.reactors[i]);
		group.reactors[i] = NULL;
	}
	group.n = 0;
}

unsigned int reactor_group_size(void)
{
	return group.n;
}

struct reactor *reactor_group_get(unsigned int id)
{
	assert(id < group.n);
	return group.reactors[id];
}

struct reactor *reactor_group_control(void)
{
	return group.control;
}

struct reactor_spread {
	void (*run)(struct reactor_spread *s, void *arg);
	void (*done)(void *arg);
	void *arg;
	struct reactor *origin;
	atomic_uint pending;
	struct mail finished;
	struct spread_mail {
		struct mail mail;
		struct reactor_spread *s;
	} out[];
};

static void finished(struct mail *m)
{
	struct reactor_spread *s = container_of(m, struct reactor_spread, finished);
	void (*const done)(void *arg) = s->done;
	void *const arg = s->arg;

	free(s);
	if (done)
		done(arg);
}

static void arrived(struct mail *m)
{
	struct reactor_spread *s = container_of(m, struct spread_mail, mail)->s;

	s->run(s, s->arg);
}

void reactor_group_spread_put(struct reactor_spread *s)
{
	if (atomic_fetch_sub(&s->pending, 1) == 1)
		reactor_mailbox_send(s->origin, &s->finished, finished);
}

int reactor_group_spread(void (*run)(struct reactor_spread *s, void *arg),
			 void (*done)(void *arg), void *arg)
{
	const unsigned int n = group.n;
	struct reactor_spread *s;

	s = calloc(1, sizeof(*s) + n * sizeof(s->out[0]));
	if (!s)
		return -ENOMEM;
	s->run = run;
	s->done = done;
	s->arg = arg;
	s->origin = reactor_current();
	assert(s->origin);
	atomic_init(&s->pending, n + 1);
	for (unsigned int i = 0; i < n; i++) {
		s->out[i].s = s;
		reactor_mailbox_send(group.reactors[i], &s->out[i].mail, arrived);
	}
	reactor_group_spread_put(s);	/* ours: held until all were sent */
	return 0;
}
