/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_uring - a file or a block device, by io_uring.
 *
 * --backing-store: its path.  --bsoflags: sync, direct.  --bsopts: see options[].
 *
 * Where a request runs:
 *  - direct reads and writes: in the ring, with RWF_NOWAIT; what the kernel cannot
 *    do without waiting comes back with EAGAIN and goes to a worker;
 *  - reads through the page cache: in the ring; what is not in the cache is waited
 *    for there, at any depth, without a thread;
 *  - writes to the page cache: as bs_rdwr does them.  ext4 and block devices have
 *    no way to do them without waiting, so a ring would use threads of the kernel,
 *    which costs more than one hand-over to a worker for many;
 *  - flushes, zeroes, discards: by a worker.  The kernel would run them in threads
 *    of the ring, which all stores of a reactor share; of our workers, a store
 *    that hangs gets its share and no more.
 */
#include "bs_uring.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include "base/macros.h"

static_assert(offsetof(struct uring_dev, f) == 0, "bs_file.h wants it first");

static const struct bs_option options[] = {
	{ "sqpoll", BS_OPT_BOOL, 0, 0, "no",
	  "a kernel thread of the reactor submits, and burns a CPU while there is work" },
	{ "iopoll", BS_OPT_BOOL, 0, 0, "no",
	  "it also polls for completions; direct I/O on NVMe with poll queues only" },
	BS_FILE_LEND_OPTION,
	{ NULL }
};

static enum uring_kind kind_of(const struct bs_params *p)
{
	if (bs_param_bool(p, "iopoll"))
		return URING_IOPOLL;
	return bs_param_bool(p, "sqpoll") ? URING_SQPOLL : URING_PLAIN;
}

/* Is there an io_uring of this kind for us?  A small one tells. */
static int check_kernel(enum uring_kind kind)
{
	struct io_uring ring;
	const int err = bs_uring_setup(&ring, 1, kind, bs_say);

	if (!err)
		io_uring_queue_exit(&ring);
	return err;
}

/* The kernel refuses polled requests one by one; better to hear it now. */
static int check_polling(const struct bs_file *f)
{
	if (!f->direct) {
		bs_say("iopoll needs direct I/O: add --bsoflags direct");
		return -EINVAL;
	}
	if (!bs_file_queue_number(f, "io_poll")) {
		bs_say("iopoll: the device has no queues for polling (its queue/io_poll "
		       "in sysfs is 0)");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int open_dev(struct uring_dev *d, struct bs_dev *dev, const struct bs_open_args *args)
{
	int err;

	d->kind = kind_of(args->params);
	err = check_kernel(d->kind);
	if (err)
		return err;
	err = bs_file_open(&d->f, "uring", args->flags, args, dev);
	if (!err && d->kind == URING_IOPOLL) {
		err = check_polling(&d->f);
		if (err)
			bs_file_close(&d->f);
	}
	return err;
}

static int uring_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	struct uring_dev *d = malloc(sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	err = open_dev(d, dev, args);
	if (err) {
		free(d);
		return err;
	}
	bs_file_lend_start(&d->f, &dev->info, bs_param_u64(args->params, "map"));
	dev->priv = d;
	return 0;
}

static void uring_close(struct bs_dev *dev)
{
	struct uring_dev *d = dev->priv;

	bs_file_close(&d->f);
	free(d);
}

static bool goes_to_ring(const struct bs_file *f, const struct bs_req *req)
{
	if ((req->op != BS_READ && req->op != BS_WRITE) || f->in_memory)
		return false;
	if (!f->direct)
		return req->op == BS_READ;
	return bs_file_iov_fits(f, req) &&
	       !atomic_load_explicit(&f->no_nowait_direct, memory_order_relaxed);
}

static void uring_submit(struct bs_channel *ch, struct bs_req *req)
{
	if (req->op == BS_READ && bs_file_lend_read(ch, req))
		return;
	if (goes_to_ring(ch->dev->priv, req))
		bs_uring_ring_add(ch, req);
	else
		bs_file_submit(ch, req);
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "uring",
	.help = "a file or a block device, by io_uring",
	.options = options,
	.open_flags = BS_OPEN_SYNC | BS_OPEN_DIRECT | BS_OPEN_RDONLY,
	.flags = BS_MODULE_PATH,
	.open = uring_open,
	.close = uring_close,
	.size = bs_file_size,
	BS_FILE_VOLUME_OPS,
	.group_open = bs_uring_group_open,
	.group_close = bs_uring_group_close,
	.channel_open = bs_uring_channel_open,
	.channel_close = bs_uring_channel_close,
	.submit = uring_submit,
	.flush_batch = bs_uring_ring_flush,
	.lend = bs_file_lend,
	.lend_end = bs_file_lend_end,
};
