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
	struct bs_channel *bs;
	const struct bs_dev_info *info;
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

/* io.c */
bool lu_io_writes(const struct lu_io *io);	/* a writer to be locked out */
bool lu_io_durable(const struct lu_io *io);	/* done() means: on the medium */
void lu_io_start(struct lu_io *io);
void lu_io_go(struct lu_io *io);	/* no limit holds it any more */
void lu_io_finish(struct lu_io *io, int err);	/* not from within submit */
void lu_io_finish_later(struct lu_io *io, int err);
void lu_io_deliver(struct reactor_hook *h);
/* Send one request of @io to the store; @done as of struct bs_io. */
void lu_io_to_store(struct lu_io *io, enum bs_op op, uint16_t flags, uint64_t off_bytes,
		    uint64_t len_bytes, const struct iovec *iov, int iovcnt,
		    void (*done)(struct bs_io *bs, int err));
/* The store has done the writing: make it durable if need be, then finish. */
void lu_io_written(struct lu_io *io);

static inline bool lu_channel_has(const struct lu_channel *ch, enum bs_op op)
{
	return ch->info->ops & BS_OP_BIT(op);
}

/* emulate.c */
void lu_emulate_start(struct lu_io *io);
