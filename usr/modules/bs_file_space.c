/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_space.c - giving space back, zeroes and copies without data, and where
 * data is.
 * Lengths are 64 bits all the way.
 */
#include "bs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/macros.h"
#include "bs_file_map.h"

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO	(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)

/* O_DSYNC does not cover fallocate() everywhere. */
static int settle(struct bs_dev *dev, struct bs_req *req, int err)
{
	const struct bs_file *f = dev->priv;

	if (err || !f->sync)
		return err;
	return bs_file_flush(dev, req);
}

static int allocate(const struct bs_file *f, int mode, const struct bs_req *req)
{
	int err;

	do
		err = fallocate(f->fd, mode, (off_t)req->off_bytes, (off_t)req->len_bytes) ?
			      errno :
			      0;
	while (err == EINTR);
	return bs_file_error(err);
}

/* The part of the range that is whole sectors; the rest may keep its contents. */
static int discard(const struct bs_file *f, const struct bs_req *req)
{
	const uint64_t first = ROUND_UP(req->off_bytes, (uint64_t)f->sector);
	const uint64_t end = (req->off_bytes + req->len_bytes) / f->sector *
			     f->sector;
	uint64_t range[2] = { first, end - first };

	if (first >= end)
		return 0;
	return ioctl(f->fd, BLKDISCARD, range) ? bs_file_error(errno) : 0;
}

int bs_file_unmap(struct bs_dev *dev, struct bs_req *req)
{
	const struct bs_file *f = dev->priv;
	int err;

	bs_file_map_hold(f->map, req->off_bytes, req->len_bytes);
	err = f->is_block ? discard(f, req) : allocate(f, PUNCH, req);
	bs_file_map_release(f->map);
	return settle(dev, req, err);
}

/* Try one way; remember in @never that it does not exist here. */
static int try_allocate(const struct bs_file *f, int mode, const struct bs_req *req,
			atomic_bool *never)
{
	int err;

	if (atomic_load_explicit(never, memory_order_relaxed))
		return -EOPNOTSUPP;
	err = allocate(f, mode, req);
	if (err == -EOPNOTSUPP)
		atomic_store(never, true);
	return err;
}

static int zero_device(const struct bs_file *f, const struct bs_req *req)
{
	uint64_t range[2] = { req->off_bytes, req->len_bytes };

	return ioctl(f->fd, BLKZEROOUT, range) ? bs_file_error(errno) : 0;
}

/*
 * Punching a hole gives the space back and reads as zeroes, on a block device
 * too (there it fails unless the device promises both).  Without leave to
 * unmap, the space stays allocated.
 */
static int write_zeroes(struct bs_file *f, struct bs_req *req)
{
	const bool whole = (req->off_bytes | req->len_bytes) % f->sector == 0;
	int err = -EOPNOTSUPP;

	if (whole && (req->flags & BS_REQ_UNMAP))
		err = try_allocate(f, PUNCH, req, &f->no_punch_zero);
	if (whole && err == -EOPNOTSUPP)
		err = f->is_block ? zero_device(f, req) :
				    try_allocate(f, ZERO, req, &f->no_zero_range);
	if (err == -EOPNOTSUPP)
		err = bs_file_write_zero_bytes(f, req->off_bytes, req->len_bytes);
	return err;
}

int bs_file_write_zeroes(struct bs_dev *dev, struct bs_req *req)
{
	struct bs_file *f = dev->priv;
	int err;

	bs_file_map_hold(f->map, req->off_bytes, req->len_bytes);
	err = write_zeroes(f, req);
	bs_file_map_release(f->map);
	return settle(dev, req, err);
}

/*
 * Files of one file system that shares extents share them (a reflink); elsewhere
 * the kernel copies.  What it cannot do (another file system, a block device) is
 * -EOPNOTSUPP: the host reads and writes then.
 */
static int copy(struct bs_file *f, const struct bs_req *req)
{
	const struct bs_file *src = req->src_dev ? req->src_dev->priv : f;
	off_t from = (off_t)req->src_bytes, to = (off_t)req->off_bytes;
	uint64_t left = req->len_bytes;

	if (f->is_block || src->is_block || atomic_load_explicit(&f->no_copy,
								  memory_order_relaxed))
		return -EOPNOTSUPP;
	while (left) {
		const ssize_t n = copy_file_range(src->fd, &from, f->fd, &to, left, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
			atomic_store(&f->no_copy, true);
			return -EOPNOTSUPP;
		}
		/* EBADF, ETXTBSY: no kind of file for it, as EINVAL. */
		if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EBADF ||
			      errno == ETXTBSY))
			return -EOPNOTSUPP;
		if (n < 0)
			return bs_file_error(errno);
		if (n == 0)
			return -ENODATA;	/* the source has shrunk */
		left -= (uint64_t)n;
	}
	return 0;
}

int bs_file_copy(struct bs_dev *dev, struct bs_req *req)
{
	struct bs_file *f = dev->priv;
	int err;

	bs_file_map_hold(f->map, req->off_bytes, req->len_bytes);
	err = copy(f, req);
	bs_file_map_release(f->map);
	return settle(dev, req, err);
}

/* There is no hole behind the end of a file that has shrunk: who reads there is
 * to meet the error, not to hear of zeroes. */
static int hole_to_the_end(const struct bs_file *f, struct bs_req *req)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return bs_file_error(errno);
	req->result = req->len_bytes;
	if ((uint64_t)st.st_size > req->off_bytes)
		req->result = MIN(req->len_bytes, (uint64_t)st.st_size - req->off_bytes);
	else
		req->flags |= BS_REQ_MAPPED;
	return 0;
}

int bs_file_block_status(struct bs_dev *dev, struct bs_req *req)
{
	const struct bs_file *f = dev->priv;
	const uint64_t end = req->off_bytes + req->len_bytes;
	off_t data, next;

	data = lseek(f->fd, (off_t)req->off_bytes, SEEK_DATA);
	if (data == -1 && errno != ENXIO)
		return bs_file_error(errno);
	if (data == -1)
		return hole_to_the_end(f, req);
	if ((uint64_t)data > req->off_bytes) {
		req->result = MIN((uint64_t)data, end) - req->off_bytes;
		return 0;
	}
	next = lseek(f->fd, data, SEEK_HOLE);
	if (next == -1)
		return bs_file_error(errno);
	req->flags |= BS_REQ_MAPPED;
	req->result = MIN((uint64_t)next, end) - req->off_bytes;
	return 0;
}

/* Into the page cache; the kernel reads while others are served. */
int bs_file_prefetch(struct bs_dev *dev, struct bs_req *req)
{
	const struct bs_file *f = dev->priv;

	if (!f->in_memory)
		(void)posix_fadvise(f->fd, (off_t)req->off_bytes, (off_t)req->len_bytes,
				    POSIX_FADV_WILLNEED);
	return 0;
}
