/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rdwr - a file or a block device, by read(2) and write(2).
 *
 * --backing-store: its path.  --bsoflags: sync (each write is on the medium when
 * it is answered), direct (past the page cache).  No --bsopts.
 *
 * Where a request runs:
 *	what is in the page cache is read on the reactor (RWF_NOWAIT); what is
 *	not, and every write, by a worker.  tmpfs never waits for a disk, so all
 *	of its reads and writes stay on the reactor.
 */
#include "bs_rdwr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/macros.h"

static void rdwr_free(struct rdwr *d)
{
	if (!d)
		return;
	if (d->fd != -1)
		close(d->fd);
	if (d->sync_fd != -1)
		close(d->sync_fd);
	pthread_cond_destroy(&d->flushed);
	pthread_mutex_destroy(&d->mutex);
	free(d);
}
DEFINE_CLEANUP(struct rdwr *, rdwr_free)

static struct rdwr *rdwr_new(void)
{
	struct rdwr *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->fd = d->sync_fd = -1;
	pthread_mutex_init(&d->mutex, NULL);
	pthread_cond_init(&d->flushed, NULL);
	return d;
}

/* Opening some devices has effects, so look before. */
static int check_kind(const char *path)
{
	struct stat st;

	if (!*path) {
		bs_say("rdwr needs the path of a file or block device");
		return -EINVAL;
	}
	if (stat(path, &st))
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return 0;
	bs_say("neither a regular file nor a block device");
	return -ENOTBLK;
}

/* Read-only if asked for, or if that is all we are allowed. */
static int open_fd(struct rdwr *d, const struct bs_open_args *args, bool *ret_ro)
{
	const int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (d->direct ? O_DIRECT : 0) |
			  (d->sync ? O_DSYNC : 0);

	*ret_ro = args->flags & BS_OPEN_RDONLY;
	if (!*ret_ro) {
		d->fd = open(args->path, O_RDWR | flags);
		*ret_ro = d->fd == -1 &&
			  (errno == EROFS || errno == EACCES || errno == EPERM);
	}
	if (*ret_ro)
		d->fd = open(args->path, O_RDONLY | flags);
	if (d->fd == -1) {
		if (errno == EINVAL && d->direct)
			bs_say("the file system has no direct I/O");
		return -errno;
	}
	return 0;
}

/* The same file again: nobody may exchange it meanwhile. */
static int open_sync_fd(struct rdwr *d, const char *path)
{
	struct stat a, b;

	d->sync_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (d->sync_fd == -1 || fstat(d->fd, &a) || fstat(d->sync_fd, &b))
		return -errno;
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) {
		bs_say("it was replaced while it was being opened");
		return -EAGAIN;
	}
	return 0;
}

static int rdwr_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	_cleanup_(rdwr_freep) struct rdwr *d = NULL;
	int err;

	err = check_kind(args->path);
	if (err)
		return err;
	d = rdwr_new();
	if (!d)
		return -ENOMEM;
	d->direct = args->flags & BS_OPEN_DIRECT;
	d->sync = args->flags & BS_OPEN_SYNC;
	err = open_fd(d, args, &dev->info.read_only);
	if (!err)
		err = open_sync_fd(d, args->path);
	if (!err)
		err = bs_rdwr_probe(d, &dev->info);
	if (err)
		return err;
	dev->priv = TAKE_PTR(d);
	return 0;
}

static void rdwr_close(struct bs_dev *dev)
{
	rdwr_free(dev->priv);
}

static void rdwr_submit(struct bs_channel *ch, struct bs_req *req)
{
	static int (*const blocking[BS_NR_OPS])(struct bs_dev *dev, struct bs_req *req) = {
		[BS_FLUSH] = bs_rdwr_flush,
		[BS_UNMAP] = bs_rdwr_unmap,
		[BS_WRITE_ZEROES] = bs_rdwr_write_zeroes,
		[BS_BLOCK_STATUS] = bs_rdwr_block_status,
		[BS_PREFETCH] = bs_rdwr_prefetch,
	};

	if (req->op == BS_READ)
		bs_rdwr_read(ch, req);
	else if (req->op == BS_WRITE)
		bs_rdwr_write(ch, req);
	else if (req->op < BS_NR_OPS && blocking[req->op])
		bs_run_blocking(ch, req, blocking[req->op]);
	else
		bs_complete(ch, req, -EOPNOTSUPP);
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "rdwr",
	.help = "a file or a block device",
	.open_flags = BS_OPEN_SYNC | BS_OPEN_DIRECT | BS_OPEN_RDONLY,
	.open = rdwr_open,
	.close = rdwr_close,
	.submit = rdwr_submit,
};
