/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_conn.c - bytes.
 *
 * Receiving: what comes goes straight to where it belongs as far as that is known
 * when recvmsg() is called, and what comes after it into a buffer.  So a long read
 * is not copied, and many short ones cost one system call.
 *
 * The host watches for input only; sockets that are to become writable are in an
 * epoll set of the group's own, whose file descriptor is watched.
 */
#include "bs_sheepdog.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"

#define BACKOFF_MIN_MS 100U
#define BACKOFF_MAX_MS 1600U
#define CONNECT_MS     3000
#define TX_IOV	       256
#define TX_BYTES       (4U << 20) /* gathered at once */
#define RX_IOV	       64
#define RX_ROUNDS      16 /* then others have their turn */

static void connect_start(struct sheep_conn *c);

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

/* --- the state --- */

static void want_writable(struct sheep_conn *c, bool want)
{
	struct epoll_event e = { .events = EPOLLOUT, .data.ptr = c };

	if (c->waits_writable == want)
		return;
	c->waits_writable = want;
	epoll_ctl(c->group->out_epoll, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
		  c->fd, &e);
}

static void retry(void *ctx)
{
	struct sheep_conn *c = ctx;

	bs_timer_free(c->retry);
	c->retry = NULL;
	if (c->state == SHEEP_CONN_DOWN)
		connect_start(c);
	bs_sheepdog_io_run(c);
}

static void socket_close(struct sheep_conn *c)
{
	if (c->fd == -1)
		return;
	want_writable(c, false);
	bs_watch_free(c->watch);
	c->watch = NULL;
	close(c->fd);
	c->fd = -1;
}

static void give_all_back(struct sheep_conn *c)
{
	list_init(&c->tx);
	for (unsigned int i = 0; i < SHEEP_IDS; i++) {
		struct sheep_xfer *x = c->ids[i];

		if (!x)
			continue;
		list_init(&x->node);
		id_give(c, x);
		x->done(x, -ECONNRESET);
	}
}

void bs_sheepdog_conn_drop(struct sheep_conn *c, const char *why)
{
	const bool was_up = c->state == SHEEP_CONN_UP;

	if (was_up || !c->said_down)
		bs_log("sheepdog: %s: %s%s",
		       sheep_cluster_name(c->cluster, c->at), why,
		       was_up ? "; connecting again" : "");
	c->said_down = true;
	socket_close(c);
	c->state = SHEEP_CONN_DOWN;
	c->tx_done = c->rx_left = c->rx_begin = c->rx_end = 0;
	c->rx = NULL;
	give_all_back(c);
	bs_sheepdog_cluster_next(c->cluster, c->at);
	c->backoff_ms = was_up ? BACKOFF_MIN_MS :
				 MIN(2 * c->backoff_ms, BACKOFF_MAX_MS);
	if (!c->retry)
		c->retry = bs_timer_new(c->group->g, c->backoff_ms, retry, c);
	/* Without memory for a timer the tick does it. */
	if (was_up)
		bs_sheepdog_io_conn_lost(c);
	bs_sheepdog_conn_want_tick(c);
}

static void ready(void *ctx);

static void connected(struct sheep_conn *c)
{
	want_writable(c, false);
	c->watch = bs_watch_new(c->group->g, c->fd, ready, c);
	if (!c->watch) {
		bs_sheepdog_conn_drop(c, "no memory to watch the connection");
		return;
	}
	c->state = SHEEP_CONN_UP;
	c->since_ns = clock_now_ns();
	if (c->said_down)
		bs_log("sheepdog: %s: connected%s",
		       sheep_cluster_name(c->cluster, c->at),
		       c->was_up ? " again" : "");
	c->said_down = false;
	c->was_up = true;
	bs_sheepdog_io_conn_up(c);
}

static void connect_start(struct sheep_conn *c)
{
	c->at = atomic_load(&c->cluster->current);
	c->fd = bs_sheepdog_cluster_connect(c->cluster, c->at);
	if (c->fd < 0) {
		const int err = -c->fd;

		c->fd = -1;
		bs_sheepdog_conn_drop(c, strerrordesc_np(err));
		return;
	}
	c->state = SHEEP_CONN_CONNECTING;
	c->since_ns = clock_now_ns();
	want_writable(c, true);
	bs_sheepdog_conn_want_tick(c);
}

static void connect_end(struct sheep_conn *c)
{
	int err = 0;
	socklen_t bytes = sizeof(err);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &bytes);
	if (err)
		bs_sheepdog_conn_drop(c, strerrordesc_np(err));
	else
		connected(c);
}

static void tick(void *ctx)
{
	struct sheep_conn *c = ctx;
	const uint64_t waited_ns = clock_now_ns() - c->since_ns;
	bool again;

	bs_timer_free(c->tick);
	c->tick = NULL;
	if (c->state == SHEEP_CONN_CONNECTING &&
	    waited_ns > CONNECT_MS * NS_PER_MS)
		bs_sheepdog_conn_drop(c, "no answer to connecting");
	else if (c->state == SHEEP_CONN_UP && c->nr_free_ids < SHEEP_IDS &&
		 waited_ns > c->stall_ns)
		bs_sheepdog_conn_drop(c, "it hangs");
	else if (c->state == SHEEP_CONN_DOWN && !c->retry)
		connect_start(c);
	again = bs_sheepdog_io_tick(c);
	if (again || c->state != SHEEP_CONN_UP)
		bs_sheepdog_conn_want_tick(c);
	bs_sheepdog_io_run(c);
}

void bs_sheepdog_conn_want_tick(struct sheep_conn *c)
{
	if (!c->tick)
		c->tick = bs_timer_new(c->group->g, SHEEP_TICK_MS, tick, c);
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

bool bs_sheepdog_conn_is_leaving(const struct sheep_conn *c,
				 const struct sheep_xfer *x)
{
	return c->tx_done && c->tx.next == &x->node;
}

bool bs_sheepdog_conn_unsend(struct sheep_conn *c, struct sheep_xfer *x)
{
	if (!list_is_linked(&x->node) || bs_sheepdog_conn_is_leaving(c, x))
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
			want_writable(c, true);
		} else if (errno != EINTR) {
			bs_sheepdog_conn_drop(c, strerrordesc_np(errno));
			return;
		}
	}
}

static void writable(void *ctx)
{
	struct sheep_group *g = ctx;
	struct epoll_event events[16];
	const int n = epoll_wait(g->out_epoll, events, ARRAY_SIZE(events), 0);

	for (int i = 0; i < n; i++) {
		struct sheep_conn *c = events[i].data.ptr;

		if (c->state == SHEEP_CONN_CONNECTING)
			connect_end(c);
		else
			want_writable(c, false);
		bs_sheepdog_io_run(c);
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

static void ready(void *ctx)
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
			bs_sheepdog_conn_drop(
				c, got ? strerrordesc_np(errno) :
					 "it has closed the connection");
			break;
		}
		c->since_ns = clock_now_ns();
		if (!parse(c)) {
			bs_sheepdog_conn_drop(c,
					      "a reply that fits no request");
			break;
		}
		if (c->state != SHEEP_CONN_UP || (size_t)got < asked)
			break;
	}
	bs_sheepdog_io_run(c);
}

/* --- groups and connections --- */

int bs_sheepdog_conn_group_open(struct bs_group *g)
{
	struct sheep_group *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->g = g;
	list_init(&s->conns);
	s->out_epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->out_epoll == -1) {
		err = -errno;
		goto no_epoll;
	}
	s->out_watch = bs_watch_new(g, s->out_epoll, writable, s);
	if (!s->out_watch)
		goto no_watch;
	err = bs_sheepdog_note_open(&s->notes, g);
	if (err)
		goto no_notes;
	g->priv = s;
	return 0;

no_notes:
	bs_watch_free(s->out_watch);
no_watch:
	close(s->out_epoll);
no_epoll:
	free(s);
	return err;
}

void bs_sheepdog_conn_group_close(struct bs_group *g)
{
	struct sheep_group *s = g->priv;

	bs_sheepdog_note_close(&s->notes);
	bs_watch_free(s->out_watch);
	close(s->out_epoll);
	free(s);
}

static struct sheep_conn *conn_new(struct sheep_group *g,
				   struct sheep_cluster *cluster)
{
	struct sheep_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->group = g;
	c->cluster = cluster;
	c->fd = -1;
	list_init(&c->channels);
	list_init(&c->tx);
	for (uint16_t i = 0; i < SHEEP_IDS; i++)
		c->free_ids[i] = (uint16_t)(SHEEP_IDS - 1 - i);
	c->nr_free_ids = SHEEP_IDS;
	if (bs_sheepdog_io_pool_new(c)) {
		free(c);
		return NULL;
	}
	list_add(&g->conns, &c->node);
	c->backoff_ms = BACKOFF_MIN_MS;
	connect_start(c);
	return c;
}

struct sheep_conn *bs_sheepdog_conn_get(struct sheep_group *g,
					struct sheep_cluster *cluster)
{
	struct sheep_conn *c, *found = NULL;

	list_for_each(c, &g->conns, node)
		if (c->cluster == cluster)
			found = c;
	if (!found)
		found = conn_new(g, cluster);
	if (found)
		found->refs++;
	return found;
}

void bs_sheepdog_conn_put(struct sheep_conn *c)
{
	if (--c->refs)
		return;
	socket_close(c);
	bs_timer_free(c->retry);
	bs_timer_free(c->tick);
	list_del(&c->node);
	bs_sheepdog_io_pool_free(c);
	free(c);
}
