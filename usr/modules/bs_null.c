/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_null - reads zeroes, discards writes.  The smallest whole module.
 *
 * --backing-store is ignored.  Options:
 *	size=BYTES	of the disk, default 1G
 */
#include <string.h>
#include <tgt/bs_module.h>

static const struct bs_option options[] = {
	{ .name = "size", .type = BS_OPT_SIZE, .min = 512, .fallback = "1G",
	  .help = "size of the disk in bytes" },
	{ 0 },
};

static int null_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	dev->info = (struct bs_dev_info){
		.size_bytes = bs_param_u64(args->params, "size"),
		.ops = BS_OP_BIT(BS_READ) | BS_OP_BIT(BS_WRITE) | BS_OP_BIT(BS_FLUSH) |
		       BS_OP_BIT(BS_UNMAP) | BS_OP_BIT(BS_WRITE_ZEROES) |
		       BS_OP_BIT(BS_WRITE_SAME) | BS_OP_BIT(BS_BLOCK_STATUS),
		.thin = true,
		.reads_zero = true,
	};
	return 0;
}

static void null_close(struct bs_dev *dev)
{
	(void)dev;
}

static void null_submit(struct bs_channel *ch, struct bs_req *req)
{
	if (req->op == BS_READ)
		for (int i = 0; i < req->iovcnt; i++)
			memset(req->iov[i].iov_base, 0, req->iov[i].iov_len);
	else if (req->op == BS_BLOCK_STATUS)
		req->result = req->len_bytes;	/* nothing is mapped */
	bs_complete(ch, req, 0);
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "null",
	.help = "reads zeroes, discards writes",
	.options = options,
	.open_flags = BS_OPEN_RDONLY,
	.open = null_open,
	.close = null_close,
	.submit = null_submit,
};
