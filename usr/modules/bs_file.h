/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file.h - a file or a block device: what bs_rdwr, bs_aio and bs_uring share.
 *
 * A device's priv points to a struct bs_file, maybe the first member of more.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <tgt/bs_module.h>

struct bs_file_map;

struct bs_file {
	/* Constant after open. */
	const char *bstype;
	int fd;
	int sync_fd;		/* a second open file, for fdatasync() only */
	bool is_block;
	bool direct, sync;
	bool in_memory;		/* tmpfs: never waits for a disk */
	uint32_t sector;	/* block devices: its ioctls want multiples; else 1 */
	uint32_t mem_align;	/* of memory, for direct I/O; else 1 */
	uint32_t len_align;	/* of offsets and lengths, likewise */

	/* Any thread. */
	/* There is no RWF_NOWAIT for these here. */
	atomic_bool no_nowait_read, no_nowait_write, no_nowait_direct;
	atomic_bool no_zero_range, no_punch_zero, no_copy;
	struct bs_file_map *map;	/* NULL: nothing is lent */

	/* Flushes, under the mutex; see bs_file_flush(). */
	pthread_mutex_t mutex;
	pthread_cond_t flushed;
	uint64_t flush_wanted, flush_done;
	bool flushing;
	int flush_error;	/* sticks until the store is opened again */
};

/*
 * bs_file_open.c: open args->path with @flags (BS_OPEN_*), read-only if that is
 * all we may, and fill dev->info.  0 or -errno, after bs_say(); *f needs no
 * bs_file_close() then.  Threads: a worker.
 */
int bs_file_open(struct bs_file *f, const char *bstype, uint32_t flags,
		 const struct bs_open_args *args, struct bs_dev *dev);
void bs_file_close(struct bs_file *f);

/* Whatever the module does not do itself: any opcode is served or refused.
 * Threads: the reactor; what may block is given to a worker. */
void bs_file_submit(struct bs_channel *ch, struct bs_req *req);

/*
 * bs_file_io.c: what is done of a request, in req->priv[0].  bs_file_start()
 * before the first piece; bs_file_rest() gives what is left to a worker.
 * Threads: the reactor.
 */
void bs_file_start(struct bs_req *req);
void bs_file_advance(struct bs_req *req, uint64_t bytes);
bool bs_file_is_done(const struct bs_req *req);
void bs_file_rest(struct bs_channel *ch, struct bs_req *req);

/* Direct I/O may take the request's memory as it is. */
bool bs_file_iov_fits(const struct bs_file *f, const struct bs_req *req);
/* RWF_* that a write of this request needs to be as durable as it has to be. */
int bs_file_write_flags(const struct bs_file *f, const struct bs_req *req);

void bs_file_read(struct bs_channel *ch, struct bs_req *req);
int bs_file_read_all(struct bs_dev *dev, struct bs_req *req);	/* on a worker */
void bs_file_write(struct bs_channel *ch, struct bs_req *req);
int bs_file_error(int err);	/* errno, positive -> what bs_complete() takes */
/* Write @bytes of zeroes at @off, whatever the file system can do. */
int bs_file_write_zero_bytes(const struct bs_file *f, uint64_t off, uint64_t bytes);

/* bs_file_space.c, bs_file_flush.c: on a worker. */
int bs_file_flush(struct bs_dev *dev, struct bs_req *req);
int bs_file_unmap(struct bs_dev *dev, struct bs_req *req);
int bs_file_write_zeroes(struct bs_dev *dev, struct bs_req *req);
int bs_file_copy(struct bs_dev *dev, struct bs_req *req);
int bs_file_block_status(struct bs_dev *dev, struct bs_req *req);
int bs_file_prefetch(struct bs_dev *dev, struct bs_req *req);

/*
 * bs_file_lend.c: what is read often is kept mapped, up to @limit_bytes, where the
 * store is one that nobody changes but through this kernel.  After bs_file_open();
 * without it nothing is lent.  Threads: a worker.
 */
void bs_file_lend_start(struct bs_file *f, const struct bs_dev_info *info,
			uint64_t limit_bytes);
/* The row of a module's option table, and functions of struct bs_module. */
#define BS_FILE_LEND_OPTION { "map", BS_OPT_SIZE, 0, 0, "1G", \
	"keep up to so much of what is read often mapped and locked in memory; 0: nothing" }
const void *bs_file_lend(struct bs_channel *ch, uint64_t off_bytes, uint64_t len_bytes,
			 void **ret_loan);
void bs_file_lend_end(struct bs_channel *ch, void *loan, bool faulted);
/* True: @req, a READ, is served by a worker, which also maps what is around it. */
bool bs_file_lend_read(struct bs_channel *ch, struct bs_req *req);

/* bs_file_probe.c: what the file or device can do.  Called while opening. */
int bs_file_probe(struct bs_file *f, struct bs_dev_info *info);
/* For struct bs_module: how large it is now. */
int bs_file_size(struct bs_dev *dev, uint64_t *ret_bytes);
/* A number of the queue of the disk that @f is, or is on; 0: none such. */
uint64_t bs_file_queue_number(const struct bs_file *f, const char *name);

/*
 * bs_file_volume.c, bs_file_clone.c: files as volumes, for struct bs_module.
 * bs_file_volume_new() makes the file, which must not exist, and
 * bs_file_volume_end() makes it durable, or after @err takes it away again; it
 * closes @fd and returns @err or a new one.
 */
int bs_file_volume_new(const char *path, int *ret_fd);
int bs_file_volume_end(int fd, const char *path, int err);
int bs_file_volume_progress(const struct bs_volume_args *a, uint64_t done_bytes,
			    uint64_t total_bytes);
/* Opens a regular file; says what else it is. */
int bs_file_volume_open(const char *path, int flags, uint64_t *ret_bytes, int *ret_fd);
/* @type F_WRLCK: does anybody else have it open; F_RDLCK: for writing (then @fd
 * must be read-only). */
bool bs_file_volume_in_use(int fd, int type);

int bs_file_volume_create(const struct bs_volume_args *a);
int bs_file_volume_remove(const struct bs_volume_args *a);
int bs_file_volume_resize(const struct bs_volume_args *a);
int bs_file_volume_clone(const struct bs_volume_args *a);
int bs_file_volume_list(const struct bs_volume_args *a,
			void (*found)(void *ctx, const char *name, uint64_t size_bytes),
			void *ctx);
int bs_file_volume_info(const struct bs_volume_args *a, struct bs_volume_info *ret);

#define BS_FILE_VOLUME_OPS				\
	.volume_create = bs_file_volume_create,		\
	.volume_remove = bs_file_volume_remove,		\
	.volume_resize = bs_file_volume_resize,		\
	.volume_clone = bs_file_volume_clone,		\
	.volume_list = bs_file_volume_list,		\
	.volume_info = bs_file_volume_info
