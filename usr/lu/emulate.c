/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/emulate.c - operations that the store does not have, made of reads and
 * writes in steps.  io->step_bytes is how far one is.
 *
 * A scratch buffer is one chunk.  An operation without one keeps its own scatter
 * list in the (then unused) iov of io->scratch.b.
 */
#include <errno.h>
#include <string.h>
#include "base/iov.h"
#include "lu/internal.h"

#define ZEROES_BYTES	(64U << 10)
#define ZEROES_STEP	((uint64_t)ZEROES_BYTES * BUFFER_IOV_MAX)

/* Stores read it only. */
static uint8_t zeroes[ZEROES_BYTES] __attribute__((aligned(4096)));

static void *scratch_memory(const struct lu_io *io)
{
	return io->scratch.b.iov[0].iov_base;
}

static uint64_t step_size(const struct lu_io *io, uint64_t max)
{
	return MIN(io->len_bytes - io->step_bytes, max);
}

/*
 * May a step be written?  Not any more when nobody wants it: an abort is answered
 * when what the store has is done.  Not where the unit has become smaller: the store
 * would grow again.
 */
int lu_io_may_write(const struct lu_io *io, uint64_t step_bytes)
{
	const struct lu_geometry *g = lu_geometry(io->ch->lu);

	if (unlikely(io->cancelled))
		return -ECANCELED;
	if (unlikely(io->off_bytes + io->step_bytes + step_bytes >
		     lu_geometry_bytes(g, g->nr_blocks)))
		return -ERANGE;
	return 0;
}

/* The one way out: may run within submit, so done() comes later. */
static void fail(struct lu_io *io, int err)
{
	lu_scratch_put(&io->scratch);
	lu_io_finish_later(io, err);
}

static void get_scratch(struct lu_io *io, void (*ready)(struct lu_scratch *s))
{
	const int err = lu_scratch_get(&io->scratch, io->len_bytes, ready);

	if (err)
		fail(io, err);
}

/* --- WRITE_ZEROES --- */

static void write_zeroes_step(struct lu_io *io);

static void zeroes_written(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	io->step_bytes += bs->req.len_bytes;
	if (err)
		lu_io_finish(io, err);
	else if (io->step_bytes < io->len_bytes)
		write_zeroes_step(io);
	else
		lu_io_written(io);
}

static void write_zeroes_step(struct lu_io *io)
{
	const uint64_t n = step_size(io, ZEROES_STEP);
	struct iovec *iov = io->scratch.b.iov;
	const int err = lu_io_may_write(io, n);
	int cnt = 0;

	if (err) {
		fail(io, err);
		return;
	}
	for (uint64_t left = n; left; left -= iov[cnt++].iov_len) {
		iov[cnt].iov_base = zeroes;
		iov[cnt].iov_len = MIN(left, (uint64_t)ZEROES_BYTES);
	}
	lu_io_to_store(io, BS_WRITE, 0, io->off_bytes + io->step_bytes, n, iov, cnt,
		       zeroes_written);
}

static void natively_zeroed(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	if (err)
		lu_io_finish(io, err);
	else
		lu_io_written(io);
}

static void write_zeroes(struct lu_io *io)
{
	const uint16_t flags = io->flags & LU_IO_UNMAP ? BS_REQ_UNMAP : 0;

	if (lu_channel_has(io->ch, BS_WRITE_ZEROES))	/* a WRITE_SAME of zeroes */
		lu_io_to_store(io, BS_WRITE_ZEROES, flags, io->off_bytes, io->len_bytes,
			       NULL, 0, natively_zeroed);
	else
		write_zeroes_step(io);
}

/* --- WRITE_SAME --- */

static void write_same_step(struct lu_io *io);

static void same_written(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	io->step_bytes += bs->req.len_bytes;
	if (!err && io->step_bytes < io->len_bytes) {
		write_same_step(io);
		return;
	}
	lu_scratch_put(&io->scratch);
	if (err)
		lu_io_finish(io, err);
	else
		lu_io_written(io);
}

static void write_same_step(struct lu_io *io)
{
	struct iovec *iov = io->scratch.b.iov;
	const uint64_t n = step_size(io, iov->iov_len);
	const int err = lu_io_may_write(io, n);

	if (err) {
		fail(io, err);
		return;
	}
	iov->iov_len = n;
	lu_io_to_store(io, BS_WRITE, 0, io->off_bytes + io->step_bytes, n, iov, 1,
		       same_written);
}

static void fill_pattern(struct lu_scratch *s)
{
	struct lu_io *io = container_of(s, struct lu_io, scratch);
	const size_t pattern = iov_read(io->iov, io->iovcnt, 0, scratch_memory(io),
					s->b.iov[0].iov_len);
	uint8_t *p = scratch_memory(io);
	size_t whole;

	assert(pattern);	/* lu_io_submit() has checked it */
	whole = s->b.iov[0].iov_len / pattern * pattern;
	/* What is there doubles each time. */
	for (size_t n = pattern; n < whole; n *= 2)
		memcpy(p + n, p, MIN(n, whole - n));
	s->b.iov[0].iov_len = whole;
	write_same_step(io);
}

static bool all_zero(const struct iovec *iov, int iovcnt)
{
	for (int i = 0; i < iovcnt; i++)
		for (size_t done = 0; done < iov[i].iov_len;) {
			const size_t n = MIN(iov[i].iov_len - done, sizeof(zeroes));

			if (memcmp((const char *)iov[i].iov_base + done, zeroes, n) != 0)
				return false;
			done += n;
		}
	return true;
}

static void write_same(struct lu_io *io)
{
	if (all_zero(io->iov, io->iovcnt))
		write_zeroes(io);
	else
		get_scratch(io, fill_pattern);
}

/* --- VERIFY, and the first half of COMPARE_AND_WRITE --- */

/* Offset of the first difference between the list from @off and @mem; @bytes if
 * there is none. */
static uint64_t difference(const struct iovec *iov, int iovcnt, uint64_t off,
			   const uint8_t *mem, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		struct iovec v;
		uint64_t n;

		if (!iov_slice(iov, iovcnt, off + done, bytes - done, &v, 1, &n))
			break;
		if (memcmp(v.iov_base, mem + done, n) != 0) {
			const uint8_t *p = v.iov_base;

			while (*p == mem[done]) {
				p++;
				done++;
			}
			return done;
		}
		done += n;
	}
	return bytes;
}

static void compared(struct lu_io *io, int err);

static void compare_step(struct lu_io *io);

static void compare_read(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);
	const uint64_t n = bs->req.len_bytes;
	uint64_t same = n;

	if (!err && io->cancelled)
		err = -ECANCELED;
	if (err) {
		compared(io, err);
		return;
	}
	if (io->iovcnt)
		same = difference(io->iov, io->iovcnt, io->step_bytes, scratch_memory(io), n);
	if (same < n) {
		io->result = io->step_bytes + same;
		compared(io, -EILSEQ);
		return;
	}
	io->step_bytes += n;
	if (io->step_bytes < io->len_bytes)
		compare_step(io);
	else
		compared(io, 0);
}

static void compare_step(struct lu_io *io)
{
	struct iovec *iov = io->scratch.b.iov;
	const uint64_t n = step_size(io, iov->iov_len);

	iov->iov_len = n;
	lu_io_to_store(io, BS_READ, 0, io->off_bytes + io->step_bytes, n, iov, 1,
		       compare_read);
}

static void compare_start(struct lu_scratch *s)
{
	compare_step(container_of(s, struct lu_io, scratch));
}

static void verify(struct lu_io *io)
{
	get_scratch(io, compare_start);
}

/* --- ORWRITE, the first half --- */

static void or_step(struct lu_io *io);

/* What the medium has, into what is to be written. */
static void merge(const struct lu_io *io, uint64_t bytes)
{
	const uint8_t *from = scratch_memory(io);
	struct iovec v;
	uint64_t n;

	for (uint64_t done = 0; done < bytes; done += n) {
		uint8_t *to;

		iov_slice(io->iov, io->iovcnt, io->step_bytes + done, bytes - done, &v, 1,
			  &n);
		to = v.iov_base;
		for (uint64_t i = 0; i < n; i++)
			to[i] |= from[done + i];
	}
}

static void or_read(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	if (!err && io->cancelled)
		err = -ECANCELED;
	if (err) {
		compared(io, err);
		return;
	}
	merge(io, bs->req.len_bytes);
	io->step_bytes += bs->req.len_bytes;
	if (io->step_bytes < io->len_bytes)
		or_step(io);
	else
		compared(io, 0);
}

static void or_step(struct lu_io *io)
{
	struct iovec *iov = io->scratch.b.iov;
	const uint64_t n = step_size(io, iov->iov_len);

	iov->iov_len = n;
	lu_io_to_store(io, BS_READ, 0, io->off_bytes + io->step_bytes, n, iov, 1, or_read);
}

static void or_start(struct lu_scratch *s)
{
	or_step(container_of(s, struct lu_io, scratch));
}

/* --- COMPARE_AND_WRITE and ORWRITE, the second half --- */

static void exchanged(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	lu_range_lock_release(io->lock);
	lu_io_finish(io, err);
}

static void exchange(struct lu_io *io)
{
	struct iovec *const own = io->scratch.b.iov;
	int cnt = io->iovcnt;

	if (io->op == LU_COMPARE_AND_WRITE)
		cnt = iov_slice(io->iov, io->iovcnt, io->len_bytes, io->len_bytes, own,
				BUFFER_IOV_MAX, NULL);
	lu_io_to_store(io, BS_WRITE, lu_io_durable(io) ? BS_REQ_FUA : 0, io->off_bytes,
		       io->len_bytes, io->op == LU_COMPARE_AND_WRITE ? own : io->iov, cnt,
		       exchanged);
}

static void compared(struct lu_io *io, int err)
{
	lu_scratch_put(&io->scratch);
	if (io->op == LU_VERIFY) {
		lu_io_finish(io, err);
	} else if (!err) {
		exchange(io);
	} else {
		lu_range_lock_release(io->lock);
		lu_io_finish(io, err);
	}
}

static void locked(void *arg, int err)
{
	struct lu_io *io = arg;

	if (err)
		io->lock = NULL;
	else if (io->cancelled)
		err = -ECANCELED;
	else if (lu_or_shared_wanted(io))
		err = lu_or_shared_start(io);
	else
		err = lu_scratch_get(&io->scratch, io->len_bytes,
				     io->op == LU_ORWRITE ? or_start : compare_start);
	if (!err)
		return;
	if (io->lock)
		lu_range_lock_release(io->lock);
	lu_io_finish(io, err);
}

static void under_lock(struct lu_io *io)
{
	const int err = lu_range_lock_acquire(io->ch->lu, io->off_bytes, io->len_bytes,
					      LU_RANGE_WRITERS, locked, io, &io->lock);

	if (err)
		fail(io, err);
}

static void not_supported(struct lu_io *io)
{
	fail(io, -EOPNOTSUPP);
}

/* --- BLOCK_STATUS --- */

/* A store that keeps no map has everything. */
static void block_status(struct lu_io *io)
{
	io->flags |= LU_IO_MAPPED;
	io->result = io->len_bytes;
	lu_io_finish_later(io, 0);
}

void lu_emulate_start(struct lu_io *io)
{
	static void (*const emulations[LU_NR_OPS])(struct lu_io *io) = {
		[LU_READ] = not_supported,
		[LU_WRITE] = not_supported,
		[LU_FLUSH] = not_supported,
		[LU_UNMAP] = not_supported,
		[LU_WRITE_ZEROES] = write_zeroes,
		[LU_WRITE_SAME] = write_same,
		[LU_VERIFY] = verify,
		[LU_COMPARE_AND_WRITE] = under_lock,
		[LU_ORWRITE] = under_lock,
		[LU_WRITE_ATOMIC] = lu_atomic_start,
		[LU_PREFETCH] = not_supported,
		[LU_BLOCK_STATUS] = block_status,
		[LU_COPY] = not_supported,
	};

	io->scratch.is_reserve = false;
	io->scratch.b.iovcnt = 0;
	emulations[io->op](io);
}
