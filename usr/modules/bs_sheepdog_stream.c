/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_stream.c - bytes.
 *
 * Receiving: what comes goes straight to where it belongs as far as that is known
 * when recvmsg() is called, and what comes after it into a buffer.  So a long read
 * is not copied, and many short ones cost one system call.
 */
#include "bs_sheepdog.h"
#include "bs_sheepdog_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/clock.h"

#define TX_IOV	  256
#define TX_BYTES  (4U << 20) /* gathered at once */
#define RX_IOV	  64
#define RX_ROUNDS 16 /* then others have their turn */

/* --- ids --- */

static int id_take(struct sheep_conn *c, struct sheep_xfer *x)
{
	if (!c->nr_free_ids)
		return -EAGAIN;
	x->index = c->free_ids[--c->nr_free_ids];
	c->ids[x->index] = x;
	x->h.id =
		le32_make((uint32_t)++c->generation[x->index] << 16 | x->index);
	x->at_sheep = true;
	return 0;
}

static void id_give(struct sheep_conn *c, struct sheep_xfer *x)
{
	c->ids[x->index] = NULL;
	c->free_ids[c->nr_free_ids++] = x->index;
	x->at_sheep = false;
}

/* Whose reply is it?  NULL: nobody's, or of one that is not all sent. */
static struct sheep_xfer *id_find(struct sheep_conn *c, le32 id)
{
	const uint32_t n = le32_get(id), index = n & 0xffff;
	struct sheep_xfer *x = index < SHEEP_IDS ? c->ids[index] : NULL;

	return x && le32_get(x->h.id) == n && !list_is_linked(&x->node) ? x :
									  NULL;
}

/* --- what the gateway owes --- */

/* A gateway that goes on later may do it yet: it changes something, and all of it has
 * left.  (Of a part, nothing is done.) */
static bool may_be_done_yet(const struct sheep_xfer *x)
{
	return (x->h.op == SHEEP_CREATE || x->h.op == SHEEP_WRITE ||
		x->h.op == SHEEP_DISCARD) &&
	       !list_is_linked(&x->node);
}

bool bs_sheepdog_stream_owes_changes(const struct sheep_conn *c)
{
	for (unsigned int i = 0; i < SHEEP_IDS; i++)
		if (c->ids[i] && may_be_done_yet(c->ids[i]))
			return true;
	return false;
}

void bs_sheepdog_stream_give_back(struct sheep_conn *c, bool with_changes)
{
	for (unsigned int i = 0; i < SHEEP_IDS; i++) {
		struct sheep_xfer *x = c->ids[i];

		if (!x || (!with_changes && may_be_done_yet(x)))
			continue;
		list_del(&x->node);
		id_give(c, x);
		x->done(x, -ECONNRESET);
	}
}

void bs_sheepdog_stream_reset(struct sheep_conn *c)
{
	c->tx_done = c->rx_left = c->rx_begin = c->rx_end = 0;
	c->rx = NULL;
	free(c->tx_copy);
	c->tx_copy = NULL;
}

/* --- sending --- */

int bs_sheepdog_conn_send(struct sheep_conn *c, struct sheep_xfer *x)
{
	int err;

	if (c->state != SHEEP_CONN_UP)
		return -ENOTCONN;
	if (c->nr_free_ids == SHEEP_IDS) /* it owed us nothing until now */
		c->since_ns = clock_now_ns();
	err = id_take(c, x);
	if (!err)
		list_add_tail(&c->tx, &x->node);
	return err;
}

/* Begun, and not all of it has left. */
static bool is_leaving(const struct sheep_conn *c, const struct sheep_xfer *x)
{
	return c->tx_done && c->tx.next == &x->node;
}

bool bs_sheepdog_conn_unsend(struct sheep_conn *c, struct sheep_xfer *x)
{
	if (!list_is_linked(&x->node) || is_leaving(c, x))
		return false;
	list_del(&x->node);
	id_give(c, x);
	return true;
}

/* What of @x is behind its first @done bytes. */
static int gather_one(const struct sheep_xfer *x, size_t done, struct iovec *to,
		      int max)
{
	struct sheep_cursor data = x->data;
	int n = 0;

	if (done < sizeof(x->h)) {
		to[0].iov_base = (char *)(uintptr_t)&x->h + done;
		to[n++].iov_len = sizeof(x->h) - done;
		done = 0;
	} else {
		done -= sizeof(x->h);
	}
	if (x->out_bytes == done)
		return n;
	sheep_cursor_advance(&data, done);
	return n +
	       sheep_cursor_slice(data, x->out_bytes - done, to + n, max - n);
}

static void sent(struct sheep_conn *c, size_t bytes)
{
	struct sheep_xfer *x, *tmp;

	list_for_each_safe(x, tmp, &c->tx, node) {
		const size_t left = sizeof(x->h) + x->out_bytes - c->tx_done;

		if (bytes < left) {
			c->tx_done += bytes;
			return;
		}
		bytes -= left;
		c->tx_done = 0;
		list_del(&x->node);
		free(c->tx_copy);	/* it was of the first */
		c->tx_copy = NULL;
	}
}

static int gather(struct sheep_conn *c, struct iovec *iov)
{
	size_t done = c->tx_done, bytes = 0;
	const struct sheep_xfer *x;
	int n = 0;

	list_for_each(x, &c->tx, node) {
		if (n + 2 > TX_IOV || bytes > TX_BYTES)
			break;
		n += gather_one(x, done, iov + n, TX_IOV - n);
		bytes += x->out_bytes;
		done = 0;
	}
	return n;
}

int bs_sheepdog_conn_copy_rest(struct sheep_conn *c, struct sheep_xfer *x)
{
	struct sheep_cursor from = x->data;
	char *copy;

	if (!is_leaving(c, x) || !x->out_bytes || c->tx_copy)
		return 0;
	copy = malloc(x->out_bytes);
	if (!copy)
		return -ENOMEM;
	sheep_cursor_get(&from, copy, x->out_bytes);
	c->tx_copy = copy;
	x->own.iov_base = copy;
	x->own.iov_len = x->out_bytes;
	x->data = (struct sheep_cursor){ .iov = &x->own };
	return 0;
}

void bs_sheepdog_conn_disown(struct sheep_conn *c, struct sheep_xfer *x)
{
	x->data.iov = NULL;
	if (c->rx == x)
		c->rx_to.iov = NULL;
}

void bs_sheepdog_conn_flush(struct sheep_conn *c)
{
	while (!list_empty(&c->tx) && !c->waits_writable) {
		struct iovec iov[TX_IOV];
		const struct msghdr m = {
			.msg_iov = iov, .msg_iovlen = (size_t)gather(c, iov)
		};
		const ssize_t n =
			sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			sent(c, (size_t)n);
		} else if (errno == EAGAIN) {
			bs_sheepdog_conn_want_writable(c, true);
		} else if (errno != EINTR) {
			bs_sheepdog_conn_failed(c, errno);
			return;
		}
	}
}

/* --- receiving --- */

static void answered(struct sheep_conn *c, struct sheep_xfer *x)
{
	c->rx = NULL;
	id_give(c, x);
	x->done(x, (int)le32_get(x->reply.result));
}

/* False: what it says cannot be. */
static bool header_came(struct sheep_conn *c, const struct sheep_reply *r)
{
	struct sheep_xfer *x = id_find(c, r->id);
	const uint32_t bytes = le32_get(r->data_bytes),
		       result = le32_get(r->result);

	if (!x || bytes > x->in_bytes || result > INT32_MAX ||
	    (!result && bytes != x->in_bytes))
		return false;
	x->reply = *r;
	if (!bytes) {
		answered(c, x);
		return true;
	}
	c->rx = x;
	c->rx_left = bytes;
	c->rx_to = x->data;
	return true;
}

/* The first @bytes of what is missing have come to their place. */
static void data_came(struct sheep_conn *c, size_t bytes)
{
	c->rx_left -= bytes;
	if (!c->rx_left)
		answered(c, c->rx);
}

/* What is in the buffer.  False: drop the connection. */
static bool parse(struct sheep_conn *c)
{
	while (c->state == SHEEP_CONN_UP) {
		const size_t have = c->rx_end - c->rx_begin;
		const size_t n = c->rx_left ? MIN(have, c->rx_left) :
					      sizeof(struct sheep_reply);
		const void *from = c->rx_buf + c->rx_begin;
		struct sheep_reply r;

		if (!have || (!c->rx_left && have < n))
			break;
		c->rx_begin += n;
		if (c->rx_left) {
			if (c->rx_to.iov)
				sheep_cursor_put(&c->rx_to, from, n);
			data_came(c, n);
			continue;
		}
		memcpy(&r, from, sizeof(r));
		if (!header_came(c, &r))
			return false;
	}
	memmove(c->rx_buf, c->rx_buf + c->rx_begin, c->rx_end - c->rx_begin);
	c->rx_end -= c->rx_begin;
	c->rx_begin = 0;
	return true;
}

/* As readv(), into what is missing and the buffer behind it. */
static ssize_t receive(struct sheep_conn *c, size_t *ret_asked)
{
	struct iovec iov[RX_IOV + 1];
	size_t direct = 0, part;
	ssize_t got;
	int n = 0;

	if (c->rx_left && c->rx_to.iov)
		n = sheep_cursor_slice(c->rx_to, c->rx_left, iov, RX_IOV);
	for (int i = 0; i < n; i++)
		direct += iov[i].iov_len;
	*ret_asked = direct;
	if (!direct || direct == c->rx_left) {
		iov[n].iov_base = c->rx_buf + c->rx_end;
		iov[n].iov_len = sizeof(c->rx_buf) - c->rx_end;
		*ret_asked += iov[n++].iov_len;
	}
	got = readv(c->fd, iov, n);
	if (got <= 0)
		return got;
	part = MIN((size_t)got, direct);
	c->rx_end += (size_t)got - part;
	if (part) {
		sheep_cursor_advance(&c->rx_to, part);
		data_came(c, part);
	}
	return got;
}

void bs_sheepdog_stream_ready(void *ctx)
{
	struct sheep_conn *c = ctx;

	for (int i = 0; i < RX_ROUNDS; i++) {
		size_t asked;
		const ssize_t got = receive(c, &asked);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 && errno == EAGAIN)
			break;
		if (got <= 0) {
			bs_sheepdog_conn_failed(c, got ? errno : 0);
			break;
		}
		c->since_ns = clock_now_ns();
		if (!parse(c)) {
			bs_sheepdog_conn_drop(
				c, "a reply that fits no request", SHEEP_ALIVE);
			break;
		}
		if (c->state != SHEEP_CONN_UP || (size_t)got < asked)
			break;
	}
	bs_sheepdog_io_run(c);
}
