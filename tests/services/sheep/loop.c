/* SPDX-License-Identifier: BSD-3-Clause */
/* loop.c - one epoll. */
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include "base/clock.h"
#include "base/macros.h"

#define MAX_EVENTS 256

static int epoll_fd;

int loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd == -1 ? -errno : 0;
}

int loop_add(int fd, struct source *s)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) == -1 ? -errno : 0;
}

void loop_watch(int fd, struct source *s, bool in, bool out)
{
	struct epoll_event e = {
		.events = (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U),
		.data.ptr = s,
	};

	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &e);
}

void loop_remove(int fd)
{
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int ms_until(uint64_t until_ns)
{
	const uint64_t now = clock_now_ns();

	if (until_ns == UINT64_MAX)
		return -1;
	return until_ns <= now ?
		       0 :
		       (int)MIN(DIV_ROUND_UP(until_ns - now, NS_PER_MS),
				60000UL);
}

void loop_turn(uint64_t until_ns)
{
	struct epoll_event events[MAX_EVENTS];
	const int n =
		epoll_wait(epoll_fd, events, MAX_EVENTS, ms_until(until_ns));

	for (int i = 0; i < n; i++) {
		struct source *s = events[i].data.ptr;

		if (!s->dead)
			s->ready(s, events[i].events);
	}
}
