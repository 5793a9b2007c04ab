/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_rdwr.h - what the files of this module share. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <tgt/bs_module.h>

struct rdwr {
	/* Constant after open. */
	int fd;
	int sync_fd;		/* a second open file, for fdatasync() only */
	bool is_block;
	bool direct, sync;
	bool in_memory;		/* tmpfs: never waits for a disk */
	uint32_t sector;	/* block devices: its ioctls want multiples; else 1 */

	/* Any thread. */
	atomic_bool no_nowait;	/* the file system has no RWF_NOWAIT */
	atomic_bool no_zero_range, no_punch_zero;

	/* Flushes, under the mutex; see bs_rdwr_flush(). */
	pthread_mutex_t mutex;
	pthread_cond_t flushed;
	uint64_t flush_wanted, flush_done;
	bool flushing;
	int flush_error;	/* sticks until the store is opened again */
};

/* bs_rdwr_io.c: on the reactor or, where a worker must, bs_run_blocking(). */
void bs_rdwr_read(struct bs_channel *ch, struct bs_req *req);
void bs_rdwr_write(struct bs_channel *ch, struct bs_req *req);
int bs_rdwr_error(int err);	/* errno, positive -> what bs_complete() takes */
/* Write @bytes of zeroes at @off, whatever the file system can do. */
int bs_rdwr_write_zero_bytes(const struct rdwr *d, uint64_t off, uint64_t bytes);

/* bs_rdwr_space.c, bs_rdwr_flush.c: on a worker. */
int bs_rdwr_flush(struct bs_dev *dev, struct bs_req *req);
int bs_rdwr_unmap(struct bs_dev *dev, struct bs_req *req);
int bs_rdwr_write_zeroes(struct bs_dev *dev, struct bs_req *req);
int bs_rdwr_block_status(struct bs_dev *dev, struct bs_req *req);
int bs_rdwr_prefetch(struct bs_dev *dev, struct bs_req *req);

/* bs_rdwr_probe.c: what the file or device can do.  Called while opening. */
int bs_rdwr_probe(struct rdwr *d, struct bs_dev_info *info);
