/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conn.c - connections.
 *
 * A request that has arrived lives on when its connection has ended: it is
 * executed all the same, as a sheep does, and only its answer goes nowhere.
 */
#include "conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "gateway.h"
#include "request.h"
#include "server.h"
#include "strict.h"

#define IN_BYTES (256U << 10)
#define MAX_IOV	 64

struct out {
	struct list_head node;
	uint32_t bytes, sent;
	void *data;
};

/* Connections with something to send. */
static struct list_head dirty = LIST_HEAD_INIT(dirty);

static uint32_t client_of(int fd)
{
	struct ucred peer = { 0 };
	socklen_t bytes = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == -1)
		return 0;
	return (uint32_t)peer.pid;
}

static void ready(struct source *s, uint32_t events);

struct conn *conn_new(struct gateway *g, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c || loop_add(fd, &c->source)) {
		close(fd);
		free(c);
		return NULL;
	}
	c->source.ready = ready;
	c->gateway = g;
	c->refs = 1;
	c->fd = fd;
	c->client = client_of(fd);
	list_init(&c->dirty);
	list_init(&c->out);
	list_add_tail(&g->conns, &c->node);
	return c;
}

static void out_free(struct out *o)
{
	list_del(&o->node);
	free(o->data);
	free(o);
}

/* Freed at the end of the turn, as events of it may be in the loop's hands. */
void conn_put(struct conn *c)
{
	if (--c->refs)
		return;
	free(c->in);
	server_free_later(c);
}

void conn_close(struct conn *c)
{
	struct out *o, *tmp;

	if (c->fd == -1)
		return;
	strict_conn_ended(c);
	loop_remove(c->fd);
	close(c->fd);
	c->fd = -1;
	c->source.dead = true;
	list_del(&c->node);
	list_del(&c->dirty);
	list_for_each_safe(o, tmp, &c->out, node)
		out_free(o);
	conn_put(c);
}

bool conn_is_gone(const struct conn *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

	return c->fd == -1 || (poll(&p, 1, 0) == 1 &&
			       p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void conn_pause(struct conn *c, bool paused)
{
	loop_watch(c->fd, &c->source, !paused, c->waits_for_room && !paused);
}

/* --- in ----------------------------------------------------------------- */

static uint32_t payload_of(const struct wire_request *head)
{
	return le16_get(head->flags) & FLAG_WRITE ? le32_get(head->data_bytes) :
						    0;
}

static bool grow(struct conn *c, uint32_t space)
{
	uint8_t *in;

	if (space <= c->in_space)
		return true;
	in = realloc(c->in, space);
	if (!in)
		return false;
	c->in = in;
	c->in_space = space;
	return true;
}

/* False: what it sends cannot be understood. */
static bool take_one(struct conn *c, uint32_t at,
		     const struct wire_request *head, uint32_t bytes)
{
	uint8_t *payload = bytes ? malloc(bytes) : NULL;
	struct request *r;

	if (bytes && !payload)
		return false;
	if (bytes)
		memcpy(payload, c->in + at + sizeof(*head), bytes);
	r = request_new(c, head, payload, bytes);
	if (!r)
		return false;
	server_arrived(r);
	return c->fd == -1 || strict_framing_holds(r);
}

static bool take_all(struct conn *c)
{
	struct wire_request head;
	uint32_t at = 0, bytes;

	while (c->fd != -1 && c->in_bytes - at >= sizeof(head)) {
		memcpy(&head, c->in + at, sizeof(head));
		bytes = payload_of(&head);
		if (bytes > WIRE_MAX_BYTES) {
			strict_huge(c, &head);
			return false;
		}
		if (c->in_bytes - at < sizeof(head) + bytes) {
			if (!grow(c, (uint32_t)sizeof(head) + bytes))
				return false;
			break;
		}
		if (!take_one(c, at, &head, bytes))
			return false;
		at += (uint32_t)sizeof(head) + bytes;
	}
	memmove(c->in, c->in + at, c->in_bytes - at);
	c->in_bytes -= at;
	return true;
}

static void receive(struct conn *c)
{
	if (!grow(c, IN_BYTES)) {
		conn_close(c);
		return;
	}
	while (c->fd != -1) {
		const ssize_t n = recv(c->fd, c->in + c->in_bytes,
				       c->in_space - c->in_bytes, MSG_DONTWAIT);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0)
			c->in_bytes += (uint32_t)n;
		if (n <= 0 || !take_all(c))
			conn_close(c);
	}
}

/* --- out ---------------------------------------------------------------- */

void conn_answer(struct request *r, uint32_t bytes)
{
	struct conn *c = r->conn;
	struct out *o = c->fd != -1 && r->reply ? malloc(sizeof(*o)) : NULL;

	if (o) {
		const uint32_t whole =
			(uint32_t)sizeof(*r->reply) + r->reply_bytes;

		*o = (struct out){ .bytes = bytes < whole ? bytes : whole,
				   .data = r->reply };
		r->reply = NULL;
		list_add_tail(&c->out, &o->node);
		if (bytes < whole)
			c->ends = true;
		if (!list_is_linked(&c->dirty))
			list_add_tail(&dirty, &c->dirty);
	}
	request_free(r);
}

static void sent(struct conn *c, size_t n)
{
	struct out *o, *tmp;

	list_for_each_safe(o, tmp, &c->out, node) {
		const size_t part = n < o->bytes - o->sent ? n :
							     o->bytes - o->sent;

		o->sent += (uint32_t)part;
		n -= part;
		if (o->sent < o->bytes)
			return;
		out_free(o);
	}
}

static unsigned int gather(struct conn *c, struct iovec *iov)
{
	unsigned int n = 0;
	struct out *o;

	list_for_each(o, &c->out, node) {
		if (n == MAX_IOV)
			break;
		iov[n++] = (struct iovec){ (char *)o->data + o->sent,
					   o->bytes - o->sent };
	}
	return n;
}

static void flush(struct conn *c)
{
	struct iovec iov[MAX_IOV];

	while (!list_empty(&c->out)) {
		const struct msghdr m = { .msg_iov = iov,
					  .msg_iovlen = gather(c, iov) };
		const ssize_t n =
			sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1) {
			conn_close(c);
			return;
		}
		sent(c, (size_t)n);
	}
	if (list_empty(&c->out) && c->ends) {
		conn_close(c);
		return;
	}
	if (c->waits_for_room == list_empty(&c->out)) {
		c->waits_for_room = !c->waits_for_room;
		loop_watch(c->fd, &c->source, !c->gateway->hung,
			   c->waits_for_room);
	}
}

void conn_flush_all(void)
{
	struct list_head *n;

	while ((n = dirty.next) != &dirty) {
		struct conn *c = list_entry(n, struct conn, dirty);

		list_del(&c->dirty);
		flush(c);
	}
}

static void ready(struct source *s, uint32_t events)
{
	struct conn *c = container_of(s, struct conn, source);

	if (events & EPOLLOUT)
		flush(c);
	if (c->fd != -1 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(c);
}
