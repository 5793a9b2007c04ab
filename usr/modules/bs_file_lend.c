/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_lend.c - reads that are answered straight from the page cache.
 *
 * Only of files and devices whose page cache nobody drops behind our back: with
 * others (network file systems, FUSE) touching what is mapped could wait.
 */
#include "bs_file.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include "base/macros.h"
#include "bs_file_map.h"

#define XFS_MAGIC	0x58465342	/* not in linux/magic.h */

static bool is_local(const struct bs_file *f)
{
	static const uint32_t local[] = { EXT4_SUPER_MAGIC, XFS_MAGIC, BTRFS_SUPER_MAGIC,
					  F2FS_SUPER_MAGIC, TMPFS_MAGIC };
	struct statfs fs;

	if (f->is_block)
		return true;
	if (fstatfs(f->fd, &fs))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		if ((uint32_t)fs.f_type == local[i])
			return true;
	return false;
}

void bs_file_lend_start(struct bs_file *f, const struct bs_dev_info *info,
			uint64_t limit_bytes)
{
	if (!f->direct && limit_bytes && is_local(f))
		f->map = bs_file_map_new(f->fd, info->size_bytes, limit_bytes);
}

const void *bs_file_lend(struct bs_channel *ch, uint64_t off_bytes, uint64_t len_bytes,
			 void **ret_loan)
{
	const struct bs_file *f = ch->dev->priv;

	return f->map ? bs_file_map_get(f->map, off_bytes, len_bytes, ret_loan) : NULL;
}

void bs_file_lend_end(struct bs_channel *ch, void *loan, bool faulted)
{
	(void)ch;
	bs_file_map_put(loan, faulted);
}

static int read_and_map(struct bs_dev *dev, struct bs_req *req)
{
	const struct bs_file *f = dev->priv;
	const int err = bs_file_read_all(dev, req);

	bs_file_map_add(f->map, req->off_bytes);
	return err;
}

bool bs_file_lend_read(struct bs_channel *ch, struct bs_req *req)
{
	const struct bs_file *f = ch->dev->priv;

	if (!f->map || likely(!bs_file_map_wanted(f->map, req->off_bytes)))
		return false;
	bs_file_start(req);
	bs_run_blocking(ch, req, read_and_map);
	return true;
}
