/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net/listener.h - a listening TCP socket on the calling thread's reactor.
 *
 * IPv6 sockets take IPv6 only, so a v4 and a v6 socket share a port.  When the
 * process runs out of descriptors or memory, accepting stops for a moment
 * instead of spinning; peers wait in the backlog.
 */
#pragma once
#include <stdbool.h>
#include <sys/socket.h>

struct net_listener;

/*
 * Bind @addr (port 0: the system picks one) and listen.  accepted() gets each
 * socket (taken; non-blocking, close-on-exec).
 *
 * Threads: the reactor that will run accepted(), or its creator before it runs
 *          (then @r is needed); close on the same.
 * Errors: -errno of socket(2), bind(2), listen(2): -EADDRINUSE,
 *         -EADDRNOTAVAIL, -EACCES, -EAFNOSUPPORT, -EMFILE; -ENOMEM.
 */
struct reactor;
int net_listener_open(struct reactor *r, const struct sockaddr_storage *addr,
		      void (*accepted)(void *arg, int fd), void *arg,
		      struct net_listener **ret_l);
void net_listener_close(struct net_listener *l);	/* accepts NULL */
/*
 * While not accepting (it does at first), connections wait in the kernel's backlog.
 * Threads: that of the reactor.
 */
void net_listener_set_accepting(struct net_listener *l, bool accepting);

/* What it is bound to, with the real port. */
const struct sockaddr_storage *net_listener_local(const struct net_listener *l);
