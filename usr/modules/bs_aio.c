/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_aio - a file or a block device past the page cache, by Linux AIO.
 *
 * --backing-store: its path.  --bsoflags: sync; direct is always on.
 *
 * Reads and writes carry RWF_NOWAIT, so that io_submit() does not wait for a full
 * device queue, for space to be allocated or for metadata; what the kernel cannot
 * do so comes back with EAGAIN and goes to a worker.  Flushes go to a worker in
 * any case: there one call serves many and no error is lost (bs_file_flush.c),
 * and the kernel's own AIO flush is a work item of one of its threads as well.
 */
#include "bs_aio.h"

#include <errno.h>
#include <stdlib.h>

static int check_kernel(void)
{
	io_context_t ctx = NULL;
	const int err = io_setup(1, &ctx);

	if (!err)
		io_destroy(ctx);
	if (err == -EAGAIN)
		bs_say("all of sysctl fs.aio-max-nr is in use; raise it, or use bstype rdwr");
	else if (err)
		bs_say("the kernel or a container's filter forbids io_setup(); use bstype rdwr");
	return err;
}

static int aio_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	struct bs_file *f;
	int err = check_kernel();

	if (err)
		return err;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	err = bs_file_open(f, "aio", args->flags | BS_OPEN_DIRECT, args, dev);
	if (err) {
		free(f);
		return err;
	}
	dev->priv = f;
	return 0;
}

static void aio_close(struct bs_dev *dev)
{
	bs_file_close(dev->priv);
	free(dev->priv);
}

static void aio_submit(struct bs_channel *ch, struct bs_req *req)
{
	const struct bs_file *f = ch->dev->priv;
	const bool moves = req->op == BS_READ || req->op == BS_WRITE;

	if (!moves || f->in_memory || !bs_file_iov_fits(f, req) ||
	    atomic_load_explicit(&f->no_nowait_direct, memory_order_relaxed))
		bs_file_submit(ch, req);
	else
		bs_aio_queue_add(ch, req);
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "aio",
	.help = "a file or a block device, direct I/O by Linux AIO",
	.open_flags = BS_OPEN_SYNC | BS_OPEN_DIRECT | BS_OPEN_RDONLY,
	.flags = BS_MODULE_PATH,
	.open = aio_open,
	.close = aio_close,
	.size = bs_file_size,
	BS_FILE_VOLUME_OPS,
	.group_open = bs_aio_group_open,
	.group_close = bs_aio_group_close,
	.channel_open = bs_aio_channel_open,
	.channel_close = bs_aio_channel_close,
	.submit = aio_submit,
	.flush_batch = bs_aio_queue_flush,
};
