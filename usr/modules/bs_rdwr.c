/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rdwr - a file or a block device, by read(2) and write(2).
 *
 * --backing-store: its path.  --bsoflags: sync (each write is on the medium when
 * it is answered), direct (past the page cache).  --bsopts: see options[].
 *
 * Where a request runs: see bs_file_io.c.
 */
#include "bs_file.h"

#include <errno.h>
#include <stdlib.h>

static const struct bs_option options[] = { BS_FILE_LEND_OPTION, { NULL } };

static int rdwr_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	struct bs_file *f = malloc(sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	err = bs_file_open(f, "rdwr", args->flags, args, dev);
	if (err) {
		free(f);
		return err;
	}
	bs_file_lend_start(f, &dev->info, bs_param_u64(args->params, "map"));
	dev->priv = f;
	return 0;
}

static void rdwr_close(struct bs_dev *dev)
{
	bs_file_close(dev->priv);
	free(dev->priv);
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "rdwr",
	.help = "a file or a block device",
	.options = options,
	.open_flags = BS_OPEN_SYNC | BS_OPEN_DIRECT | BS_OPEN_RDONLY,
	.flags = BS_MODULE_PATH,
	.open = rdwr_open,
	.close = rdwr_close,
	.submit = bs_file_submit,
	.size = bs_file_size,
	.lend = bs_file_lend,
	.lend_end = bs_file_lend_end,
	BS_FILE_VOLUME_OPS,
};
