/* SPDX-License-Identifier: BSD-3-Clause */
/* gateway.c - listening sockets. */
#include "gateway.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "conn.h"
#include "lock.h"
#include "request.h"

struct list_head gateways = LIST_HEAD_INIT(gateways);

static int listen_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path) + 1);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(fd, SOMAXCONN) == -1)
		return -errno;
	return TAKE_FD(fd);
}

static int listen_on(const struct addrinfo *a)
{
	_cleanup_close_ int fd = socket(
		a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd == -1)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == -1 ||
	    listen(fd, SOMAXCONN) == -1)
		return -errno;
	return TAKE_FD(fd);
}

static int listen_tcp(char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE };
	struct addrinfo *a;
	const size_t n = strlen(host);
	int fd;

	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		host++;
	}
	if (getaddrinfo(host, port, &hints, &a))
		return -EADDRNOTAVAIL;
	fd = listen_on(a);
	freeaddrinfo(a);
	return fd;
}

static void keep_port(struct gateway *g, int fd)
{
	struct sockaddr_storage a;
	socklen_t bytes = sizeof(a);
	char port[NI_MAXSERV], *colon = strrchr(g->address, ':');

	if (!getsockname(fd, (struct sockaddr *)&a, &bytes) &&
	    !getnameinfo((struct sockaddr *)&a, bytes, NULL, 0, port,
			 sizeof(port), NI_NUMERICSERV))
		snprintf(colon + 1,
			 sizeof(g->address) - (size_t)(colon + 1 - g->address),
			 "%s", port);
}

static int start_listening(struct gateway *g)
{
	char text[sizeof(g->address)], *colon;
	int fd;

	if (!strncmp(g->address, "unix:", 5))
		return listen_unix(g->address + 5);
	memcpy(text, g->address, sizeof(text));
	colon = strrchr(text, ':');
	if (strncmp(text, "tcp:", 4) != 0 || colon <= text + 4)
		return -EINVAL;
	*colon = '\0';
	fd = listen_tcp(text + 4, colon + 1);
	if (fd >= 0)
		keep_port(g, fd);
	return fd;
}

static void ready(struct source *s, uint32_t events)
{
	struct gateway *g = container_of(s, struct gateway, source);
	const int on = 1;
	int fd;

	(void)events;
	while ((fd = accept4(g->fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) != -1) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		conn_new(g, fd);
	}
}

static int up(struct gateway *g)
{
	int err;

	if (g->fd != -1)
		return 0;
	g->fd = start_listening(g);
	if (g->fd < 0) {
		err = g->fd;
		g->fd = -1;
		return err;
	}
	g->source = (struct source){ .ready = ready };
	g->hung = false;
	return loop_add(g->fd, &g->source);
}

static bool parse(struct gateway *g, const char *spec)
{
	char text[sizeof(g->address)], *rest = text, *word;

	if (strlen(spec) >= sizeof(text))
		return false;
	memcpy(text, spec, strlen(spec) + 1);
	snprintf(g->address, sizeof(g->address), "%s", strsep(&rest, ","));
	while ((word = strsep(&rest, ","))) {
		if (!strcmp(word, "lax"))
			g->lax = true;
		else if (sscanf(word, "node=%u", &g->node) != 1)
			return false;
	}
	return true;
}

bool gateway_new(const char *spec)
{
	struct gateway *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return false;
	g->fd = -1;
	g->node = 1;
	list_init(&g->conns);
	err = parse(g, spec) ? up(g) : -EINVAL;
	if (err) {
		fprintf(stderr, "sheep: cannot listen on '%s': %s\n", spec,
			strerror(-err));
		free(g);
		return false;
	}
	list_add_tail(&gateways, &g->list);
	return true;
}

static void close_conns(struct gateway *g)
{
	struct conn *c, *tmp;

	list_for_each_safe(c, tmp, &g->conns, node) {
		c->is_of_the_dead = true;
		conn_close(c);
	}
}

static void down(struct gateway *g)
{
	close_conns(g);
	if (g->fd == -1)
		return;
	loop_remove(g->fd);
	close(g->fd);
	g->fd = -1;
	g->source.dead = true;
}

bool gateway_down(unsigned int node)
{
	struct gateway *g;
	bool any = false;

	list_for_each(g, &gateways, list)
		if (g->node == node && !g->lax) {
			down(g);
			any = true;
		}
	if (any) {
		lock_node_died(node);
		request_epoch++;
	}
	return any;
}

bool gateway_up(unsigned int node)
{
	struct gateway *g;
	bool any = false;

	list_for_each(g, &gateways, list)
		if (g->node == node && !g->lax && !up(g))
			any = true;
	if (any)
		request_epoch++;
	return any;
}

static void hang(struct gateway *g, bool hung)
{
	struct conn *c;

	g->hung = hung;
	loop_watch(g->fd, &g->source, !hung, false);
	list_for_each(c, &g->conns, node)
		conn_pause(c, hung);
}

bool gateway_hang(unsigned int node, bool hung)
{
	struct gateway *g;
	bool any = false;

	list_for_each(g, &gateways, list)
		if (g->node == node && !g->lax && g->fd != -1) {
			hang(g, hung);
			any = true;
		}
	return any;
}

void gateway_close_all(void)
{
	struct gateway *g;

	while ((g = list_pop(&gateways, struct gateway, list))) {
		down(g);
		free(g);
	}
}
