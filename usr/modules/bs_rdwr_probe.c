/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rdwr_probe.c - what a file or a device can do.  Nothing here writes to it:
 * hole punching is tried behind the end of the file.
 */
#include "bs_rdwr.h"

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

/* Memory, offset and length for O_DIRECT. */
static uint32_t direct_align(const struct rdwr *d, uint32_t fallback)
{
	int logical = 0;
#ifdef STATX_DIOALIGN
	struct statx x;

	if (!statx(d->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &x) &&
	    (x.stx_mask & STATX_DIOALIGN) && x.stx_dio_offset_align)
		return MAX(x.stx_dio_offset_align, x.stx_dio_mem_align);
#endif
	if (d->is_block && !ioctl(d->fd, BLKSSZGET, &logical) && logical > 0)
		return (uint32_t)logical;
	return fallback;
}

static bool can_punch(const struct rdwr *d, uint64_t size_bytes)
{
	const uint64_t beyond = ROUND_UP(size_bytes, PROBE_ALIGN) + PROBE_ALIGN;

	return !fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)beyond, PROBE_BYTES);
}

static bool can_seek_hole(const struct rdwr *d)
{
	/* ENXIO: a file of one hole. */
	return lseek(d->fd, 0, SEEK_DATA) != -1 || errno == ENXIO;
}

static void probe_file(struct rdwr *d, const struct stat *st, struct bs_dev_info *info)
{
	struct statfs fs;

	d->sector = 1;
	info->size_bytes = (uint64_t)st->st_size;
	/* Network file systems name a transfer size here, up to megabytes. */
	info->phys_block_bytes = MIN((uint32_t)st->st_blksize, 4096U);
	info->optimal_bytes = (uint32_t)st->st_blksize;
	info->rotational = queue_number(st->st_dev, "rotational", 0);
	d->in_memory = !fstatfs(d->fd, &fs) && fs.f_type == TMPFS_MAGIC;
	if (!info->read_only && can_punch(d, info->size_bytes)) {
		info->ops |= BS_OP_BIT(BS_UNMAP);
		info->thin = true;
		info->reads_zero = true;
		info->unmap_granularity_bytes = (uint32_t)st->st_blksize;
	}
	if (can_seek_hole(d))
		info->ops |= BS_OP_BIT(BS_BLOCK_STATUS);
}

static int probe_block(struct rdwr *d, const struct stat *st, struct bs_dev_info *info)
{
	unsigned int phys = 0, optimal = 0;
	int ro = 0, logical = 0;

	if (ioctl(d->fd, BLKGETSIZE64, &info->size_bytes))
		return -errno;
	if (!ioctl(d->fd, BLKROGET, &ro) && ro)
		info->read_only = true;
	if (!ioctl(d->fd, BLKPBSZGET, &phys))
		info->phys_block_bytes = phys;
	if (!ioctl(d->fd, BLKIOOPT, &optimal))
		info->optimal_bytes = optimal;
	info->rotational = queue_number(st->st_rdev, "rotational", 0);
	d->sector = 512;
	if (!ioctl(d->fd, BLKSSZGET, &logical) && logical > 0)
		d->sector = (uint32_t)logical;
	/* What BLKDISCARD leaves behind is the device's choice: not zeroes. */
	if (!info->read_only && queue_number(st->st_rdev, "discard_max_bytes", 0)) {
		info->ops |= BS_OP_BIT(BS_UNMAP);
		info->thin = true;
		info->unmap_granularity_bytes = (uint32_t)MAX(
			queue_number(st->st_rdev, "discard_granularity", 0),
			(uint64_t)d->sector);
	}
	return 0;
}

int bs_rdwr_probe(struct rdwr *d, struct bs_dev_info *info)
{
	struct stat st;
	int err = 0;

	if (fstat(d->fd, &st))
		return -errno;
	d->is_block = S_ISBLK(st.st_mode);
	info->ops = BS_OP_BIT(BS_READ) | BS_OP_BIT(BS_FLUSH);
	if (d->is_block)
		err = probe_block(d, &st, info);
	else
		probe_file(d, &st, info);
	if (err)
		return err;
	if (!info->read_only)
		info->ops |= BS_OP_BIT(BS_WRITE) | BS_OP_BIT(BS_WRITE_ZEROES);
	info->write_cache = !info->read_only && !d->sync;
	if (!d->direct)		/* there is a page cache */
		info->ops |= BS_OP_BIT(BS_PREFETCH);
	if (d->direct)
		info->align_bytes = direct_align(d, PROBE_BYTES);
	return 0;
}
