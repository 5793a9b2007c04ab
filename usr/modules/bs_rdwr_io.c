/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rdwr_io.c - reading and writing.
 *
 * A request may be served in pieces: a first one on the reactor, from the page
 * cache, and the rest by a worker.  req->priv[0] counts what is done.
 *
 * A read that meets the end of the file is a medium error: the file has shrunk
 * behind our back, and what it held is lost.  Zeroes would be a lie.
 */
#include "bs_rdwr.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include "base/macros.h"

#define PIECES_MAX	64	/* iovecs of one system call */
#define ZEROES_BYTES	(256U << 10)

int bs_rdwr_error(int err)
{
	switch (err) {
	case 0:
	case ENOSPC:
	case EROFS:
	case ENODATA:
	case EOPNOTSUPP:
	case ETIMEDOUT:
	case ENOMEM:
		return -err;
	case EDQUOT:
		return -ENOSPC;
	case ENXIO:
	case ENODEV:
		return -ENXIO;
	case EPERM:		/* made immutable, or sealed */
	case EACCES:
		return -EROFS;
	default:
		return -EIO;
	}
}

static uint64_t get_done(const struct bs_req *req)
{
	return (uint64_t)(uintptr_t)req->priv[0];
}

static void set_done(struct bs_req *req, uint64_t done)
{
	req->priv[0] = (void *)(uintptr_t)done;
}

/* What is left of the request's list, as much of it as fits. */
static int pieces(const struct bs_req *req, struct iovec *to)
{
	uint64_t skip = get_done(req);
	int n = 0;

	for (int i = 0; i < req->iovcnt && n < PIECES_MAX; i++) {
		const struct iovec *v = &req->iov[i];

		if (skip >= v->iov_len) {
			skip -= v->iov_len;
			continue;
		}
		to[n].iov_base = (char *)v->iov_base + skip;
		to[n++].iov_len = v->iov_len - skip;
		skip = 0;
	}
	return n;
}

/* --- reading --- */

static int read_rest(struct bs_dev *dev, struct bs_req *req)
{
	const struct rdwr *d = dev->priv;
	struct iovec iov[PIECES_MAX];

	while (get_done(req) < req->len_bytes) {
		const uint64_t done = get_done(req);
		const ssize_t n = preadv(d->fd, iov, pieces(req, iov),
					 (off_t)(req->off_bytes + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bs_rdwr_error(errno);
		if (n == 0)
			return -ENODATA;
		set_done(req, done + (uint64_t)n);
	}
	return 0;
}

/* True: nothing is left to be read. */
static bool read_cached(struct rdwr *d, struct bs_req *req)
{
	const ssize_t n = preadv2(d->fd, req->iov, req->iovcnt, (off_t)req->off_bytes,
				  RWF_NOWAIT);

	if (likely(n > 0)) {
		set_done(req, (uint64_t)n);
		return (uint64_t)n == req->len_bytes;
	}
	if (n < 0 && (errno == EOPNOTSUPP || errno == EINVAL))
		atomic_store(&d->no_nowait, true);
	/* EAGAIN, the end of the file, an error: a worker finds out. */
	return false;
}

void bs_rdwr_read(struct bs_channel *ch, struct bs_req *req)
{
	struct rdwr *d = ch->dev->priv;

	set_done(req, 0);
	if (d->in_memory)
		bs_complete(ch, req, read_rest(ch->dev, req));
	else if (!d->direct && req->iovcnt <= PIECES_MAX &&
		 !atomic_load_explicit(&d->no_nowait, memory_order_relaxed) &&
		 read_cached(d, req))
		bs_complete(ch, req, 0);
	else
		bs_run_blocking(ch, req, read_rest);
}

/* --- writing --- */

static int write_pieces(const struct rdwr *d, struct bs_req *req, int flags)
{
	struct iovec iov[PIECES_MAX];

	while (get_done(req) < req->len_bytes) {
		const uint64_t done = get_done(req);
		const ssize_t n = pwritev2(d->fd, iov, pieces(req, iov),
					   (off_t)(req->off_bytes + done), flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		set_done(req, done + (uint64_t)n);
	}
	return 0;
}

static int write_all(struct bs_dev *dev, struct bs_req *req)
{
	const struct rdwr *d = dev->priv;
	const bool fua = (req->flags & BS_REQ_FUA) && !d->sync;
	int err;

	err = write_pieces(d, req, fua ? RWF_DSYNC : 0);
	if (fua && err == -EOPNOTSUPP) {
		err = write_pieces(d, req, 0);
		if (!err)
			return bs_rdwr_flush(dev, req);
	}
	return bs_rdwr_error(-err);
}

void bs_rdwr_write(struct bs_channel *ch, struct bs_req *req)
{
	const struct rdwr *d = ch->dev->priv;

	set_done(req, 0);
	if (d->in_memory)
		bs_complete(ch, req, write_all(ch->dev, req));
	else
		bs_run_blocking(ch, req, write_all);
}

int bs_rdwr_write_zero_bytes(const struct rdwr *d, uint64_t off, uint64_t bytes)
{
	static uint8_t zeroes[ZEROES_BYTES] __attribute__((aligned(4096)));
	struct iovec iov[4];

	for (size_t i = 0; i < ARRAY_SIZE(iov); i++)
		iov[i].iov_base = zeroes;
	while (bytes) {
		uint64_t left = bytes;
		ssize_t n;
		int cnt = 0;

		for (; left && cnt < (int)ARRAY_SIZE(iov); left -= iov[cnt++].iov_len)
			iov[cnt].iov_len = MIN(left, (uint64_t)ZEROES_BYTES);
		n = pwritev(d->fd, iov, cnt, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? bs_rdwr_error(errno) : -EIO;
		off += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}
