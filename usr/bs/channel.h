/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/channel.h - I/O to a store from one reactor.
 *
 * Threads: everything here belongs to the reactor that got the channel.
 */
#pragma once
#include "bs/bs.h"
#include "base/list.h"
#include "reactor/worker.h"

struct bs_io {			/* the caller's memory, ours until done() */
	struct bs_req req;	/* filled by the caller; priv and result by the module */
	void (*done)(struct bs_io *io, int err);

	/* bs/ only. */
	struct list_head node;
	struct bs_channel *ch;
	int err;
	int (*run)(struct bs_dev *dev, struct bs_req *req);
	struct work work;
};

/* This reactor's channel to @dev (one per device and reactor, counted).
 * Holds a reference on the device.  Errors: -ENOMEM, or what the module says. */
int bs_channel_get(struct bs_device *dev, struct bs_channel **ret_ch);
void bs_channel_put(struct bs_channel *ch);	/* closes when nothing is in flight */

/*
 * Start @io.  done() runs exactly once, on this reactor, never before this
 * returns.  The op must be one that the store has (bs_dev_info.ops), the range
 * within the device; both are the caller's to check.
 */
void bs_channel_submit(struct bs_channel *ch, struct bs_io *io);

/*
 * Memory that has that range of the store, until bs_channel_lend_end(); NULL: the
 * store does not lend it.  To be read by system calls only: @faulted says that one
 * failed with EFAULT.  The channel must be kept.
 */
const void *bs_channel_lend(struct bs_channel *ch, uint64_t off_bytes, uint64_t len_bytes,
			    void **ret_loan);
void bs_channel_lend_end(struct bs_channel *ch, void *loan, bool faulted);
