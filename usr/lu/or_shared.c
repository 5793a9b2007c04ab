/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/or_shared.c - ORWRITE where others write to the store past this daemon.
 *
 * No lock of ours keeps them away.  So it goes in pieces that the store itself compares
 * and writes atomically: read, and exchanged if nobody was faster, else once more.  Of
 * what anybody writes meanwhile nothing is lost.  Whoever reads may see some pieces
 * old and some new, as with a long write.
 *
 * In the scratch buffer is what the store has, and behind it what it is to have.
 */
#include <errno.h>
#include "base/iov.h"
#include "lu/internal.h"

static void read_piece(struct lu_io *io);

static uint64_t piece_max(const struct lu_io *io)
{
	return MIN(io->ch->info->atomic_bytes, LU_SCRATCH_RESERVE / 2);
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

static void exchanged(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	if (!err)
		io->step_bytes += bs->req.len_bytes;
	if (err && err != -EILSEQ)
		end(io, err);
	else if (io->step_bytes < io->len_bytes)
		read_piece(io);
	else
		end(io, 0);
}

static void was_read(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);
	const uint64_t bytes = bs->req.len_bytes;
	struct iovec *const iov = io->scratch.b.iov;
	const uint8_t *old = iov->iov_base;
	uint8_t *new = (uint8_t *)iov->iov_base + bytes;
	struct iovec v;
	uint64_t n;

	if (!err)
		err = lu_io_may_write(io, bytes);
	if (err) {
		end(io, err);
		return;
	}
	for (uint64_t done = 0; done < bytes; done += n) {
		const uint8_t *add;

		iov_slice(io->iov, io->iovcnt, io->step_bytes + done, bytes - done, &v, 1, &n);
		add = v.iov_base;
		for (uint64_t i = done; i < done + n; i++)
			new[i] = old[i] | add[i - done];
	}
	iov->iov_len = 2 * bytes;
	lu_io_to_store(io, BS_COMPARE_AND_WRITE, 0, io->off_bytes + io->step_bytes, bytes, iov, 1,
		       exchanged);
}

static void read_piece(struct lu_io *io)
{
	struct iovec *const iov = io->scratch.b.iov;

	iov->iov_len = MIN(io->len_bytes - io->step_bytes, piece_max(io));
	lu_io_to_store(io, BS_READ, 0, io->off_bytes + io->step_bytes, iov->iov_len, iov, 1,
		       was_read);
}

static void start(struct lu_scratch *s)
{
	read_piece(container_of(s, struct lu_io, scratch));
}

bool lu_or_shared_wanted(const struct lu_io *io)
{
	return io->op == LU_ORWRITE && io->ch->info->shared;
}

int lu_or_shared_start(struct lu_io *io)
{
	if (!lu_channel_has(io->ch, BS_COMPARE_AND_WRITE) || !piece_max(io))
		return -EOPNOTSUPP;
	return lu_scratch_get(&io->scratch, 2 * piece_max(io), start);
}
