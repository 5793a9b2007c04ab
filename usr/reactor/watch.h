/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor/watch.h - a file descriptor in a reactor's epoll set (level-triggered). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct reactor;

struct watch {			/* the caller's memory, embedded */
	int fd;			/* borrowed; -1: not watched */
	uint32_t events;	/* EPOLLIN | EPOLLOUT ... */
	void (*ready)(struct watch *w, uint32_t events);
};

/*
 * Threads: the reactor's own, or any before it runs.  @w->fd, events and
 * ready() are set by the caller.  ready() may delete any watch, its own too.
 * Errors: -errno of epoll_ctl(2).
 */
int reactor_watch_add(struct reactor *r, struct watch *w);
int reactor_watch_change(struct reactor *r, struct watch *w, uint32_t events);
void reactor_watch_del(struct reactor *r, struct watch *w);
