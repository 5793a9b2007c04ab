/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_call.c - one request at a time, bounded in time. */
#include "bs_sheepdog_call.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <tgt/bs_module.h>
#include "base/clock.h"
#include "base/macros.h"

#define CONNECT_MS 5000
#define AGAIN_MS   200

/* --- moving bytes --- */

/* 0 once @fd is ready, -ETIMEDOUT at @until_ns. */
static int await(int fd, short events, uint64_t until_ns)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		const uint64_t now = clock_now_ns();
		int n;

		if (now >= until_ns)
			return -ETIMEDOUT;
		n = poll(&p, 1,
			 (int)MIN((until_ns - now) / NS_PER_MS + 1, 60000ULL));
		if (n > 0)
			return 0;
		if (n == -1 && errno != EINTR)
			return -errno;
	}
}

static int send_all(int fd, struct iovec *iov, size_t n, uint64_t until_ns)
{
	while (n) {
		const struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };
		ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL);

		if (sent == -1) {
			int err = errno == EAGAIN || errno == EINTR ? 0 :
								      -errno;

			if (!err)
				err = await(fd, POLLOUT, until_ns);
			if (err)
				return err;
			continue;
		}
		for (; n && (size_t)sent >= iov->iov_len; iov++, n--)
			sent -= (ssize_t)iov->iov_len;
		if (n) {
			iov->iov_base = (char *)iov->iov_base + sent;
			iov->iov_len -= (size_t)sent;
		}
	}
	return 0;
}

static int receive_all(int fd, void *to, size_t bytes, uint64_t until_ns)
{
	while (bytes) {
		const int err = await(fd, POLLIN, until_ns);
		const ssize_t got = err ? -1 : recv(fd, to, bytes, 0);

		if (err)
			return err;
		if (got == 0)
			return -ECONNRESET;
		if (got == -1 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got > 0) {
			to = (char *)to + got;
			bytes -= (size_t)got;
		}
	}
	return 0;
}

/* --- connecting --- */

static int connect_to(struct sheep_call *c, unsigned int at)
{
	int err = 0;
	socklen_t bytes = sizeof(err);
	const int fd = bs_sheepdog_cluster_connect(c->cluster, at);

	if (fd < 0)
		return fd;
	err = await(fd, POLLOUT, clock_now_ns() + CONNECT_MS * NS_PER_MS);
	if (!err) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &bytes);
		err = -err;
	}
	if (err) {
		close(fd);
		return err;
	}
	c->fd = fd;
	c->at = at;
	return 0;
}

int bs_sheepdog_call_open(struct sheep_call *c, struct sheep_cluster *cluster,
			  unsigned int wait_ms)
{
	const unsigned int first = atomic_load(&cluster->current);
	int err = -EHOSTUNREACH;

	assert(cluster->nr);
	*c = (struct sheep_call){ .fd = -1,
				  .cluster = cluster,
				  .wait_ms = wait_ms };
	for (unsigned int i = 0; err && i < cluster->nr; i++) {
		err = connect_to(c, first + i);
		if (!err && i)
			atomic_store(&cluster->current, first + i);
	}
	if (err)
		bs_say("no sheep at %s%s: %s",
		       sheep_cluster_name(cluster, first),
		       cluster->nr > 1 ? " nor at the others" : "",
		       strerrordesc_np(-err));
	return err;
}

void bs_sheepdog_call_close(struct sheep_call *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

/* --- requests --- */

static int once(struct sheep_call *c, struct sheep_header h, const void *out,
		void *in, uint32_t in_bytes, uint64_t until_ns)
{
	const bool writes = le16_get(h.flags) & SHEEP_FLAG_WRITE;
	struct iovec iov[2] = { { &h, sizeof(h) } };
	uint32_t got;
	int err;

	h.id = le32_make(++c->id);
	iov[1].iov_base = (void *)(uintptr_t)out;
	iov[1].iov_len = writes ? le32_get(h.data_bytes) : 0;
	err = send_all(c->fd, iov, 1 + (iov[1].iov_len > 0), until_ns);
	if (!err)
		err = receive_all(c->fd, &c->reply, sizeof(c->reply), until_ns);
	if (err)
		return err;
	got = le32_get(c->reply.data_bytes);
	c->result = le32_get(c->reply.result);
	if (le32_get(c->reply.id) != c->id || got > in_bytes)
		return -EPROTO;
	err = receive_all(c->fd, in, got, until_ns);
	if (!err && !c->result && got != in_bytes)
		return -EPROTO;
	return err;
}

int bs_sheepdog_call(struct sheep_call *c, const struct sheep_header *h,
		     const void *out, void *in, uint32_t in_bytes)
{
	const uint64_t until_ns = clock_now_ns() + c->wait_ms * NS_PER_MS;

	for (;;) {
		const int err = once(c, *h, out, in, in_bytes, until_ns);

		if (err) {
			bs_say("the sheep at %s does not answer: %s",
			       sheep_cluster_name(c->cluster, c->at),
			       strerrordesc_np(-err));
			bs_sheepdog_call_close(c);
			return err;
		}
		if (bs_sheepdog_wire_verdict(c->result) != SHEEP_RETRY ||
		    clock_now_ns() + AGAIN_MS * NS_PER_MS >= until_ns)
			return 0;
		poll(NULL, 0, AGAIN_MS);
	}
}

int bs_sheepdog_call_ok(struct sheep_call *c, const char *what,
			const struct sheep_header *h, const void *out, void *in,
			uint32_t in_bytes)
{
	char words[128];
	const int err = bs_sheepdog_call(c, h, out, in, in_bytes);

	if (err || c->result == SHEEP_SUCCESS)
		return err;
	bs_say("%s: %s", what,
	       bs_sheepdog_wire_words(c->result, words, sizeof(words)));
	return bs_sheepdog_wire_errno(c->result);
}

int bs_sheepdog_call_read(struct sheep_call *c, const char *what, uint64_t oid,
			  uint32_t off, void *in, uint32_t bytes)
{
	const struct sheep_header h =
		bs_sheepdog_wire_object(SHEEP_READ, 0, oid, off, bytes);

	return bs_sheepdog_call_ok(c, what, &h, NULL, in, bytes);
}

int bs_sheepdog_call_write(struct sheep_call *c, const char *what, uint64_t oid,
			   uint32_t off, const void *out, uint32_t bytes)
{
	const struct sheep_header h = bs_sheepdog_wire_object(
		SHEEP_WRITE, SHEEP_FLAG_WRITE, oid, off, bytes);

	return bs_sheepdog_call_ok(c, what, &h, out, NULL, 0);
}

int bs_sheepdog_call_lookup(struct sheep_call *c, enum sheep_op op,
			    const struct sheep_names *names, uint32_t snapid,
			    enum sheep_lock_type type, uint32_t *ret_vid)
{
	const struct sheep_header h = bs_sheepdog_wire_lookup(op, snapid, type);
	int err = bs_sheepdog_call(c, &h, names, NULL, 0);

	if (!err && c->result) {
		char words[128];

		err = bs_sheepdog_wire_errno(c->result);
		bs_say("%s",
		       bs_sheepdog_wire_words(c->result, words, sizeof(words)));
	}
	if (!err)
		*ret_vid = le32_get(c->reply.vid);
	return err;
}
