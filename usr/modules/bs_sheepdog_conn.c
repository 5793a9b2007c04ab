/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_conn.c - connecting, and which gateway is left for another.
 *
 * Nothing calls back what a gateway was sent.  One that hangs, or that the network
 * hides, may go on later and do it, over what was written since through another one.
 * So changes that were sent are given back, and may be sent elsewhere, only when the
 * gateway cannot do them later: it has answered, or its process has ended, which it
 * has if the connection was closed or reset from there, or if nobody listens there
 * any more.  Until then they keep their places, and nothing that overlaps them leaves.
 *
 *	it hangs, and owes changes	wait (or, if all disks want it, leave it)
 *	it hangs, and owes no changes	leave it
 *	closed or reset from there	leave it
 *	any other error			changes wait while the same gateway is tried:
 *	  it answers to connecting	  all of them again, there
 *	  nobody listens		  leave it
 *
 * The host watches for input only; sockets that are to become writable are in an
 * epoll set of the group's own, whose file descriptor is watched.
 */
#include "bs_sheepdog.h"
#include "bs_sheepdog_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"

#define BACKOFF_MIN_MS 100U
#define BACKOFF_MAX_MS 1600U
#define CONNECT_MS     3000

static void connect_start(struct sheep_conn *c);

/* --- the state --- */

void bs_sheepdog_conn_want_writable(struct sheep_conn *c, bool want)
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
	bs_sheepdog_conn_want_writable(c, false);
	bs_watch_free(c->watch);
	c->watch = NULL;
	close(c->fd);
	c->fd = -1;
}

void bs_sheepdog_conn_drop(struct sheep_conn *c, const char *why,
			   enum sheep_gateway_is is)
{
	const bool was_up = c->state == SHEEP_CONN_UP;

	if (was_up || !c->said_down)
		bs_log("sheepdog: %s: %s%s",
		       sheep_cluster_name(c->cluster, c->at), why,
		       was_up ? "; connecting again" : "");
	c->said_down = true;
	socket_close(c);
	c->state = SHEEP_CONN_DOWN;
	bs_sheepdog_stream_reset(c);
	c->must_return = is == SHEEP_ALIVE && !c->is_eager &&
			 bs_sheepdog_stream_owes_changes(c);
	bs_sheepdog_stream_give_back(c, !c->must_return);
	if (!c->must_return)
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

void bs_sheepdog_conn_failed(struct sheep_conn *c, int err)
{
	bool ended;

	if (c->state == SHEEP_CONN_UP)
		ended = !err || err == ECONNRESET || err == EPIPE;
	else
		ended = err == ECONNREFUSED || err == ENOENT;
	bs_sheepdog_conn_drop(
		c, err ? strerrordesc_np(err) : "it has closed the connection",
		ended ? SHEEP_ENDED : SHEEP_ALIVE);
}

static void connected(struct sheep_conn *c)
{
	bs_sheepdog_conn_want_writable(c, false);
	c->watch = bs_watch_new(c->group->g, c->fd, bs_sheepdog_stream_ready,
				c);
	if (!c->watch) {
		bs_sheepdog_conn_drop(c, "no memory to watch the connection",
				      SHEEP_ALIVE);
		return;
	}
	c->must_return = false;
	bs_sheepdog_stream_give_back(c, true);
	c->state = SHEEP_CONN_UP;
	c->said_hung = false;
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
	if (!c->must_return)
		c->at = atomic_load(&c->cluster->current);
	c->fd = bs_sheepdog_cluster_connect(c->cluster, c->at);
	if (c->fd < 0) {
		const int err = -c->fd;

		c->fd = -1;
		bs_sheepdog_conn_failed(c, err);
		return;
	}
	c->state = SHEEP_CONN_CONNECTING;
	c->since_ns = clock_now_ns();
	bs_sheepdog_conn_want_writable(c, true);
	bs_sheepdog_conn_want_tick(c);
}

static void connect_end(struct sheep_conn *c)
{
	int err = 0;
	socklen_t bytes = sizeof(err);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &bytes);
	if (err)
		bs_sheepdog_conn_failed(c, err);
	else
		connected(c);
}

static void hangs(struct sheep_conn *c)
{
	if (c->is_eager || !bs_sheepdog_stream_owes_changes(c)) {
		bs_sheepdog_conn_drop(c, "it hangs", SHEEP_ALIVE);
	} else if (!c->said_hung) {
		c->said_hung = true;
		bs_log("sheepdog: %s: it hangs with writes, which it may do later: "
		       "waiting for it",
		       sheep_cluster_name(c->cluster, c->at));
	}
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
		bs_sheepdog_conn_drop(c, "no answer to connecting",
				      SHEEP_ALIVE);
	else if (c->state == SHEEP_CONN_UP && c->nr_free_ids < SHEEP_IDS &&
		 waited_ns > c->stall_ns)
		hangs(c);
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

/* --- the group's sockets that are to become writable --- */

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
			bs_sheepdog_conn_want_writable(c, false);
		bs_sheepdog_io_run(c);
	}
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
	c->is_eager = true;
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
	bs_sheepdog_stream_reset(c);
	bs_sheepdog_stream_give_back(c, true); /* those whose disk is closed */
	bs_timer_free(c->retry);
	bs_timer_free(c->tick);
	list_del(&c->node);
	bs_sheepdog_io_pool_free(c);
	free(c);
}
