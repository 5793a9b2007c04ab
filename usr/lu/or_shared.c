/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/or_shared.c - ORWRITE where others write to the store past this daemon.
 *
 * No lock of ours keeps them away.  So it goes in pieces that the store itself compares
 * and writes atomically: read, and exchanged if nobody was faster, else once more.  Of
 * what anybody writes meanwhile nothing is lost.  Whoever reads may see some pieces
 * old and some new, as with a long write.
 *
 * A piece may be as small as a block, and costs two round trips, so several are on
 * their way at a time.  The scratch buffer has, for each of them, what the store has
 * and what it is to have; then the pieces themselves.  io->step_bytes is what has been
 * begun.
 */
#include <errno.h>
#include <string.h>
#include "base/iov.h"
#include "lu/internal.h"

#define PIECES_MAX	16U
#define PIECE_MAX	(16U << 10)

struct pieces {
	unsigned int busy;
	int err;			/* of the first that failed */
	struct piece {
		struct bs_io bs;
		struct lu_io *io;
		struct pieces *all;
		uint64_t off_bytes;	/* in the store */
		uint64_t done_bytes;	/* in the command's data */
		struct iovec iov;	/* old, and new behind it */
	} v[];
};

static void exchange(struct bs_io *bs, int err);

static uint64_t piece_max(const struct lu_io *io)
{
	return MIN(io->ch->info->atomic_bytes, PIECE_MAX);
}

static uint64_t pieces_bytes(unsigned int n, uint64_t max)
{
	return n * 2 * max + sizeof(struct pieces) + n * sizeof(struct piece);
}

/* As many as the smallest buffer that we may get has room for. */
static unsigned int pieces_max(const struct lu_io *io)
{
	const uint64_t max = piece_max(io);
	unsigned int n = (unsigned int)MIN(DIV_ROUND_UP(io->len_bytes, max),
					   (uint64_t)PIECES_MAX);

	while (n > 1 && pieces_bytes(n, max) > LU_SCRATCH_RESERVE)
		n--;
	return n;
}

static void read_piece(struct piece *p, uint64_t bytes)
{
	p->iov.iov_len = bytes;
	lu_io_part_to_store(p->io, &p->bs, BS_READ, 0, p->off_bytes, bytes, &p->iov, 1, exchange);
}

static void end(struct lu_io *io, int err)
{
	lu_scratch_put(&io->scratch);
	lu_range_lock_release(io->lock);
	if (err)
		lu_io_finish(io, err);
	else
		lu_io_written(io);
}

static void next(struct piece *p, int err)
{
	struct lu_io *io = p->io;
	struct pieces *all = p->all;
	const uint64_t bytes = MIN(io->len_bytes - io->step_bytes, piece_max(io));

	if (err && !all->err)
		all->err = err;
	if (all->err || !bytes) {
		if (!--all->busy)
			end(io, all->err);
		return;
	}
	p->done_bytes = io->step_bytes;
	p->off_bytes = io->off_bytes + io->step_bytes;
	io->step_bytes += bytes;
	read_piece(p, bytes);
}

static void exchanged(struct bs_io *bs, int err)
{
	struct piece *p = container_of(bs, struct piece, bs);

	if (err == -EILSEQ)
		read_piece(p, bs->req.len_bytes);
	else
		next(p, err);
}

/* The new contents of @p from the old. */
static void add_bits(const struct piece *p, uint64_t bytes)
{
	const uint8_t *old = p->iov.iov_base;
	uint8_t *new = (uint8_t *)p->iov.iov_base + bytes;

	iov_read(p->io->iov, p->io->iovcnt, p->done_bytes, new, bytes);
	for (uint64_t i = 0; i < bytes; i++)
		new[i] |= old[i];
}

static void exchange(struct bs_io *bs, int err)
{
	struct piece *p = container_of(bs, struct piece, bs);
	const uint64_t bytes = bs->req.len_bytes;

	if (!err)
		err = lu_io_may_write(p->io, 0);
	if (err) {
		next(p, err);
		return;
	}
	add_bits(p, bytes);
	p->iov.iov_len = 2 * bytes;
	lu_io_part_to_store(p->io, bs, BS_COMPARE_AND_WRITE, 0, p->off_bytes, bytes, &p->iov, 1,
			    exchanged);
}

static void start(struct lu_scratch *s)
{
	struct lu_io *io = container_of(s, struct lu_io, scratch);
	const uint64_t max = piece_max(io);
	const unsigned int n = pieces_max(io);
	uint8_t *data = s->b.iov[0].iov_base;
	struct pieces *all = (struct pieces *)(void *)(data + n * 2 * max);

	memset(all, 0, sizeof(*all) + n * sizeof(all->v[0]));
	all->busy = n;
	for (unsigned int i = 0; i < n; i++) {
		struct piece *p = &all->v[i];

		p->io = io;
		p->all = all;
		p->iov.iov_base = data + i * 2 * max;
		next(p, 0);
	}
}

bool lu_or_shared_wanted(const struct lu_io *io)
{
	return io->op == LU_ORWRITE && io->ch->info->shared;
}

int lu_or_shared_start(struct lu_io *io)
{
	if (!lu_channel_has(io->ch, BS_COMPARE_AND_WRITE) || !piece_max(io))
		return -EOPNOTSUPP;
	return lu_scratch_get(&io->scratch, pieces_bytes(pieces_max(io), piece_max(io)), start);
}
