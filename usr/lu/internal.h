/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/internal.h - what the files of this directory share. */
#pragma once
#include "base/list.h"
#include "lu/io.h"
#include "lu/latency.h"
#include "lu/lu.h"
#include "reactor/reactor.h"

struct lu_channel {			/* its reactor only */
	struct lu *lu;			/* holds a reference */
	struct bs_device *dev;		/* bs keeps it; NULL: there is no medium */
	struct bs_channel *bs;		/* NULL: idem */
	const struct bs_dev_info *info;
	bool retired;			/* of a medium that was taken out: only to flush */
	struct reactor *reactor;
	struct list_head node;		/* in the reactor's list of channels */
	unsigned int refs;
	unsigned int nr_ios;		/* between submit and the return of done() */
	struct list_head in_flight;	/* started: the store, or emulation, has it */
	struct list_head fences;	/* locks that wait for writers in flight */
	struct list_head finished;	/* ended without the store */
	struct reactor_hook deliver;
	struct lu_qos_queue qos;
	struct lu_latency *latency;	/* this reactor's part of lu->latency */
};

/* channel.c: this reactor's channel to @lu, NULL if it has none. */
struct lu_channel *lu_channel_find(const struct lu *lu);
void lu_channel_close_unused(struct lu_channel *ch);
/* A channel to @dev (NULL: no medium) that nobody finds before lu_channel_show().
 * One reference.  -ENOMEM or the store's. */
int lu_channel_open(struct lu *lu, struct bs_device *dev, struct lu_channel **ret_ch);
/* The one of its LU from now on; one that was there before is retired. */
void lu_channel_show(struct lu_channel *ch);

/* lu.c: lu_set_geometry() in two steps, of which the second cannot fail.  NULL: no
 * memory.  publish() takes @g. */
struct lu_geometry *lu_geometry_new(const struct lu_geometry *g);
void lu_geometry_publish(struct lu *lu, struct lu_geometry *g);
void lu_geometry_free(struct lu_geometry *g);	/* one that was not published */

/* lu.c: does the store go with blocks of that size?  0 or -EINVAL and a sentence. */
int lu_fit(const struct lu *lu, const struct bs_device *dev, uint32_t block_bytes,
	   struct lu_geometry *ret_g, char *why, size_t why_bytes);
/* lu.c: from now on @dev (NULL: none) is the store, and tells its size and its end. */
void lu_attach(struct lu *lu, struct bs_device *dev);

/* io.c */
bool lu_io_writes(const struct lu_io *io);	/* a writer to be locked out */
bool lu_io_reads(const struct lu_io *io);	/* the same of a reader */
bool lu_io_durable(const struct lu_io *io);	/* done() means: on the medium */
void lu_io_start(struct lu_io *io);
void lu_io_go(struct lu_io *io);	/* the limit that held it is gone */
void lu_io_resume(struct lu_io *io);	/* range locks have let it go */
void lu_io_finish(struct lu_io *io, int err);	/* not from within submit */
void lu_io_finish_later(struct lu_io *io, int err);
void lu_io_deliver(struct reactor_hook *h);
/* Send one request of @io to the store; @done as of struct bs_io. */
void lu_io_to_store(struct lu_io *io, enum bs_op op, uint16_t flags, uint64_t off_bytes,
		    uint64_t len_bytes, const struct iovec *iov, int iovcnt,
		    void (*done)(struct bs_io *bs, int err));
/* The same with another @bs, for one that has several at a time. */
void lu_io_part_to_store(struct lu_io *io, struct bs_io *bs, enum bs_op op, uint16_t flags,
			 uint64_t off_bytes, uint64_t len_bytes, const struct iovec *iov,
			 int iovcnt, void (*done)(struct bs_io *bs, int err));
/* The store has done the writing: make it durable if need be, then finish. */
void lu_io_written(struct lu_io *io);

static inline bool lu_channel_has(const struct lu_channel *ch, enum bs_op op)
{
	return ch->info->ops & BS_OP_BIT(op);
}

/* emulate.c */
void lu_emulate_start(struct lu_io *io);
/* 0, -ECANCELED, or -ERANGE: the next step may not be written. */
int lu_io_may_write(const struct lu_io *io, uint64_t step_bytes);

/* or_shared.c: with the range locked.  start(): 0, or -errno and nothing has begun. */
bool lu_or_shared_wanted(const struct lu_io *io);
int lu_or_shared_start(struct lu_io *io);

/* atomic.c */
void lu_atomic_start(struct lu_io *io);
