/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor/internal.h - what the files of this directory share. */
#pragma once
#include <stdatomic.h>
#include <sys/epoll.h>
#include <urcu/wfcqueue.h>
#include "reactor/reactor.h"
#include "reactor/timer.h"
#include "reactor/watch.h"

/* Of one epoll_wait().  The commands of a turn are to stay in the cache until they are
 * sent: with 512 connections a turn of 256 costs a quarter more per command. */
#define REACTOR_EVENTS_MAX	16
#define REACTOR_EXITS_MAX	16

struct mailbox {
	struct cds_wfcq_head head;
	struct cds_wfcq_tail tail;
	atomic_bool asleep;		/* its reader may be in epoll_wait(): wake it */
	struct watch watch;		/* an eventfd */
};

struct timer_heap {
	struct timer **v;
	unsigned int n, max;
};

struct reactor {
	int id;
	int epoll_fd;
	atomic_bool stop;

	/* Owning thread only. */
	uint64_t now_ns;
	uint64_t clock_ns;		/* 0: to be read */
	uint64_t gap_ns;		/* average wait for the next event */
	uint64_t give_way_ns;		/* not before: see reactor.c */
	unsigned int nr_working;	/* items that workers have for it */
	unsigned int nr_away;		/* requests that other processes have */
	struct list_head hooks[REACTOR_NR_STAGES];
	struct timer_heap timers;
	struct epoll_event events[REACTOR_EVENTS_MAX];
	int nr_events, next_event;	/* position in this turn's dispatch */
	void (*exits[REACTOR_EXITS_MAX])(void);
	unsigned int nr_exits;

	/* Any thread sends, the owner receives. */
	struct mailbox mailbox;
};

int reactor_mailbox_init(struct reactor *r);
void reactor_mailbox_fini(struct reactor *r);
void reactor_mailbox_drain(struct reactor *r);
void reactor_mailbox_wake(struct reactor *r);
bool reactor_mailbox_any(struct reactor *r);
/* From here on mail wakes the reactor.  False: there is some already; do not sleep. */
bool reactor_mailbox_sleep(struct reactor *r);
void reactor_mailbox_awake(struct reactor *r);

void reactor_timer_run(struct reactor *r);
int reactor_timer_wait_ms(const struct reactor *r, uint64_t now_ns); /* -1: no timer */
