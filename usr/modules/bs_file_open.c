/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_file_open.c - opening and closing, and where a request goes by default. */
#include "bs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bs_file_map.h"

void bs_file_close(struct bs_file *f)
{
	bs_file_map_free(f->map);
	if (f->fd != -1)
		close(f->fd);
	if (f->sync_fd != -1)
		close(f->sync_fd);
	pthread_cond_destroy(&f->flushed);
	pthread_mutex_destroy(&f->mutex);
}

static void init(struct bs_file *f, const char *bstype, uint32_t flags)
{
	*f = (struct bs_file){
		.bstype = bstype,
		.fd = -1,
		.sync_fd = -1,
		.direct = flags & BS_OPEN_DIRECT,
		.sync = flags & BS_OPEN_SYNC,
		.mem_align = 1,
		.len_align = 1,
	};
	pthread_mutex_init(&f->mutex, NULL);
	pthread_cond_init(&f->flushed, NULL);
}

/* Opening some devices has effects, so look before. */
static int check_kind(const struct bs_file *f, const char *path)
{
	struct stat st;

	if (!*path) {
		bs_say("%s needs the path of a file or block device", f->bstype);
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
static int open_fd(struct bs_file *f, const char *path, bool *ro)
{
	const int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (f->direct ? O_DIRECT : 0) |
			  (f->sync ? O_DSYNC : 0);

	if (!*ro) {
		f->fd = open(path, O_RDWR | flags);
		*ro = f->fd == -1 &&
		      (errno == EROFS || errno == EACCES || errno == EPERM);
	}
	if (*ro)
		f->fd = open(path, O_RDONLY | flags);
	if (f->fd == -1) {
		if (errno == EINVAL && f->direct)
			bs_say("the file system has no direct I/O; bstype rdwr does without");
		return -errno;
	}
	return 0;
}

/* The same file again: nobody may exchange it meanwhile. */
static int open_sync_fd(struct bs_file *f, const char *path)
{
	struct stat a, b;

	f->sync_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->sync_fd == -1 || fstat(f->fd, &a) || fstat(f->sync_fd, &b))
		return -errno;
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) {
		bs_say("it was replaced while it was being opened");
		return -EAGAIN;
	}
	return 0;
}

int bs_file_open(struct bs_file *f, const char *bstype, uint32_t flags,
		 const struct bs_open_args *args, struct bs_dev *dev)
{
	int err;

	init(f, bstype, flags);
	dev->info.read_only = flags & BS_OPEN_RDONLY;
	err = check_kind(f, args->path);
	if (!err)
		err = open_fd(f, args->path, &dev->info.read_only);
	if (!err)
		err = open_sync_fd(f, args->path);
	if (!err)
		err = bs_file_probe(f, &dev->info);
	if (err)
		bs_file_close(f);
	return err;
}

void bs_file_submit(struct bs_channel *ch, struct bs_req *req)
{
	static int (*const blocking[BS_NR_OPS])(struct bs_dev *dev, struct bs_req *req) = {
		[BS_FLUSH] = bs_file_flush,
		[BS_UNMAP] = bs_file_unmap,
		[BS_WRITE_ZEROES] = bs_file_write_zeroes,
		[BS_COPY] = bs_file_copy,
		[BS_BLOCK_STATUS] = bs_file_block_status,
		[BS_PREFETCH] = bs_file_prefetch,
	};

	if (req->op == BS_READ)
		bs_file_read(ch, req);
	else if (req->op == BS_WRITE)
		bs_file_write(ch, req);
	else if (req->op < BS_NR_OPS && blocking[req->op])
		bs_run_blocking(ch, req, blocking[req->op]);
	else
		bs_complete(ch, req, -EOPNOTSUPP);
}
