/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_volume.c - files as volumes: make, remove, resize, list, look.
 *
 * What fails, or is broken off, leaves things as they were; what succeeds is on
 * stable storage, its directory entry too.
 *
 * A block device is made and resized with its own tools: it is refused here.
 */
#include "bs_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/macros.h"

#define STEP_BYTES	(256ULL << 20)	/* between two reports of progress */
#define ZERO_BYTES	(1U << 20)

int bs_file_volume_progress(const struct bs_volume_args *a, uint64_t done_bytes,
			    uint64_t total_bytes)
{
	if (a->progress && a->progress(a->progress_ctx, done_bytes, total_bytes))
		return -ECANCELED;
	return 0;
}

/* A lease is granted only where nobody else has the file open.  Whoever opens it
 * in that moment waits until we close it or give the lease back, at once; we are
 * told by a signal, and that is to be one that does nothing. */
bool bs_file_volume_in_use(int fd, int type)
{
	if (fcntl(fd, F_SETSIG, SIGURG) == -1 || fcntl(fd, F_SETLEASE, type) == -1)
		return errno == EAGAIN;		/* else: there are no leases here */
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

/* The directory that has the name @path. */
static int sync_directory(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1)
		return -errno;
	return 0;
}

int bs_file_volume_new(const char *path, int *ret_fd)
{
	*ret_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*ret_fd != -1)
		return 0;
	if (errno == EEXIST)
		bs_say("%s exists already", path);
	return -errno;
}

int bs_file_volume_end(int fd, const char *path, int err)
{
	if (!err && fsync(fd) == -1)
		err = -errno;
	close(fd);
	if (!err)
		err = sync_directory(path);
	if (err)
		unlink(path);
	return err;
}

int bs_file_volume_open(const char *path, int flags, uint64_t *ret_bytes, int *ret_fd)
{
	struct stat st;
	int fd;

	/* Opening some devices has effects, so look before. */
	if (stat(path, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		bs_say("not a regular file");
		return -ENOTBLK;
	}
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		const int err = -errno;

		if (fd != -1)
			close(fd);
		return err;
	}
	*ret_bytes = (uint64_t)st.st_size;
	*ret_fd = fd;
	return 0;
}

static int write_zeroes(int fd, uint64_t off, uint64_t end)
{
	_cleanup_free_ char *zeroes = calloc(1, ZERO_BYTES);

	if (!zeroes)
		return -ENOMEM;
	while (off < end) {
		const ssize_t n = pwrite(fd, zeroes, MIN(end - off, (uint64_t)ZERO_BYTES),
					 (off_t)off);

		if (n == -1 && errno != EINTR)
			return -errno;
		off += n > 0 ? (uint64_t)n : 0;
	}
	return 0;
}

static int no_space(uint64_t bytes)
{
	bs_say("there is no space for %llu bytes; thin provisioning would take it only as it "
	       "is written",
	       (unsigned long long)bytes);
	return -ENOSPC;
}

/* Take the space of [off, end), in steps; not even begin where it cannot end. */
static int allocate(const struct bs_volume_args *a, int fd, uint64_t off, uint64_t end)
{
	const uint64_t from = off;
	struct statvfs fs;

	if (fstatvfs(fd, &fs) == 0 && (end - off) / fs.f_frsize > fs.f_bfree)
		return no_space(end - off);
	while (off < end) {
		const uint64_t n = MIN(end - off, STEP_BYTES);
		int err = bs_file_volume_progress(a, off - from, end - from);

		if (err)
			return err;
		if (fallocate(fd, 0, (off_t)off, (off_t)n) == -1)
			err = errno == EINTR ? -EAGAIN : -errno;
		if (err == -EOPNOTSUPP)
			err = write_zeroes(fd, off, off + n);
		if (err == -ENOSPC)
			no_space(end - from);
		if (err && err != -EAGAIN)
			return err;
		off += err ? 0 : n;
	}
	return bs_file_volume_progress(a, end - from, end - from);
}

/* Make the file @bytes large, and if so asked with all its space. */
static int set_size(const struct bs_volume_args *a, int fd, uint64_t old_bytes)
{
	int err = 0;

	if (a->size_bytes > INT64_MAX)
		return -EFBIG;
	if ((a->flags & BS_VOLUME_PREALLOCATE) && a->size_bytes > old_bytes)
		err = allocate(a, fd, old_bytes, a->size_bytes);
	if (!err && ftruncate(fd, (off_t)a->size_bytes) == -1)
		err = -errno;
	return err;
}

int bs_file_volume_create(const struct bs_volume_args *a)
{
	int fd, err = bs_file_volume_new(a->path, &fd);

	if (err)
		return err;
	return bs_file_volume_end(fd, a->path, set_size(a, fd, 0));
}

int bs_file_volume_remove(const struct bs_volume_args *a)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	uint64_t bytes;
	int err;

	if (lstat(a->path, &st) == 0 && S_ISLNK(st.st_mode)) {
		bs_say("a symbolic link; name the file itself");
		return -ELOOP;
	}
	err = bs_file_volume_open(a->path, O_RDONLY, &bytes, &fd);
	if (err)
		return err;
	if (!(a->flags & BS_VOLUME_FORCE) && bs_file_volume_in_use(fd, F_WRLCK)) {
		bs_say("in use: some process has it open");
		return -EBUSY;
	}
	if (unlink(a->path) == -1)
		return -errno;
	return sync_directory(a->path);
}

static int may_shrink(const struct bs_volume_args *a, int fd)
{
	if (a->flags & BS_VOLUME_FORCE)
		return 0;
	if (bs_file_volume_in_use(fd, F_WRLCK)) {
		bs_say("in use: some process has it open, and would lose the data at its end");
		return -EBUSY;
	}
	bs_say("it would become smaller and lose the data at its end: only if forced");
	return -EPERM;
}

int bs_file_volume_resize(const struct bs_volume_args *a)
{
	_cleanup_close_ int fd = -1;
	uint64_t old_bytes = 0;
	int err = bs_file_volume_open(a->path, O_RDWR, &old_bytes, &fd);

	if (!err && a->size_bytes < old_bytes)
		err = may_shrink(a, fd);
	if (err)
		return err;
	err = set_size(a, fd, old_bytes);
	if (!err && fsync(fd) == -1)
		err = -errno;
	/* Back, unless somebody else has made it larger meanwhile: nobody may. */
	if (err && a->size_bytes > old_bytes && ftruncate(fd, (off_t)old_bytes) == -1)
		bs_say("it could not be given its old size of %llu bytes back",
		       (unsigned long long)old_bytes);
	return err;
}

int bs_file_volume_list(const struct bs_volume_args *a,
			void (*found)(void *ctx, const char *name, uint64_t size_bytes),
			void *ctx)
{
	DIR *dir = opendir(a->path);
	struct dirent *e;
	struct stat st;
	int err;

	if (!dir)
		return -errno;
	while (errno = 0, e = readdir(dir))
		if (*e->d_name != '.' && fstatat(dirfd(dir), e->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode))
			found(ctx, e->d_name, (uint64_t)st.st_size);
	err = -errno;
	closedir(dir);
	return err;
}

int bs_file_volume_info(const struct bs_volume_args *a, struct bs_volume_info *ret)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (stat(a->path, &st) == -1)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		ret->size_bytes = (uint64_t)st.st_size;
		ret->allocated_bytes = (uint64_t)st.st_blocks * 512;
		return 0;
	}
	if (!S_ISBLK(st.st_mode)) {
		bs_say("neither a regular file nor a block device");
		return -ENOTBLK;
	}
	fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || ioctl(fd, BLKGETSIZE64, &ret->size_bytes) == -1)
		return -errno;
	ret->allocated_bytes = UINT64_MAX;
	return 0;
}
