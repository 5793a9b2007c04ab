/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_clone.c - a copy of a file: in no time where the file system shares
 * blocks (a reflink), else by reading what is not a hole.
 *
 * A reflink is a picture of one moment.  A copy that is read while somebody
 * writes is of none, so a file that is open for writing is copied only if forced.
 */
#include "bs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/macros.h"

#define STEP_BYTES	(32ULL << 20)
#define BUFFER_BYTES	(1U << 20)

/* At most @bytes from @off, by read and write.  How many, 0 at the end of the file,
 * or -errno. */
static ssize_t copy_through(int from, int to, uint64_t off, uint64_t bytes)
{
	_cleanup_free_ char *buf = malloc(BUFFER_BYTES);
	ssize_t n, done = 0;

	if (!buf)
		return -ENOMEM;
	n = pread(from, buf, MIN(bytes, (uint64_t)BUFFER_BYTES), (off_t)off);
	while (n > 0 && done < n) {
		const ssize_t w = pwrite(to, buf + done, (size_t)(n - done),
					 (off_t)off + done);

		if (w == -1 && errno != EINTR)
			return -errno;
		done += MAX(w, (ssize_t)0);
	}
	return n == -1 ? -errno : n;
}

static ssize_t copy_some(int from, int to, uint64_t off, uint64_t bytes)
{
	loff_t in = (loff_t)off, out = (loff_t)off;
	const ssize_t n = copy_file_range(from, &in, to, &out, MIN(bytes, STEP_BYTES), 0);

	/* Between some file systems it cannot, or says 0. */
	return n > 0 ? n : copy_through(from, to, off, bytes);
}

/* [off, end), which is data. */
static int copy_extent(const struct bs_volume_args *a, int from, int to, uint64_t off,
		       uint64_t end, uint64_t total)
{
	while (off < end) {
		const int err = bs_file_volume_progress(a, off, total);
		const ssize_t n = err ? err : copy_some(from, to, off, end - off);

		if (n == -EINTR)
			continue;
		if (n == 0) {
			bs_say("it became smaller while it was copied");
			return -EIO;
		}
		if (n < 0)
			return (int)n;
		off += (uint64_t)n;
	}
	return 0;
}

static int copy_all(const struct bs_volume_args *a, int from, int to, uint64_t bytes)
{
	uint64_t off = 0;

	if (ftruncate(to, (off_t)bytes) == -1)
		return -errno;
	while (off < bytes) {
		const off_t data = lseek(from, (off_t)off, SEEK_DATA);
		off_t hole;
		int err;

		if (data == -1 && errno == ENXIO)
			break;			/* only a hole is left */
		off = data == -1 ? off : (uint64_t)data;
		hole = lseek(from, (off_t)off, SEEK_HOLE);
		if (hole == -1)
			hole = (off_t)bytes;	/* it knows no holes */
		err = copy_extent(a, from, to, off, MIN((uint64_t)hole, bytes), bytes);
		if (err)
			return err;
		off = (uint64_t)hole;
	}
	return bs_file_volume_progress(a, bytes, bytes);
}

int bs_file_volume_clone(const struct bs_volume_args *a)
{
	_cleanup_close_ int from = -1;
	uint64_t bytes;
	int to, err = bs_file_volume_open(a->path, O_RDONLY, &bytes, &from);

	if (!err)
		err = bs_file_volume_new(a->path2, &to);
	if (err)
		return err;
	if (ioctl(to, FICLONE, from) == -1) {
		if (!(a->flags & BS_VOLUME_FORCE) && bs_file_volume_in_use(from, F_RDLCK)) {
			bs_say("%s is open for writing, and this file system cannot copy it "
			       "as of one moment",
			       a->path);
			err = -EBUSY;
		}
		if (!err)
			err = copy_all(a, from, to, bytes);
	}
	return bs_file_volume_end(to, a->path2, err);
}
