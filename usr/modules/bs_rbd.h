/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd.h - what the files of this module share.
 *
 * A disk outlives its image: where the cluster has shut a connection out, its images
 * are of no use any more, and the disk gets another one (bs_rbd_recover.c).
 */
#pragma once
#include "bs_rbd_cluster.h"
#include "bs_rbd_spec.h"
#include <pthread.h>
#include <rbd/librbd.h>
#include <stdatomic.h>
#include "base/list.h"

#define BS_RBD_ATOMIC_BYTES	512	/* what librbd compares and writes at once */

/* Who may write to the image; see doc/README.rbd. */
enum bs_rbd_lock { BS_RBD_LOCK_SHARED, BS_RBD_LOCK_EXCLUSIVE, BS_RBD_LOCK_NONE };

/*
 * bs_rbd_bounded.c: a call that may take forever, on a thread of its own.
 */
struct bs_rbd_bounded {		/* the first member of something on the heap */
	void (*run)(struct bs_rbd_bounded *b);
	void (*abandoned)(struct bs_rbd_bounded *b);	/* frees it, on that thread */

	/* bs_rbd_bounded.c only. */
	bool done, given_up, counted;
};

/* 0: run() has returned, *b is the caller's again.  -ETIMEDOUT: it has not, and
 * abandoned() will be called.  -EAGAIN: not started; no thread, or too many hang. */
int bs_rbd_bounded_run(struct bs_rbd_bounded *b, unsigned int timeout_s);
/* run() and then abandoned(), without waiting.  -EAGAIN: not started. */
int bs_rbd_bounded_leave(struct bs_rbd_bounded *b);

struct bs_rbd;

struct bs_rbd_image {
	struct bs_rbd_bounded closing;

	/* Constant once open. */
	struct bs_rbd *disk;	/* holds a reference, once watched */
	struct bs_rbd_cluster *cluster;
	rados_ioctx_t io;
	rbd_image_t image;
	rbd_image_info_t info;
	uint64_t stripe_unit, stripe_count;
	uint64_t watch;		/* of changes */
	bool read_only, watched, caches;

	/* Any thread. */
	atomic_uint refs;	/* of the disk, channels, requests */
};

struct bs_rbd {
	/* Constant after open. */
	char *name;		/* as the user wrote it */
	struct bs_rbd_spec spec;
	struct bs_rbd_identity identity;
	enum bs_rbd_lock lock;
	bool read_only;		/* wanted */

	/* Any thread. */
	atomic_uint refs;	/* of the device, images, recovery */
	atomic_uint generation;	/* of image: channels look for another one */
	_Atomic uint64_t size_bytes;

	/* Under the mutex. */
	pthread_mutex_t mutex;
	struct bs_dev *dev;	/* NULL: closed */
	struct bs_rbd_image *image;	/* NULL: lost; holds a reference */

	/* bs_rbd_recover.c, under its mutex. */
	struct list_head node;
	uint64_t retry_ms;	/* when, by CLOCK_MONOTONIC */
	unsigned int tries;
};

struct bs_rbd *bs_rbd_get(struct bs_rbd *d);
void bs_rbd_put(struct bs_rbd *d);

/*
 * bs_rbd_image.c: open the image of @d, all of which is only read.  It may take as
 * long as the cluster likes.  0 or -errno after @why.  The caller has the reference.
 * Threads: any that may block.
 */
int bs_rbd_image_open(const struct bs_rbd *d, struct bs_rbd_image **ret,
		      struct bs_rbd_why *why);
/* The same, given up after the identity's timeout_s.  -ETIMEDOUT after @why. */
int bs_rbd_image_open_bounded(struct bs_rbd *d, struct bs_rbd_image **ret,
			      struct bs_rbd_why *why);
/* From now on it tells @d its size.  Threads: any that may block. */
void bs_rbd_image_watch(struct bs_rbd_image *i, struct bs_rbd *d);
void bs_rbd_image_get(struct bs_rbd_image *i);
/* Any thread; the last one closes it, later, on a thread of its own. */
void bs_rbd_image_put(struct bs_rbd_image *i);
/* Put it and wait until it is closed, if that is the last reference; for
 * @timeout_s at most. */
void bs_rbd_image_close(struct bs_rbd_image *i, unsigned int timeout_s);
/* How large it is now, asked for @timeout_s at most.  0 or -errno. */
int bs_rbd_image_size(struct bs_rbd_image *i, unsigned int timeout_s, uint64_t *ret_bytes);

/* bs_rbd_io.c: for struct bs_module.  Threads: the reactor. */
int bs_rbd_channel_open(struct bs_channel *ch);
void bs_rbd_channel_close(struct bs_channel *ch);
void bs_rbd_submit(struct bs_channel *ch, struct bs_req *req);
/* BS_OP_BIT()s of what that can do with @i. */
uint32_t bs_rbd_io_ops(const struct bs_rbd_image *i);

/* bs_rbd_status.c: BLOCK_STATUS, on a worker. */
int bs_rbd_status(struct bs_rbd_image *i, struct bs_req *req);

/* bs_rbd_recover.c: the cluster has shut out the connection of @i.  Its disks are
 * without an image until they have another one.  Any thread. */
void bs_rbd_recover(struct bs_rbd_image *i);
/* A disk comes, goes. */
void bs_rbd_recover_add(struct bs_rbd *d);
void bs_rbd_recover_remove(struct bs_rbd *d);
