/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgt/bs_module.h - the ABI between tgtd and a backing-store module.
 *
 * A module is a shared object that exports one `const struct bs_module
 * bs_module`.  It sees bytes and iovecs, never a SCSI command, and calls only
 * what this header declares.
 *
 * Objects:
 *	device   one open store, shared by all reactors
 *	group    one per reactor and module: its ring, its event fd
 *	channel  one device on one reactor; what I/O is submitted to
 *
 * Compatibility: structs only ever grow at the end.  The host copies the
 * shorter of its own and the module's struct bs_module (the rest is zero) and
 * refuses another BS_ABI.  Structs that the host allocates (bs_dev, bs_group,
 * bs_channel, bs_req) may be longer than the module believes.
 */
#ifndef TGT_BS_MODULE_H
#define TGT_BS_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define BS_ABI		1
#define BS_EXPORT	__attribute__((visibility("default")))
#define BS_REQ_PRIV	16	/* words of a request for the module's use */

enum bs_op {
	BS_READ,
	BS_WRITE,
	BS_FLUSH,		/* all completed writes to stable storage */
	BS_UNMAP,		/* contents become zero or stay: see reads_zero */
	BS_WRITE_ZEROES,
	BS_WRITE_SAME,		/* iov: the pattern, repeated over len_bytes */
	BS_COMPARE_AND_WRITE,	/* iov: len_bytes to compare, then len_bytes to write */
	BS_COPY,		/* from src_bytes of src_dev; the ranges do not overlap */
	BS_BLOCK_STATUS,	/* result: bytes from off_bytes in the same state */
	BS_PREFETCH,		/* bring the range into a cache; no need to wait for it */
	BS_NR_OPS
};

#define BS_OP_BIT(op)	(1U << (op))

/* struct bs_req.flags */
#define BS_REQ_FUA	0x1U	/* WRITE: done means on stable storage.  Asked of
				 * stores with a write_cache; what else must be
				 * durable is followed by a FLUSH */
#define BS_REQ_UNMAP	0x2U	/* WRITE_ZEROES may deallocate */
#define BS_REQ_MAPPED	0x4U	/* out, BLOCK_STATUS: the extent has data */

/*
 * The host has checked it: op is one of bs_dev_info.ops, the range lies within
 * size_bytes and keeps align_bytes, len_bytes is not 0 (but for FLUSH, which has
 * no range) and iov covers it.
 */
struct bs_req {
	uint16_t op;		/* enum bs_op */
	uint16_t flags;
	int32_t iovcnt;
	const struct iovec *iov; /* the host's, valid until bs_complete() */
	uint64_t off_bytes;
	uint64_t len_bytes;
	uint64_t src_bytes;	/* BS_COPY */
	uint64_t result;	/* 0 at first.  BLOCK_STATUS; COMPARE_AND_WRITE:
				 * offset of the first difference, with -EILSEQ */
	union {			/* BS_COPY */
		struct bs_dev *src_dev;	/* of this module too; NULL: this device */
		uint64_t reserved;
	};
	uint64_t reserved2;
	void *priv[BS_REQ_PRIV]; /* the module's, from submit to bs_complete();
				  * not cleared */
};

/* What open() learns about the store.  Zero means "no limit / not said". */
struct bs_dev_info {
	uint64_t size_bytes;
	uint32_t ops;			/* BS_OP_BIT() of what submit() takes */
	uint32_t align_bytes;		/* of offsets, lengths and memory; 0 or 1: any */
	uint32_t phys_block_bytes;
	uint32_t optimal_bytes;		/* hosts split what is longer */
	uint32_t unmap_granularity_bytes;
	uint32_t atomic_bytes;		/* COMPARE_AND_WRITE is atomic up to this */
	bool read_only;
	bool thin;			/* unmapped space is really given back */
	bool reads_zero;		/* what was unmapped reads as zeroes */
	bool write_cache;		/* a completed write may still be volatile;
					 * then FLUSH and FUA are required */
	bool rotational;
	bool copies_between;		/* COPY takes a src_dev */
	bool shared;			/* others may write to it, past this daemon: its own
					 * COMPARE_AND_WRITE is offered, or none */
};

/* One option of --bsopts; a table of them ends with a NULL name. */
enum bs_option_type { BS_OPT_TEXT, BS_OPT_U64, BS_OPT_SIZE, BS_OPT_BOOL };

struct bs_option {
	const char *name;
	enum bs_option_type type;
	uint64_t min, max;	/* U64 and SIZE; max 0: unlimited */
	const char *fallback;	/* default as text; NULL: unset */
	const char *help;	/* one line, with the unit */
};

/* open flags of --bsoflags */
#define BS_OPEN_SYNC	0x1U
#define BS_OPEN_DIRECT	0x2U
#define BS_OPEN_RDONLY	0x4U	/* the LU is to be read-only */

struct bs_dev {
	void *priv;		/* the module's */
	struct bs_dev_info info; /* filled by open() */
};

struct bs_group {
	void *priv;
};

struct bs_channel {
	void *priv;
	struct bs_dev *dev;
	struct bs_group *group;
};

struct bs_params;		/* parsed --bsopts */

struct bs_open_args {		/* valid during the call */
	const char *path;	/* --backing-store; "" if none */
	uint32_t flags;		/* BS_OPEN_* */
	uint32_t block_bytes;	/* logical block size the LU will have */
	const struct bs_params *params;
};

/* struct bs_volume_args.flags */
#define BS_VOLUME_PREALLOCATE	0x1U	/* create, resize: take all the space now */
#define BS_VOLUME_FORCE		0x2U	/* though it is in use, or data goes */

struct bs_volume_args {
	const char *path;	/* list: of what holds the volumes */
	const char *path2;	/* snapshot: its name; clone: the new volume */
	uint64_t size_bytes;	/* create, resize */
	const struct bs_params *params;
	uint32_t flags;		/* BS_VOLUME_* */
	uint32_t reserved;
	/* To be called now and then by what takes long; may be NULL.  Not 0: undo what
	 * was begun and return -ECANCELED. */
	int (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *progress_ctx;
};

struct bs_volume_info {
	uint64_t size_bytes;
	uint64_t allocated_bytes;	/* UINT64_MAX: not known */
};

/* struct bs_module.flags.  PATH: open() needs a path; a logical unit without one is a
 * drive without a medium.  REMOTE: requests are another process's work, which may need
 * this CPU: not to be waited for by polling. */
#define BS_MODULE_PATH	 0x1U
#define BS_MODULE_REMOTE 0x2U

struct bs_module {
	uint32_t abi;		/* BS_ABI */
	uint32_t struct_bytes;	/* sizeof(struct bs_module) of the module */
	const char *name;	/* --bstype */
	const char *help;
	const struct bs_option *options; /* may be NULL */
	uint32_t open_flags;	/* BS_OPEN_* that open() understands */
	uint32_t flags;		/* BS_MODULE_*; 0 in older modules */

	/* On a worker: may block.  0 or -errno; bs_say() gives the reason. */
	int (*open)(struct bs_dev *dev, const struct bs_open_args *args);
	void (*close)(struct bs_dev *dev);

	/* On a reactor: must not block.  All but submit() may be NULL. */
	int (*group_open)(struct bs_group *g);
	void (*group_close)(struct bs_group *g);
	int (*channel_open)(struct bs_channel *ch);
	void (*channel_close)(struct bs_channel *ch);	/* nothing in flight */
	void (*submit)(struct bs_channel *ch, struct bs_req *req);
	void (*flush_batch)(struct bs_group *g);	/* end of a turn with submits */

	/* Volume operations, on a worker or in a tool.  Each may be NULL. */
	int (*volume_create)(const struct bs_volume_args *a);
	int (*volume_remove)(const struct bs_volume_args *a);
	int (*volume_resize)(const struct bs_volume_args *a);
	int (*volume_snapshot)(const struct bs_volume_args *a);
	int (*volume_clone)(const struct bs_volume_args *a);
	int (*volume_list)(const struct bs_volume_args *a,
			   void (*found)(void *ctx, const char *name, uint64_t size_bytes),
			   void *ctx);

	/* On a worker, between open() and close(), while I/O goes on: look how large
	 * the store is now.  0 or -errno; bs_say() gives the reason.  NULL: it is as
	 * open() said, or as bs_dev_resized() told. */
	int (*size)(struct bs_dev *dev, uint64_t *ret_bytes);

	/*
	 * Optional, on a reactor: memory that has @len_bytes of the store at
	 * @off_bytes, to be sent from without a copy; NULL if that is not possible
	 * without waiting, now.  It stays until lend_end() (the channel may be any
	 * of the device's), may change with the store, and the host reads it only
	 * in system calls; @faulted: one of them found it gone.
	 */
	const void *(*lend)(struct bs_channel *ch, uint64_t off_bytes, uint64_t len_bytes,
			    void **ret_loan);
	void (*lend_end)(struct bs_channel *ch, void *loan, bool faulted);

	/* A volume operation, as those above: what is known of it, unopened. */
	int (*volume_info)(const struct bs_volume_args *a, struct bs_volume_info *ret);
};

/*
 * Complete @req, once, with 0 (all of it is done) or -errno: -EIO, -ENOSPC,
 * -EROFS, -ENODATA (medium error), -EILSEQ (COMPARE_AND_WRITE differs),
 * -EOPNOTSUPP, -ETIMEDOUT, -ENXIO (store gone).  bs_complete(): the channel's reactor, also from within
 * submit().  bs_complete_from(): any other thread.  Neither enters the module.
 */
BS_EXPORT void bs_complete(struct bs_channel *ch, struct bs_req *req, int err);
BS_EXPORT void bs_complete_from(struct bs_channel *ch, struct bs_req *req, int err);

/*
 * Serve @req with a blocking call: @run executes on a worker and its return
 * value completes the request.  A turn's requests are handed over together.
 */
BS_EXPORT void bs_run_blocking(struct bs_channel *ch, struct bs_req *req,
			       int (*run)(struct bs_dev *dev, struct bs_req *req));

/* The same for calls that would only wait for each other (writes under the lock
 * of an inode): a channel's run one after another, many per hand-over.  They are
 * completed together, so this is for short ones. */
BS_EXPORT void bs_run_in_order(struct bs_channel *ch, struct bs_req *req,
			       int (*run)(struct bs_dev *dev, struct bs_req *req));

/* Watch @fd for input in the group's reactor.  NULL: no memory, or not an fd that
 * can be waited for.  ready() may free the watch. */
struct bs_watch;
BS_EXPORT struct bs_watch *bs_watch_new(struct bs_group *g, int fd,
					void (*ready)(void *ctx), void *ctx);
BS_EXPORT void bs_watch_free(struct bs_watch *w);

/* Call @expired once after @ms, on the group's reactor.  Free it there, or later,
 * in any case. */
struct bs_timer;
BS_EXPORT struct bs_timer *bs_timer_new(struct bs_group *g, uint64_t ms,
					void (*expired)(void *ctx), void *ctx);
BS_EXPORT void bs_timer_free(struct bs_timer *t);	/* cancels */

/* Option values, already checked against the table.  Text may be NULL. */
BS_EXPORT const char *bs_param_text(const struct bs_params *p, const char *name);
BS_EXPORT uint64_t bs_param_u64(const struct bs_params *p, const char *name);
BS_EXPORT bool bs_param_bool(const struct bs_params *p, const char *name);
BS_EXPORT bool bs_param_is_set(const struct bs_params *p, const char *name);

/* During open() or a volume call: the reason of a failure, for the user. */
BS_EXPORT void bs_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* At any time, any thread: the daemon's log. */
BS_EXPORT void bs_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Any thread, from open() to close(): the store's size is now @size_bytes. */
BS_EXPORT void bs_dev_resized(struct bs_dev *dev, uint64_t size_bytes);

/*
 * Stacking on another store.  open/close on a worker within the own open() and
 * close(); channels on the reactor; a child request's done() runs once, later,
 * on the same reactor.  @spec: "bstype:path"; @opts: its bsopts or NULL.
 */
struct bs_child;
BS_EXPORT int bs_child_open(const char *spec, const char *opts,
			    const struct bs_open_args *parent,
			    struct bs_child **ret_child);
BS_EXPORT void bs_child_close(struct bs_child *c);
BS_EXPORT const struct bs_dev_info *bs_child_info(const struct bs_child *c);
/* For the own size(): that of the other store.  -EOPNOTSUPP if it cannot tell. */
BS_EXPORT int bs_child_size(struct bs_child *c, uint64_t *ret_bytes);
struct bs_child_channel;
BS_EXPORT struct bs_child_channel *bs_child_channel_open(struct bs_child *c);
BS_EXPORT void bs_child_channel_close(struct bs_child_channel *cc);
BS_EXPORT int bs_child_submit(struct bs_child_channel *cc, const struct bs_req *req,
			      void (*done)(void *ctx, struct bs_req *child_req, int err),
			      void *ctx);	/* -ENOMEM: not submitted */

#endif
