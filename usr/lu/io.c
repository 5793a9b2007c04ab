/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/io.c - the way of a request: checked, held back by a limit or a lock if need
 * be, then to the store as it is or to emulate.c.
 *
 * Durability: where the store has a write cache, a request with FUA, and every
 * write while the LU's write cache is off, is on the medium before done().  For
 * WRITE the store has FUA; other operations are followed by a FLUSH.
 */
#include "lu/io.h"

#include <errno.h>
#include "base/iov.h"
#include "base/probe.h"
#include "lu/internal.h"

/* What iov must be. */
enum iov_rule { IOV_IGNORED, IOV_LEN, IOV_TWICE_LEN, IOV_LEN_OR_NONE, IOV_PATTERN };

static const struct {
	enum bs_op op;		/* the store's, if it has it */
	bool writes;
	enum iov_rule iov;
} ops[LU_NR_OPS] = {
	[LU_READ] = { BS_READ, false, IOV_LEN },
	[LU_WRITE] = { BS_WRITE, true, IOV_LEN },
	[LU_FLUSH] = { BS_FLUSH, false, IOV_IGNORED },
	[LU_UNMAP] = { BS_UNMAP, true, IOV_IGNORED },
	[LU_WRITE_ZEROES] = { BS_WRITE_ZEROES, true, IOV_IGNORED },
	[LU_WRITE_SAME] = { BS_WRITE_SAME, true, IOV_PATTERN },
	[LU_VERIFY] = { BS_NR_OPS, false, IOV_LEN_OR_NONE },
	[LU_COMPARE_AND_WRITE] = { BS_COMPARE_AND_WRITE, true, IOV_TWICE_LEN },
	[LU_ORWRITE] = { BS_NR_OPS, true, IOV_LEN },
	[LU_WRITE_ATOMIC] = { BS_NR_OPS, true, IOV_LEN },
	[LU_PREFETCH] = { BS_PREFETCH, false, IOV_IGNORED },
	[LU_BLOCK_STATUS] = { BS_BLOCK_STATUS, false, IOV_IGNORED },
	[LU_COPY] = { BS_COPY, true, IOV_IGNORED },
};

/* --- the end --- */

void lu_io_finish(struct lu_io *io, int err)
{
	struct lu_channel *ch = io->ch;

	PROBE(lu, done, io, io->op, err);
	if (likely(err != -ECANCELED))
		lu_latency_add(ch, io->op, reactor_clock_ns(ch->reactor) - io->submit_ns);
	list_del(&io->node);
	if (unlikely(!list_empty(&ch->fences)))
		lu_range_lock_recheck(ch);
	io->done(io, err);	/* @io may be gone after this */
	ch->nr_ios--;
	lu_channel_close_unused(ch);
}

void lu_io_finish_later(struct lu_io *io, int err)
{
	struct lu_channel *ch = io->ch;

	io->err = err;
	list_del(&io->node);
	list_add_tail(&ch->finished, &io->node);
	reactor_hook_arm(ch->reactor, &ch->deliver, REACTOR_COMPLETE);
}

void lu_io_deliver(struct reactor_hook *h)
{
	struct lu_channel *ch = container_of(h, struct lu_channel, deliver);
	struct list_head batch;
	struct lu_io *io;

	list_init(&batch);
	list_splice_tail(&batch, &ch->finished);
	ch->nr_ios++;			/* not to lose @ch with the last of them */
	while ((io = list_pop(&batch, struct lu_io, node)))
		lu_io_finish(io, io->err);
	ch->nr_ios--;
	lu_channel_close_unused(ch);
}

/* --- to the store --- */

bool lu_io_durable(const struct lu_io *io)
{
	const struct lu_channel *ch = io->ch;

	return ch->info->write_cache &&
	       ((io->flags & LU_IO_FUA) ||
		!atomic_load_explicit(&ch->lu->write_cache, memory_order_relaxed));
}

static bool store_op_writes(enum bs_op op)
{
	return op != BS_READ && op != BS_FLUSH && op != BS_BLOCK_STATUS && op != BS_PREFETCH;
}

void lu_io_part_to_store(struct lu_io *io, struct bs_io *bs, enum bs_op op, uint16_t flags,
			 uint64_t off_bytes, uint64_t len_bytes, const struct iovec *iov,
			 int iovcnt, void (*done)(struct bs_io *bs, int err))
{
	struct bs_req *req = &bs->req;

	/* Field by field: the module's private words need no clearing. */
	req->op = (uint16_t)op;
	req->flags = flags;
	req->off_bytes = off_bytes;
	req->len_bytes = len_bytes;
	req->iov = iov;
	req->iovcnt = iovcnt;
	bs->done = done;
	if (unlikely(lu_watch_any(&io->ch->lu->watches)) && store_op_writes(op))
		lu_watch_touch(io->ch->lu, off_bytes, len_bytes);
	bs_channel_submit(io->ch->bs, bs);
}

void lu_io_to_store(struct lu_io *io, enum bs_op op, uint16_t flags, uint64_t off_bytes,
		    uint64_t len_bytes, const struct iovec *iov, int iovcnt,
		    void (*done)(struct bs_io *bs, int err))
{
	lu_io_part_to_store(io, &io->bs, op, flags, off_bytes, len_bytes, iov, iovcnt, done);
}

static void flushed(struct bs_io *bs, int err)
{
	lu_io_finish(container_of(bs, struct lu_io, bs), err);
}

void lu_io_written(struct lu_io *io)
{
	if (lu_io_durable(io))
		lu_io_to_store(io, BS_FLUSH, 0, 0, 0, NULL, 0, flushed);
	else
		lu_io_finish(io, 0);
}

static void native_done(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	io->result = bs->req.result;
	if (bs->req.flags & BS_REQ_MAPPED)
		io->flags |= LU_IO_MAPPED;
	if (!err && ops[io->op].writes && io->op != LU_WRITE)
		lu_io_written(io);
	else
		lu_io_finish(io, err);
}

static bool is_native(const struct lu_io *io)
{
	const enum bs_op op = ops[io->op].op;

	if (op == BS_NR_OPS || !lu_channel_has(io->ch, op))
		return false;
	return io->op != LU_COMPARE_AND_WRITE ||
	       io->len_bytes <= io->ch->info->atomic_bytes;
}

bool lu_io_writes(const struct lu_io *io)
{
	/* Those that lock order themselves by their locks. */
	if (io->op == LU_COMPARE_AND_WRITE || io->op == LU_ORWRITE ||
	    io->op == LU_WRITE_ATOMIC)
		return is_native(io);
	return ops[io->op].writes;
}

bool lu_io_reads(const struct lu_io *io)
{
	return io->op == LU_READ || io->op == LU_VERIFY;
}

static uint16_t native_flags(const struct lu_io *io)
{
	uint16_t flags = 0;

	if (io->op == LU_WRITE && lu_io_durable(io))
		flags |= BS_REQ_FUA;
	if (io->flags & LU_IO_UNMAP)
		flags |= BS_REQ_UNMAP;
	return flags;
}

/* The source is not locked: it is read as any other reader would, and not where such
 * have to be locked out. */
static void copy(struct lu_io *io)
{
	struct bs_dev *src;

	if (io->src->lu->journal ||
	    bs_device_copy_source(io->ch->dev, io->src->dev, &src)) {
		lu_io_finish_later(io, -EOPNOTSUPP);
		return;
	}
	io->bs.req.src_dev = src;
	io->bs.req.src_bytes = io->src_bytes;
	lu_io_to_store(io, BS_COPY, 0, io->off_bytes, io->len_bytes, NULL, 0, native_done);
}

void lu_io_start(struct lu_io *io)
{
	list_add_tail(&io->ch->in_flight, &io->node);
	if (io->op == LU_COPY)
		copy(io);
	else if (is_native(io))
		lu_io_to_store(io, ops[io->op].op, native_flags(io), io->off_bytes,
			       io->len_bytes, io->iov, io->iovcnt, native_done);
	else
		lu_emulate_start(io);
}

/* --- the beginning --- */

static bool iov_fits(const struct lu_io *io)
{
	const enum iov_rule rule = ops[io->op].iov;
	uint64_t n;

	if (rule == IOV_IGNORED || (rule == IOV_LEN_OR_NONE && !io->iovcnt))
		return true;
	n = iov_bytes(io->iov, io->iovcnt);
	if (rule == IOV_PATTERN)
		return n && n <= LU_SCRATCH_RESERVE && io->len_bytes % n == 0;
	if (rule == IOV_TWICE_LEN)	/* half of it must fit emulate.c's list */
		return io->iovcnt <= BUFFER_IOV_MAX && io->len_bytes <= UINT64_MAX / 2 &&
		       n == 2 * io->len_bytes;
	return n == io->len_bytes;
}

static bool source_fits(const struct lu_io *io, uint64_t align)
{
	const struct lu_geometry *g = lu_geometry(io->src->lu);
	const uint64_t size = lu_geometry_bytes(g, g->nr_blocks);

	return io->src_bytes <= size && io->len_bytes <= size - io->src_bytes &&
	       !(io->src_bytes & (align - 1));
}

static int check(const struct lu_io *io)
{
	const struct lu_channel *ch = io->ch;
	const struct lu_geometry *g = lu_geometry(ch->lu);
	const uint64_t size = lu_geometry_bytes(g, g->nr_blocks);
	const uint64_t align = MAX(ch->info->align_bytes, 1U);

	if (io->op == LU_FLUSH)
		return 0;
	if (unlikely(ch->retired || !ch->bs || (io->op == LU_COPY && io->src->retired)))
		return -ENOMEDIUM;
	if (io->off_bytes > size || io->len_bytes > size - io->off_bytes)
		return -ERANGE;
	if (ops[io->op].writes &&
	    (atomic_load_explicit(&ch->lu->read_only, memory_order_relaxed) ||
	     ch->info->read_only))
		return -EROFS;
	if ((io->op == LU_UNMAP || io->op == LU_PREFETCH) &&
	    !lu_channel_has(ch, ops[io->op].op))
		return -EOPNOTSUPP;
	if (io->op == LU_WRITE_ATOMIC && io->len_bytes > lu_atomic_bytes(ch->lu))
		return -EOPNOTSUPP;
	if (((io->off_bytes | io->len_bytes) & (align - 1)) || !iov_fits(io))
		return -EINVAL;
	if (io->op == LU_COPY && !source_fits(io, align))
		return -ERANGE;
	return 0;
}

static bool is_noop(const struct lu_io *io)
{
	if (io->op == LU_FLUSH)
		return !lu_channel_has(io->ch, BS_FLUSH);
	return !io->len_bytes;
}

static void go(struct lu_io *io)
{
	if (unlikely(lu_range_lock_any(&io->ch->lu->locks)) && !(io->flags & LU_IO_LOCKED) &&
	    lu_range_lock_blocks(&io->ch->lu->locks, io))
		return;
	lu_io_start(io);
}

/* Checked anew: it has waited. */
static void go_on(struct lu_io *io, void (*how)(struct lu_io *io))
{
	const int err = io->cancelled ? -ECANCELED : check(io);

	if (unlikely(err))
		lu_io_finish_later(io, err);
	else
		how(io);
}

void lu_io_go(struct lu_io *io)
{
	go_on(io, go);
}

void lu_io_resume(struct lu_io *io)
{
	go_on(io, lu_io_start);
}

void lu_io_cancel(struct lu_io *io)
{
	io->cancelled = true;
	if (likely(!io->waits)) {
		if (lu_io_writes(io) && io->len_bytes)
			lu_range_lock_behind(io->ch, io->off_bytes, io->len_bytes);
		return;
	}
	lu_qos_leave(io);
	lu_io_finish_later(io, -ECANCELED);
}

void lu_io_submit(struct lu_channel *ch, struct lu_io *io)
{
	int err;

	io->ch = ch;
	io->result = 0;
	io->step_bytes = 0;
	io->submit_ns = reactor_clock_ns(ch->reactor);
	io->waits = io->cancelled = false;
	list_init(&io->node);
	ch->nr_ios++;
	PROBE(lu, submit, io, io->op, io->off_bytes, io->len_bytes);
	err = check(io);
	if (unlikely(err) || unlikely(is_noop(io))) {
		lu_io_finish_later(io, err);
		return;
	}
	if (likely(!ch->qos.limited) || !lu_qos_holds(io))
		go(io);
}
