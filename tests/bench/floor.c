/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor - the least that a block server can do (common_floor.h has the
 * protocol).  One thread; a turn receives what is there, reads each block with
 * pread() straight into the reply or writes it with pwrite() from where it was
 * received, and sends all replies at once.
 *
 * floor FILE [--poll]: prints "port N", serves until it is killed; --poll never
 * sleeps in epoll_wait().
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common_floor.h"

#define HEADER sizeof(struct bench_floor_header)
#define BATCH  64
#define FDS    1024

#define WHOLE  (HEADER + BENCH_FLOOR_BYTES)

static uint8_t in[BATCH * WHOLE];
static uint8_t out[BATCH * WHOLE];
static struct { /* the beginning of a request whose rest has not come yet */
	uint8_t buf[WHOLE];
	size_t have;
} rest[FDS];

static void check(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

/*
 * Serve the request at @p, of which @n bytes are there; its reply goes to @to.
 * Returns the bytes used, 0 if that is not all of it, -1 on error.
 */
static ssize_t request(int file, const uint8_t *p, size_t n, uint8_t *to,
		       size_t *ret_len)
{
	struct bench_floor_header h;
	off_t off;

	if (n < HEADER)
		return 0;
	memcpy(&h, p, HEADER);
	off = (off_t)be64_get(h.off_bytes);
	if (h.write && n < WHOLE)
		return 0;
	memcpy(to, &h, HEADER);
	*ret_len = h.write ? HEADER : WHOLE;
	if (h.write ? pwrite(file, p + HEADER, BENCH_FLOOR_BYTES, off) !=
			      BENCH_FLOOR_BYTES :
		      pread(file, to + HEADER, BENCH_FLOOR_BYTES, off) !=
			      BENCH_FLOOR_BYTES)
		return -1;
	return h.write ? (ssize_t)WHOLE : (ssize_t)HEADER;
}

static bool send_all(int fd, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		const ssize_t m =
			send(fd, out + sent, len - sent, MSG_NOSIGNAL);

		if (m <= 0)
			return false;
		sent += (size_t)m;
	}
	return true;
}

/* One turn of a connection.  False when the peer is gone. */
static bool serve(int fd, int file)
{
	size_t have = rest[fd].have, used = 0, len = 0;
	ssize_t n;

	memcpy(in, rest[fd].buf, have);
	n = recv(fd, in + have, sizeof(in) - have, 0);
	if (n <= 0)
		return false;
	have += (size_t)n;
	for (;;) {
		size_t reply = 0;

		n = request(file, in + used, have - used, out + len, &reply);
		if (n < 0)
			return false;
		if (!n)
			break;
		used += (size_t)n;
		len += reply;
		if (len + WHOLE > sizeof(out)) {
			if (!send_all(fd, len))
				return false;
			len = 0;
		}
	}
	rest[fd].have = have - used;
	memcpy(rest[fd].buf, in + used, have - used);
	return send_all(fd, len);
}

static void accept_one(int listener, int ep)
{
	struct epoll_event ev = { .events = EPOLLIN };
	const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), one = 1;

	check(fd >= 0 && fd < FDS, "accept");
	rest[fd].have = 0;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	ev.data.fd = fd;
	check(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
}

int main(int argc, char **argv)
{
	const bool poll = argc == 3 && !strcmp(argv[2], "--poll");
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN }, evs[64];
	socklen_t len = sizeof(sin);
	int file, listener, ep;

	if (argc < 2 || argc > 3 || (argc == 3 && !poll)) {
		fprintf(stderr, "usage: floor FILE [--poll]\n");
		return 1;
	}
	file = open(argv[1], O_RDWR | O_CLOEXEC);
	check(file >= 0, argv[1]);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(listener >= 0 &&
		      !bind(listener, (struct sockaddr *)&sin, sizeof(sin)) &&
		      !listen(listener, 128) &&
		      !getsockname(listener, (struct sockaddr *)&sin, &len),
	      "listen");
	printf("port %u\n", ntohs(sin.sin_port));
	fflush(stdout);
	ep = epoll_create1(EPOLL_CLOEXEC);
	ev.data.fd = listener;
	check(ep >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev), "epoll");

	for (;;) {
		const int n = epoll_wait(ep, evs, 64, poll ? 0 : -1);

		for (int i = 0; i < n; i++)
			if (evs[i].data.fd == listener)
				accept_one(listener, ep);
			else if (!serve(evs[i].data.fd, file))
				close(evs[i].data.fd);
	}
}
