/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_old - a module as it was built against the first version of the header,
 * written out here: a struct bs_module that ends with submit().  What the header
 * has gained since must not be read from it; poison is where it would be.
 */
#include <string.h>
#include <tgt/bs_module.h>

struct old_module {
	uint32_t abi, struct_bytes;
	const char *name, *help;
	const struct bs_option *options;
	uint32_t open_flags, reserved;
	int (*open)(struct bs_dev *dev, const struct bs_open_args *args);
	void (*close)(struct bs_dev *dev);
	int (*group_open)(struct bs_group *g);
	void (*group_close)(struct bs_group *g);
	int (*channel_open)(struct bs_channel *ch);
	void (*channel_close)(struct bs_channel *ch);
	void (*submit)(struct bs_channel *ch, struct bs_req *req);
};

static int old_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	(void)args;
	dev->info.size_bytes = 1 << 20;
	dev->info.ops = BS_OP_BIT(BS_READ) | BS_OP_BIT(BS_WRITE);
	return 0;
}

static void old_close(struct bs_dev *dev)
{
	(void)dev;
}

static void old_submit(struct bs_channel *ch, struct bs_req *req)
{
	if (req->op == BS_READ)
		for (int i = 0; i < req->iovcnt; i++)
			memset(req->iov[i].iov_base, 'o', req->iov[i].iov_len);
	bs_complete(ch, req, 0);
}

BS_EXPORT const struct {
	struct old_module m;
	uintptr_t poison[16];
} bs_module = {
	.m = {
		.abi = 1,
		.struct_bytes = sizeof(struct old_module),
		.name = "old",
		.help = "made for the first header",
		.open = old_open,
		.close = old_close,
		.submit = old_submit,
	},
	.poison = { 0xdead, 0xdead, 0xdead, 0xdead, 0xdead, 0xdead, 0xdead, 0xdead },
};
