/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net/listener.c - accept in bounded batches, so that a flood of connections
 * leaves the control thread its turn for everything else.
 */
#include "net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "net/addr.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"
#include "reactor/watch.h"

#define BACKLOG		512
#define BATCH_MAX	64	/* accepted in one turn */
#define PAUSE_MS	250	/* after running out of descriptors or memory */

struct net_listener {
	struct reactor *reactor;
	int fd;
	struct watch watch;
	struct timer timer;
	bool waits;		/* connections do, until they are wanted */
	struct sockaddr_storage local;
	void (*accepted)(void *arg, int fd);
	void *arg;
};

void net_listener_close(struct net_listener *l)
{
	if (!l)
		return;
	reactor_timer_cancel(l->reactor, &l->timer);
	reactor_watch_del(l->reactor, &l->watch);
	if (l->fd != -1)
		close(l->fd);
	free(l);
}
DEFINE_CLEANUP(struct net_listener *, net_listener_close)

static void resume(struct timer *t)
{
	struct net_listener *l = container_of(t, struct net_listener, timer);

	reactor_watch_change(l->reactor, &l->watch, l->waits ? 0 : EPOLLIN);
}

void net_listener_set_accepting(struct net_listener *l, bool accepting)
{
	l->waits = !accepting;
	reactor_timer_cancel(l->reactor, &l->timer);
	reactor_watch_change(l->reactor, &l->watch, accepting ? EPOLLIN : 0);
}

/* The backlog keeps the event up: without a pause this would be a busy loop. */
static void pause_accepting(struct net_listener *l, int err)
{
	char text[NET_ADDR_TEXT_MAX];

	log_warn("portal %s: cannot accept (errno %d), trying again in %d ms",
		 net_addr_format_endpoint(&l->local, text, sizeof(text)), err,
		 PAUSE_MS);
	if (reactor_timer_arm(l->reactor, &l->timer, PAUSE_MS) < 0)
		return;		/* no memory for a timer: better busy than deaf */
	reactor_watch_change(l->reactor, &l->watch, 0);
}

static void ready(struct watch *w, uint32_t events)
{
	struct net_listener *l = container_of(w, struct net_listener, watch);

	(void)events;
	for (int i = 0; i < BATCH_MAX; i++) {
		const int fd = accept4(l->fd, NULL, NULL,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd != -1) {
			l->accepted(l->arg, fd);
			continue;
		}
		switch (errno) {
		case EAGAIN:
			return;
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			pause_accepting(l, errno);
			return;
		default:	/* that connection died in the backlog, accept(2) */
			break;
		}
	}
}

static int open_socket(const struct sockaddr_storage *addr, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	const int on = 1;

	fd = socket(addr->ss_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd == -1)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		return -errno;
	if (addr->ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1)
		return -errno;
	if (bind(fd, (const struct sockaddr *)addr, net_addr_bytes(addr)) == -1)
		return -errno;
	if (listen(fd, BACKLOG) == -1)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int net_listener_open(struct reactor *r, const struct sockaddr_storage *addr,
		      void (*accepted)(void *arg, int fd), void *arg,
		      struct net_listener **ret_l)
{
	_cleanup_(net_listener_closep) struct net_listener *l = NULL;
	socklen_t bytes = sizeof(l->local);
	int err;

	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->reactor = r;
	l->fd = l->watch.fd = -1;
	l->timer.expired = resume;
	l->accepted = accepted;
	l->arg = arg;
	err = open_socket(addr, &l->fd);
	if (err < 0)
		return err;
	if (getsockname(l->fd, (struct sockaddr *)&l->local, &bytes) == -1)
		return -errno;
	l->watch = (struct watch){ .fd = l->fd, .events = EPOLLIN, .ready = ready };
	err = reactor_watch_add(r, &l->watch);
	if (err < 0) {
		l->watch.fd = -1;
		return err;
	}
	*ret_l = TAKE_PTR(l);
	return 0;
}

const struct sockaddr_storage *net_listener_local(const struct net_listener *l)
{
	return &l->local;
}
