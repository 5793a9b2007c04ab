/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_probe.c - what a file or a device can do.  Nothing here writes to it:
 * hole punching is tried behind the end of the file.
 */
#include "bs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include "base/cleanup.h"
#include "base/macros.h"

#define PROBE_ALIGN	(1ULL << 20)
#define PROBE_BYTES	4096

/* A number of the disk's queue in sysfs; partitions look at their disk.
 * @fallback where there is none (a file on tmpfs, overlayfs, btrfs). */
static uint64_t queue_number(dev_t dev, const char *name, uint64_t fallback)
{
	static const char *const forms[] = { "/sys/dev/block/%u:%u/queue/%s",
					     "/sys/dev/block/%u:%u/../queue/%s" };
	char path[128];
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		FILE *f;
		bool ok;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof(path), forms[i], major(dev), minor(dev), name);
#pragma GCC diagnostic pop
		f = fopen(path, "re");
		if (!f)
			continue;
		ok = fscanf(f, "%" SCNu64, &v) == 1;
		fclose(f);
		if (ok)
			return v;
	}
	return fallback;
}

/* Offset and length for O_DIRECT, and f->mem_align. */
static uint32_t direct_align(struct bs_file *f, uint32_t fallback)
{
	int logical = 0;
#ifdef STATX_DIOALIGN
	struct statx x;

	if (!statx(f->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &x) &&
	    (x.stx_mask & STATX_DIOALIGN) && x.stx_dio_offset_align) {
		f->mem_align = MAX(x.stx_dio_mem_align, 1U);
		return x.stx_dio_offset_align;
	}
#endif
	f->mem_align = fallback;
	if (f->is_block && !ioctl(f->fd, BLKSSZGET, &logical) && logical > 0)
		f->mem_align = (uint32_t)logical;
	return f->mem_align;
}

uint64_t bs_file_queue_number(const struct bs_file *f, const char *name)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return 0;
	return queue_number(f->is_block ? st.st_rdev : st.st_dev, name, 0);
}

static bool can_punch(const struct bs_file *f, uint64_t size_bytes)
{
	const uint64_t beyond = ROUND_UP(size_bytes, PROBE_ALIGN) + PROBE_ALIGN;

	return !fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)beyond, PROBE_BYTES);
}

static bool can_seek_hole(const struct bs_file *f)
{
	/* ENXIO: a file of one hole. */
	return lseek(f->fd, 0, SEEK_DATA) != -1 || errno == ENXIO;
}

/*
 * Hosts take the optimal length for a limit: Linux splits what is longer.  A file
 * system's block and a RAID's chunk are none; so nothing is said of small ones.
 */
#define OPTIMAL_BYTES_MIN (512U << 10)

static uint32_t optimal_bytes(uint64_t preferred)
{
	return preferred >= OPTIMAL_BYTES_MIN ? (uint32_t)preferred : 0;
}

static void probe_file(struct bs_file *f, const struct stat *st, struct bs_dev_info *info)
{
	struct statfs fs;

	f->sector = 1;
	info->size_bytes = (uint64_t)st->st_size;
	/* Network file systems name a transfer size here, up to megabytes. */
	info->phys_block_bytes = MIN((uint32_t)st->st_blksize, 4096U);
	info->optimal_bytes = optimal_bytes((uint64_t)st->st_blksize);
	info->rotational = queue_number(st->st_dev, "rotational", 0);
	f->in_memory = !fstatfs(f->fd, &fs) && fs.f_type == TMPFS_MAGIC;
	/* Its O_DIRECT wants no alignment, and changes nothing. */
	if (f->in_memory)
		f->direct = false;
	if (!info->read_only && can_punch(f, info->size_bytes)) {
		info->ops |= BS_OP_BIT(BS_UNMAP);
		info->thin = true;
		info->reads_zero = true;
		info->unmap_granularity_bytes = (uint32_t)st->st_blksize;
	}
	if (can_seek_hole(f))
		info->ops |= BS_OP_BIT(BS_BLOCK_STATUS);
}

static int probe_block(struct bs_file *f, const struct stat *st, struct bs_dev_info *info)
{
	unsigned int phys = 0, optimal = 0;
	int ro = 0, logical = 0;

	if (ioctl(f->fd, BLKGETSIZE64, &info->size_bytes))
		return -errno;
	if (!ioctl(f->fd, BLKROGET, &ro) && ro)
		info->read_only = true;
	if (!ioctl(f->fd, BLKPBSZGET, &phys))
		info->phys_block_bytes = phys;
	if (!ioctl(f->fd, BLKIOOPT, &optimal))
		info->optimal_bytes = optimal_bytes(optimal);
	info->rotational = queue_number(st->st_rdev, "rotational", 0);
	f->sector = 512;
	if (!ioctl(f->fd, BLKSSZGET, &logical) && logical > 0)
		f->sector = (uint32_t)logical;
	/* What BLKDISCARD leaves behind is the device's choice: not zeroes. */
	if (!info->read_only && queue_number(st->st_rdev, "discard_max_bytes", 0)) {
		info->ops |= BS_OP_BIT(BS_UNMAP);
		info->thin = true;
		info->unmap_granularity_bytes = (uint32_t)MAX(
			queue_number(st->st_rdev, "discard_granularity", 0),
			(uint64_t)f->sector);
	}
	return 0;
}

int bs_file_probe(struct bs_file *f, struct bs_dev_info *info)
{
	struct stat st;
	int err = 0;

	if (fstat(f->fd, &st))
		return -errno;
	f->is_block = S_ISBLK(st.st_mode);
	info->ops = BS_OP_BIT(BS_READ) | BS_OP_BIT(BS_FLUSH);
	if (f->is_block)
		err = probe_block(f, &st, info);
	else
		probe_file(f, &st, info);
	if (err)
		return err;
	if (!info->read_only)
		info->ops |= BS_OP_BIT(BS_WRITE) | BS_OP_BIT(BS_WRITE_ZEROES);
	/* With O_DIRECT the kernel would copy through its cache, if at all. */
	if (!info->read_only && !f->is_block && !f->direct) {
		info->ops |= BS_OP_BIT(BS_COPY);
		info->copies_between = true;
	}
	info->write_cache = !info->read_only && !f->sync;
	if (!f->direct)		/* there is a page cache */
		info->ops |= BS_OP_BIT(BS_PREFETCH);
	if (f->direct)
		info->align_bytes = f->len_align = direct_align(f, PROBE_BYTES);
	return 0;
}

int bs_file_size(struct bs_dev *dev, uint64_t *ret_bytes)
{
	const struct bs_file *f = dev->priv;
	struct stat st;

	if (f->is_block)
		return ioctl(f->fd, BLKGETSIZE64, ret_bytes) ? -errno : 0;
	if (fstat(f->fd, &st))
		return -errno;
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}
