/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_conn.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common_util.h"

#define RX_BYTES	  (256 * 1024) /* stays in the second-level cache */
#define DIGESTS_KEPT	  64	       /* power of two */
#define TX_IOVS		  512
#define ANSWER_TIMEOUT_MS 10000

static uint8_t rx_buf[RX_BYTES];

static int connect_to(const char *portal)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(portal, ':');
	struct addrinfo *list, *ai;
	char host[256];
	size_t n;
	int fd = -1, err;

	if (!colon || (size_t)(colon - portal) >= sizeof(host))
		bench_util_die(BENCH_USAGE,
			       "portal '%s': expected ADDRESS:PORT", portal);
	n = (size_t)(colon - portal);
	memcpy(host, portal, n);
	host[n] = '\0';
	if (n > 1 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
	}

	err = getaddrinfo(host, colon + 1, &hints, &list);
	if (err)
		bench_util_die(BENCH_USAGE, "portal '%s': %s", portal,
			       gai_strerror(err));
	for (ai = list; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd == -1)
			continue;
		if (!connect(fd, ai->ai_addr, ai->ai_addrlen))
			break;
		close(fd);
		fd = -1;
	}
	if (fd == -1)
		bench_util_die(BENCH_FAILED, "connect to %s: %s", portal,
			       strerror(errno));
	freeaddrinfo(list);
	return fd;
}

void bench_conn_open(struct bench_conn *c, const char *portal,
		     const struct bench_proto *proto, unsigned int depth)
{
	const int one = 1;

	c->proto = proto;
	c->depth = depth;
	c->tasks = bench_util_alloc(depth, sizeof(*c->tasks));
	c->waiting = bench_util_alloc(depth, sizeof(*c->waiting));
	c->tx.size = 64;
	c->tx.item = bench_util_alloc(c->tx.size, sizeof(*c->tx.item));
	c->fd = connect_to(portal);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void bench_conn_close(struct bench_conn *c)
{
	close(c->fd);
	c->fd = -1;
	free(c->tasks);
	free(c->waiting);
	free(c->tx.item);
}

static void tx_grow(struct bench_conn *c)
{
	struct bench_tx_item *bigger =
		bench_util_alloc(c->tx.size * 2, sizeof(*bigger));

	for (size_t i = c->tx.head; i != c->tx.tail; i++)
		bigger[i & (c->tx.size * 2 - 1)] =
			c->tx.item[i & (c->tx.size - 1)];
	free(c->tx.item);
	c->tx.item = bigger;
	c->tx.size *= 2;
}

struct bench_tx_item *bench_conn_push(struct bench_conn *c)
{
	struct bench_tx_item *item;

	if (c->tx.tail - c->tx.head == c->tx.size)
		tx_grow(c);
	item = &c->tx.item[c->tx.tail++ & (c->tx.size - 1)];
	memset(item, 0, sizeof(*item));
	return item;
}

/* CRC32C as iSCSI sends it: complemented, least significant byte first. */
static void digest_put(uint8_t *to, uint32_t crc)
{
	crc = ~crc;
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(crc >> (8 * i));
}

static uint32_t digest_add(uint32_t crc, const void *data, size_t n)
{
	return crc32_iscsi((unsigned char *)(uintptr_t)data, (int)n, crc);
}

/* The pieces of @item beyond @skip bytes.  Returns their number. */
static int item_iov(const struct bench_conn *c, struct bench_tx_item *item,
		    size_t skip, struct iovec *iov)
{
	const struct iovec all[3] = {
		{ &item->bhs,
		  sizeof(item->bhs) + (c->terms.header_digest ? 4 : 0) },
		{ (void *)(uintptr_t)item->data, item->data_bytes },
		{ item->data_digest,
		  c->terms.data_digest && item->data_bytes ? 4 : 0 },
	};
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const size_t cut = MIN(skip, all[i].iov_len);

		skip -= cut;
		if (cut == all[i].iov_len)
			continue;
		iov[n].iov_base = (uint8_t *)all[i].iov_base + cut;
		iov[n++].iov_len = all[i].iov_len - cut;
	}
	return n;
}

/* The digest of data that never change, worked out once for each piece. */
static void kept_digest(const struct bench_tx_item *item, uint8_t *to)
{
	static struct {
		const uint8_t *data;
		uint32_t bytes;
		uint8_t digest[4];
	} kept[DIGESTS_KEPT];
	/* Pieces of a buffer start at least 512 bytes apart. */
	const size_t at = ((uintptr_t)item->data >> 9) & (DIGESTS_KEPT - 1);

	if (kept[at].data != item->data || kept[at].bytes != item->data_bytes) {
		kept[at].data = item->data;
		kept[at].bytes = item->data_bytes;
		digest_put(kept[at].digest,
			   digest_add(~0u, item->data, item->data_bytes));
	}
	memcpy(to, kept[at].digest, sizeof(kept[at].digest));
}

/* Called once an item, when its first byte is about to be sent. */
static void item_digest(const struct bench_conn *c, struct bench_tx_item *item)
{
	if (c->terms.header_digest)
		digest_put(item->header_digest,
			   digest_add(~0u, &item->bhs, sizeof(item->bhs)));
	if (!c->terms.data_digest || !item->data_bytes)
		return;
	if (c->timed)
		kept_digest(item, item->data_digest);
	else
		digest_put(item->data_digest,
			   digest_add(~0u, item->data, item->data_bytes));
}

static size_t item_bytes(const struct bench_conn *c,
			 const struct bench_tx_item *item)
{
	return sizeof(item->bhs) + (c->terms.header_digest ? 4 : 0) +
	       item->data_bytes +
	       (c->terms.data_digest && item->data_bytes ? 4 : 0);
}

static void tx_advance(struct bench_conn *c, size_t sent)
{
	sent += c->tx.sent_bytes;
	while (c->tx.head != c->tx.tail) {
		const size_t n = item_bytes(
			c, &c->tx.item[c->tx.head & (c->tx.size - 1)]);

		if (sent < n)
			break;
		sent -= n;
		c->tx.head++;
	}
	c->tx.sent_bytes = sent;
}

bool bench_conn_flush(struct bench_conn *c)
{
	while (c->tx.head != c->tx.tail) {
		struct iovec iov[TX_IOVS];
		struct msghdr msg = { .msg_iov = iov };
		size_t want = 0, skip = c->tx.sent_bytes;
		ssize_t n;

		for (size_t i = c->tx.head;
		     i != c->tx.tail && msg.msg_iovlen + 3 <= TX_IOVS; i++) {
			struct bench_tx_item *item =
				&c->tx.item[i & (c->tx.size - 1)];

			if (!skip)
				item_digest(c, item);
			msg.msg_iovlen += (size_t)item_iov(
				c, item, skip, iov + msg.msg_iovlen);
			want += item_bytes(c, item) - skip;
			skip = 0;
		}
		n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n == -1)
			bench_util_die(BENCH_FAILED, "connection %u: send: %s",
				       c->index, strerror(errno));
		tx_advance(c, (size_t)n);
		if ((size_t)n < want)
			return false;
	}
	return true;
}

/* Bytes of padding after @n bytes of data, RFC 7143 11.1. */
static uint32_t pad_of(uint32_t n)
{
	return -n & 3;
}

/*
 * Collect a header.  Returns the bytes used; in_data is set once it is whole.
 */
static size_t rx_header(struct bench_conn *c, const uint8_t *p, size_t n)
{
	const unsigned int digest = c->terms.header_digest ? 4 : 0;
	unsigned int want = sizeof(struct iscsi_bhs), ahs;
	size_t used = 0;

	for (;;) {
		const size_t part = MIN(want - c->rx.header_have, n - used);

		memcpy(c->rx.header + c->rx.header_have, p + used, part);
		c->rx.header_have += (unsigned int)part;
		used += part;
		if (c->rx.header_have < want)
			return used;
		ahs = ((struct iscsi_bhs *)c->rx.header)->ahs_words * 4u;
		if (want == sizeof(struct iscsi_bhs) + ahs + digest)
			break;
		want = sizeof(struct iscsi_bhs) + ahs + digest;
	}
	if (digest) {
		uint8_t crc[4];

		digest_put(crc, digest_add(~0u, c->rx.header, want - 4));
		if (memcmp(crc, c->rx.header + want - 4, 4))
			bench_util_die(BENCH_CORRUPT,
				       "connection %u: header digest is wrong",
				       c->index);
	}
	memcpy(&c->rx.bhs, c->rx.header, sizeof(c->rx.bhs));
	c->rx.header_have = 0;
	c->rx.in_data = true;
	c->rx.offset = 0;
	c->rx.crc = ~0u;
	c->rx.copy_to = NULL;
	c->rx.copy_bytes = 0;
	c->rx.task = NULL;
	c->proto->header(c, &c->rx.bhs);
	return used;
}

/* The length of the data segment on the wire: data, padding, digest. */
static uint32_t rx_total(const struct bench_conn *c)
{
	const uint32_t data = c->rx.data_bytes;

	return data + pad_of(data) + (c->terms.data_digest && data ? 4 : 0);
}

/* Data, padding, digest.  Returns the bytes used; the PDU may end here. */
static size_t rx_data(struct bench_conn *c, const uint8_t *p, size_t n)
{
	const uint32_t data = c->rx.data_bytes, padded = data + pad_of(data);
	const uint32_t total = rx_total(c);
	const bool check = c->terms.data_digest && !c->timed;
	size_t used = 0;

	while (used < n && c->rx.offset < total) {
		const uint32_t at = c->rx.offset;
		const uint32_t end = at < data	 ? data :
				     at < padded ? padded :
						   total;
		const uint32_t part = (uint32_t)MIN(end - at, n - used);

		if (at < data && at < c->rx.copy_bytes)
			memcpy(c->rx.copy_to + at, p + used,
			       MIN(part, c->rx.copy_bytes - at));
		if (at >= padded)
			memcpy(c->rx.digest + (at - padded), p + used, part);
		else if (check)
			c->rx.crc = digest_add(c->rx.crc, p + used, part);
		c->rx.offset += part;
		used += part;
	}
	if (c->rx.offset < total)
		return used;
	if (check && total > padded) {
		uint8_t crc[4];

		digest_put(crc, c->rx.crc);
		if (memcmp(crc, c->rx.digest, 4))
			bench_util_die(BENCH_CORRUPT,
				       "connection %u: data digest is wrong",
				       c->index);
	}
	c->rx.in_data = false;
	c->proto->finish(c);
	return used;
}

/* Receive up to @max bytes, to nowhere if @buf is NULL.  0: nothing is there. */
static size_t rx_recv(const struct bench_conn *c, void *buf, size_t max,
		      uint64_t *now)
{
	const ssize_t n =
		recv(c->fd, buf, max, MSG_DONTWAIT | (buf ? 0 : MSG_TRUNC));

	*now = bench_now_ns();
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == -1)
		bench_util_die(BENCH_FAILED, "connection %u: receive: %s",
			       c->index, strerror(errno));
	if (n == 0)
		bench_util_die(BENCH_FAILED,
			       "connection %u: the target closed it", c->index);
	return (size_t)n;
}

static void rx_parse(struct bench_conn *c, const uint8_t *p, size_t n)
{
	size_t used = 0;

	while (used < n || (c->rx.in_data && !c->rx.data_bytes)) {
		if (c->rx.in_data)
			used += rx_data(c, p + used, n - used);
		else
			used += rx_header(c, p + used, n - used);
	}
}

/*
 * Headers are received by themselves, data dropped by the kernel without a
 * copy (tcp(7), MSG_TRUNC): two system calls a PDU, which a large one is worth.
 */
static size_t rx_discarding(struct bench_conn *c, uint64_t *now)
{
	size_t got = 0, want, n;

	do {
		const bool drop = c->rx.in_data && !c->rx.copy_to;

		if (!c->rx.in_data)
			want = sizeof(struct iscsi_bhs) +
			       (c->terms.header_digest ? 4 : 0) -
			       c->rx.header_have;
		else
			want = rx_total(c) - c->rx.offset;
		if (!drop && want > sizeof(rx_buf))
			want = sizeof(rx_buf);
		n = rx_recv(c, drop ? NULL : rx_buf, want, now);
		got += n;
		if (!drop) {
			rx_parse(c, rx_buf, n);
			continue;
		}
		c->rx.offset += (uint32_t)n;
		if (c->rx.offset == rx_total(c)) {
			c->rx.in_data = false;
			c->proto->finish(c);
		}
	} while (n == want && got < RX_BYTES);
	return got;
}

size_t bench_conn_receive(struct bench_conn *c, uint64_t *now)
{
	size_t n;

	if (c->discard)
		return rx_discarding(c, now);
	n = rx_recv(c, rx_buf, sizeof(rx_buf), now);
	rx_parse(c, rx_buf, n);
	return n;
}

void bench_conn_drain(struct bench_conn *c)
{
	while (c->nr_active || c->tx.head != c->tx.tail) {
		const bool all_sent = bench_conn_flush(c);
		struct pollfd p = {
			.fd = c->fd,
			.events = (short)(POLLIN | (all_sent ? 0 : POLLOUT)),
		};
		uint64_t now;

		if (all_sent && !c->nr_active)
			break;
		if (poll(&p, 1, ANSWER_TIMEOUT_MS) == 0)
			bench_util_die(BENCH_FAILED,
				       "connection %u: no answer in %d s",
				       c->index, ANSWER_TIMEOUT_MS / 1000);
		if (p.revents & ~POLLOUT)
			bench_conn_receive(c, &now);
	}
}
