/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/conn.c - a connection's life.
 *
 *	LOGIN         from accept; ISCSI_LOGIN_TIMEOUT_MS to finish
 *	FULL_FEATURE  after login
 *	ENDING        the last answer is queued; then our half is shut down and
 *	              the initiator has LINGER_MS to close his, so that the answer
 *	              is not lost to a reset
 *	CLOSED        off the reactor; freed with the last reference
 *
 * References: one while not CLOSED, one for each command that has not been
 * released.  A connection that loses its last one is freed at the end of the
 * turn, because its callers may still look at it.
 */
#include "iscsi/conn.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/probe.h"
#include "iscsi/cmdsn.h"
#include "iscsi/command.h"
#include "iscsi/conn_rx.h"
#include "iscsi/conn_tx.h"
#include "iscsi/login.h"
#include "iscsi/nop.h"
#include "iscsi/session.h"
#include "reactor/group.h"

#define LINGER_MS	2000
#define CONNS_MAX	16384
#define LOGINS_MAX	1024	/* connections that have not logged in yet */

static atomic_uint load[REACTORS_MAX];	/* connections per reactor */
static atomic_uint nr_conns, nr_logins;
static atomic_uint_fast64_t next_id = 1;

static __thread struct {
	bool ready;
	struct list_head conns;
	struct list_head dying;		/* freed in the SEND stage */
	struct reactor_hook reap;
} own;

static void reap(struct reactor_hook *h)
{
	struct iscsi_conn *conn;

	(void)h;
	while ((conn = list_pop(&own.dying, struct iscsi_conn, node)))
		free(conn);
}

static void close_all(void)
{
	struct iscsi_conn *conn, *tmp;

	list_for_each_safe(conn, tmp, &own.conns, node)
		iscsi_conn_close(conn, "tgtd ends");
	reap(NULL);
}

static void init_thread(void)
{
	if (own.ready)
		return;
	own.ready = true;
	list_init(&own.conns);
	list_init(&own.dying);
	reactor_hook_init(&own.reap, reap);
	reactor_on_exit(reactor_current(), close_all);
}

void iscsi_conn_each(void (*visit)(struct iscsi_conn *conn, void *arg), void *arg)
{
	struct iscsi_conn *conn, *tmp;

	init_thread();
	list_for_each_safe(conn, tmp, &own.conns, node)
		visit(conn, arg);
}

void iscsi_conn_get(struct iscsi_conn *conn)
{
	conn->refs++;
}

void iscsi_conn_put(struct iscsi_conn *conn)
{
	assert(conn->refs > 0);
	if (--conn->refs)
		return;
	list_add_tail(&own.dying, &conn->node);
	reactor_hook_arm(conn->reactor, &own.reap, REACTOR_SEND);
}

bool iscsi_conn_peer_closed(const struct iscsi_conn *conn)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	return getsockopt(conn->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &n) == -1 ||
	       info.tcpi_state != TCP_ESTABLISHED;
}

static void login_over(struct iscsi_conn *conn)
{
	if (conn->in_login_count)
		atomic_fetch_sub(&nr_logins, 1);
	conn->in_login_count = false;
}

void iscsi_conn_close(struct iscsi_conn *conn, const char *why)
{
	struct iscsi_session *s = conn->session;
	int fd;

	if (conn->state == ISCSI_CONN_CLOSED)
		return;
	conn->state = ISCSI_CONN_CLOSED;
	PROBE(iscsi, conn_close, conn->id);
	log_debug("conn %lu from %s: %s", (unsigned long)conn->id,
		  conn->peer_text, why);
	login_over(conn);
	reactor_timer_cancel(conn->reactor, &conn->timer);
	fd = conn->watch.fd;
	reactor_watch_del(conn->reactor, &conn->watch);
	close(fd);
	iscsi_conn_tx_fini(conn);
	iscsi_conn_rx_fini(conn);
	iscsi_login_free(conn);
	conn->session = NULL;
	if (s) {
		iscsi_cmdsn_close(s);
		iscsi_command_drop(s, NULL);
		iscsi_session_close(s);
	}
	list_del(&conn->node);
	atomic_fetch_sub(&load[reactor_id(conn->reactor)], 1);
	atomic_fetch_sub(&nr_conns, 1);
	iscsi_conn_put(conn);
}

static void lingered(struct timer *t)
{
	iscsi_conn_close(container_of(t, struct iscsi_conn, timer),
			 "ended, but not closed by the initiator");
}

void iscsi_conn_close_when_sent(struct iscsi_conn *conn)
{
	if (conn->state >= ISCSI_CONN_ENDING)
		return;
	conn->state = ISCSI_CONN_ENDING;
	login_over(conn);
	if (conn->rx.paused)
		iscsi_conn_rx_resume(conn);
	conn->timer.expired = lingered;
	if (reactor_timer_arm(conn->reactor, &conn->timer, LINGER_MS) < 0) {
		iscsi_conn_close(conn, "out of memory");
		return;
	}
	if (!conn->tx_blocked)
		reactor_hook_arm(conn->reactor, &conn->send, REACTOR_SEND);
}

static void ready(struct watch *w, uint32_t events)
{
	struct iscsi_conn *conn = container_of(w, struct iscsi_conn, watch);

	if (events & (EPOLLERR | EPOLLHUP) && (conn->rx.paused || !(events & EPOLLIN))) {
		iscsi_conn_close(conn, "connection lost");
		return;
	}
	if (events & EPOLLOUT)
		iscsi_conn_tx_run(conn);
	if (events & EPOLLIN && conn->state != ISCSI_CONN_CLOSED)
		iscsi_conn_rx_run(conn);
}

static void login_timeout(struct timer *t)
{
	struct iscsi_conn *conn = container_of(t, struct iscsi_conn, timer);

	log_info("conn %lu from %s: no login within %d s",
		 (unsigned long)conn->id, conn->peer_text,
		 ISCSI_LOGIN_TIMEOUT_MS / 1000);
	iscsi_conn_close(conn, "login timeout");
}

/* On its reactor for the first time. */
static void start(struct mail *m)
{
	struct iscsi_conn *conn = container_of(m, struct iscsi_conn, mail);
	int err;

	init_thread();
	list_add_tail(&own.conns, &conn->node);
	conn->timer.expired = login_timeout;
	err = reactor_timer_arm(conn->reactor, &conn->timer, ISCSI_LOGIN_TIMEOUT_MS);
	if (!err)
		err = iscsi_login_start(conn);
	if (!err)
		err = reactor_watch_add(conn->reactor, &conn->watch);
	if (err < 0)
		iscsi_conn_close(conn, "cannot start");
}

static void set_options(int fd)
{
	/* A peer that vanished is noticed in two minutes even without NOPs. */
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 120000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (setsockopt(fd, options[i].level, options[i].name,
			       &options[i].value, sizeof(options[i].value)) == -1)
			log_warn("setsockopt(%d, %d): errno %d", options[i].level,
				 options[i].name, errno);
}

static struct reactor *least_busy(void)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < reactor_group_size(); i++)
		if (atomic_load(&load[i]) < atomic_load(&load[best]))
			best = i;
	return reactor_group_get(best);
}

static int addresses(struct iscsi_conn *conn, int fd)
{
	socklen_t n = sizeof(conn->peer);

	if (getpeername(fd, (struct sockaddr *)&conn->peer, &n) == -1)
		return -errno;
	if (getnameinfo((struct sockaddr *)&conn->peer, n, conn->peer_text,
			sizeof(conn->peer_text), NULL, 0, NI_NUMERICHOST))
		return -EINVAL;
	n = sizeof(conn->local);
	if (getsockname(fd, (struct sockaddr *)&conn->local, &n) == -1)
		return -errno;
	return 0;
}

int iscsi_conn_accept(int fd_taken, uint16_t tpgt)
{
	_cleanup_close_ int fd = fd_taken;
	_cleanup_free_ struct iscsi_conn *conn = NULL;
	int err;

	if (atomic_load(&nr_conns) >= CONNS_MAX || atomic_load(&nr_logins) >= LOGINS_MAX) {
		log_warn("connection refused: %u connections, %u of them not logged in",
			 atomic_load(&nr_conns), atomic_load(&nr_logins));
		return -EMFILE;
	}
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	err = addresses(conn, fd);
	if (err < 0)
		return err;		/* gone already */
	set_options(fd);
	conn->id = atomic_fetch_add(&next_id, 1);
	conn->tpgt = tpgt;
	conn->refs = 1;
	conn->in_login_count = true;
	list_init(&conn->node);
	iscsi_conn_tx_init(conn);
	conn->watch = (struct watch){
		.fd = TAKE_FD(fd),
		.events = EPOLLIN,
		.ready = ready,
	};
	conn->reactor = least_busy();
	atomic_fetch_add(&nr_conns, 1);
	atomic_fetch_add(&nr_logins, 1);
	atomic_fetch_add(&load[reactor_id(conn->reactor)], 1);
	log_debug("conn %lu from %s", (unsigned long)conn->id, conn->peer_text);
	reactor_mailbox_send(conn->reactor, &conn->mail, start);
	conn = NULL;
	return 0;
}

void iscsi_conn_login_done(struct iscsi_conn *conn)
{
	login_over(conn);
	conn->state = ISCSI_CONN_FULL_FEATURE;
	reactor_timer_cancel(conn->reactor, &conn->timer);
	iscsi_nop_start(conn);
}
