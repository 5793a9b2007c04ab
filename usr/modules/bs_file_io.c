/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_io.c - reading and writing.
 *
 * Where a request runs:
 *  - tmpfs never waits for a disk: on the reactor;
 *  - the kernel can do it without waiting (RWF_NOWAIT: reads of what is in the
 *    page cache; writes to it on XFS and Btrfs, not on ext4 or a block device):
 *    on the reactor;
 *  - other writes to the page cache take the lock of the inode one after
 *    another, so one worker does many of them per hand-over;
 *  - everything else: by a worker.
 *
 * A request may be served in pieces: a first one on the reactor and the rest by a
 * worker.  req->priv[0] counts what is done.
 *
 * Direct I/O wants aligned memory.  Requests whose memory is not go through a
 * buffer of the worker's.
 *
 * A read that meets the end of the file is a medium error: the file has shrunk
 * behind our back, and what it held is lost.  Zeroes would be a lie.
 */
#include "bs_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/macros.h"

#define PIECES_MAX	64	/* iovecs of one system call */
#define ZEROES_BYTES	(256U << 10)
#define BOUNCE_BYTES	(256U << 10)
#define IN_ORDER_BYTES	(64U << 10)	/* longer writes go one by one */

int bs_file_error(int err)
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

void bs_file_start(struct bs_req *req)
{
	req->priv[0] = NULL;
}

void bs_file_advance(struct bs_req *req, uint64_t bytes)
{
	req->priv[0] = (void *)(uintptr_t)(get_done(req) + bytes);
}

bool bs_file_is_done(const struct bs_req *req)
{
	return get_done(req) >= req->len_bytes;
}

bool bs_file_iov_fits(const struct bs_file *f, const struct bs_req *req)
{
	uintptr_t bases = 0, lens = 0;

	for (int i = 0; i < req->iovcnt; i++) {
		bases |= (uintptr_t)req->iov[i].iov_base;
		lens |= req->iov[i].iov_len;
	}
	return !(bases & (f->mem_align - 1)) && !(lens & (f->len_align - 1));
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

/* --- through an aligned buffer --- */

/* Between the request's memory, from what is done on, and @buf. */
static void copy(const struct bs_req *req, char *buf, size_t bytes, bool to_buf)
{
	uint64_t skip = get_done(req);

	for (int i = 0; i < req->iovcnt && bytes; i++) {
		const struct iovec *v = &req->iov[i];
		char *p = v->iov_base;
		size_t n;

		if (skip >= v->iov_len) {
			skip -= v->iov_len;
			continue;
		}
		n = MIN(v->iov_len - (size_t)skip, bytes);
		memcpy(to_buf ? buf : p + skip, to_buf ? p + skip : buf, n);
		skip = 0;
		buf += n;
		bytes -= n;
	}
}

static ssize_t bounce(const struct bs_file *f, const struct bs_req *req, int flags,
		      char *buf)
{
	const uint64_t done = get_done(req);
	const struct iovec iov = { buf, MIN(req->len_bytes - done, (uint64_t)BOUNCE_BYTES) };
	const off_t off = (off_t)(req->off_bytes + done);
	ssize_t n;

	if (req->op == BS_WRITE) {
		copy(req, buf, iov.iov_len, true);
		return pwritev2(f->fd, &iov, 1, off, flags);
	}
	n = preadv2(f->fd, &iov, 1, off, flags);
	if (n > 0)
		copy(req, buf, (size_t)n, false);
	return n;
}

/* --- on a worker --- */

/* One system call: bytes, 0 at the end of the file, or -1. */
static ssize_t step(const struct bs_file *f, const struct bs_req *req, int flags,
		    char *buf)
{
	const off_t off = (off_t)(req->off_bytes + get_done(req));
	struct iovec iov[PIECES_MAX];
	int cnt;

	if (buf)
		return bounce(f, req, flags, buf);
	cnt = pieces(req, iov);
	if (cnt == 1 && !flags)		/* 0.1 us less: no list to be copied in */
		return req->op == BS_WRITE ? pwrite(f->fd, iov->iov_base, iov->iov_len, off) :
					     pread(f->fd, iov->iov_base, iov->iov_len, off);
	return req->op == BS_WRITE ? pwritev2(f->fd, iov, cnt, off, flags) :
				     preadv2(f->fd, iov, cnt, off, flags);
}

/* 0 or -errno of the system; -ENODATA: the file ends before. */
static int steps(const struct bs_file *f, struct bs_req *req, int flags, char *buf)
{
	while (!bs_file_is_done(req)) {
		const ssize_t n = step(f, req, flags, buf);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* Direct I/O ends within a sector only where the file does. */
		if (n == 0 || n & (f->len_align - 1))
			return req->op == BS_WRITE ? -EIO : -ENODATA;
		bs_file_advance(req, (uint64_t)n);
	}
	return 0;
}

static int transfer(const struct bs_file *f, struct bs_req *req, int flags)
{
	char *buf;
	int err;

	if (bs_file_iov_fits(f, req))
		return steps(f, req, flags, NULL);
	buf = aligned_alloc(MAX(f->mem_align, 4096U), BOUNCE_BYTES);
	if (!buf)
		return -ENOMEM;
	err = steps(f, req, flags, buf);
	free(buf);
	return err;
}

int bs_file_read_all(struct bs_dev *dev, struct bs_req *req)
{
	return bs_file_error(-transfer(dev->priv, req, 0));
}

int bs_file_write_flags(const struct bs_file *f, const struct bs_req *req)
{
	return (req->flags & BS_REQ_FUA) && !f->sync ? RWF_DSYNC : 0;
}

static int write_rest(struct bs_dev *dev, struct bs_req *req)
{
	const struct bs_file *f = dev->priv;
	const int flags = bs_file_write_flags(f, req);
	int err;

	err = transfer(f, req, flags);
	if (flags && err == -EOPNOTSUPP) {
		err = transfer(f, req, 0);
		if (!err)
			return bs_file_flush(dev, req);
	}
	return bs_file_error(-err);
}

/* --- on the reactor --- */

void bs_file_rest(struct bs_channel *ch, struct bs_req *req)
{
	bs_run_blocking(ch, req, req->op == BS_WRITE ? write_rest : bs_file_read_all);
}

/* As much as the kernel can do without waiting.  True: all of it. */
static bool try_now(const struct bs_file *f, struct bs_req *req, atomic_bool *never)
{
	const off_t off = (off_t)req->off_bytes;
	ssize_t n;

	if (f->direct || req->iovcnt > PIECES_MAX ||
	    atomic_load_explicit(never, memory_order_relaxed))
		return false;
	n = req->op == BS_WRITE ? pwritev2(f->fd, req->iov, req->iovcnt, off, RWF_NOWAIT) :
				  preadv2(f->fd, req->iov, req->iovcnt, off, RWF_NOWAIT);
	if (likely(n > 0)) {
		bs_file_advance(req, (uint64_t)n);
		return bs_file_is_done(req);
	}
	if (n < 0 && (errno == EOPNOTSUPP || errno == EINVAL))
		atomic_store(never, true);
	/* EAGAIN, the end of the file, an error: a worker finds out. */
	return false;
}

void bs_file_read(struct bs_channel *ch, struct bs_req *req)
{
	struct bs_file *f = ch->dev->priv;

	if (bs_file_lend_read(ch, req))
		return;
	bs_file_start(req);
	if (f->in_memory)
		bs_complete(ch, req, bs_file_read_all(ch->dev, req));
	else if (try_now(f, req, &f->no_nowait_read))
		bs_complete(ch, req, 0);
	else
		bs_run_blocking(ch, req, bs_file_read_all);
}

/* Into the page cache, and GOOD for that. */
static void write_cached(struct bs_channel *ch, struct bs_req *req)
{
	struct bs_file *f = ch->dev->priv;

	if (try_now(f, req, &f->no_nowait_write))
		bs_complete(ch, req, 0);
	else if (req->len_bytes <= IN_ORDER_BYTES)
		bs_run_in_order(ch, req, write_rest);
	else
		bs_run_blocking(ch, req, write_rest);
}

void bs_file_write(struct bs_channel *ch, struct bs_req *req)
{
	const struct bs_file *f = ch->dev->priv;

	bs_file_start(req);
	if (f->in_memory)
		bs_complete(ch, req, write_rest(ch->dev, req));
	else if (!f->direct && !f->sync && !(req->flags & BS_REQ_FUA))
		write_cached(ch, req);
	else
		bs_run_blocking(ch, req, write_rest);
}

int bs_file_write_zero_bytes(const struct bs_file *f, uint64_t off, uint64_t bytes)
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
		n = pwritev(f->fd, iov, cnt, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? bs_file_error(errno) : -EIO;
		off += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}
