/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/atomic.c - WRITE_ATOMIC: for everybody else, and after a crash at any point,
 * the range is what it was or what was written.
 *
 *	slot of the journal -> lock out readers and writers -> read what is there ->
 *	flush -> record both -> write in place, durably -> take the record back ->
 *	unlock
 *
 * The flush: after a power cut the medium must have, for each sector, the old data
 * of the record or the new ones, and not what was there before the old ones had
 * left a cache.  The record is gone for good before the lock is: no later write can
 * be undone by it.
 *
 * A write in place that fails is undone.  If that fails as well, the record stays
 * for the next opening of the store, and nothing more is written atomically.
 */
#include <errno.h>
#include <string.h>
#include "base/iov.h"
#include "base/log.h"
#include "lu/internal.h"
#include "lu/journal.h"

static void finish(struct lu_io *io, int err)
{
	struct lu_journal_slot *s = io->slot;

	if (io->lock)
		lu_range_lock_release(io->lock);
	lu_journal_give(s);
	lu_io_finish(io, err);
}

/* --- taking the record back --- */

static void cleared(struct lu_journal_slot *s, int err)
{
	struct lu_io *io = s->io;

	if (err) {
		lu_journal_break(s, false);
		log_err("%s: the journal of atomic writes cannot be written (%s): there are none any more until the LUN is made anew",
			io->ch->lu->path, strerrordesc_np(-err));
	}
	finish(io, io->err ? io->err : err);
}

static void clear(struct lu_io *io, int err)
{
	io->err = err;
	lu_journal_clear(io->slot, cleared);
}

/* --- in place --- */

static void undone(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	if (!err) {
		clear(io, io->err);
		return;
	}
	lu_journal_break(io->slot, true);
	log_err("%s: an atomic write failed half-way and cannot be undone (%s): it will be finished when the LUN is made anew",
		io->ch->lu->path, strerrordesc_np(-err));
	finish(io, io->err);
}

static void in_place(struct lu_io *io, const uint8_t *data,
		     void (*done)(struct bs_io *bs, int err))
{
	io->scratch.b.iov[0] = (struct iovec){ (void *)(uintptr_t)data, io->len_bytes };
	lu_io_to_store(io, BS_WRITE, io->ch->info->write_cache ? BS_REQ_FUA : 0, io->off_bytes,
		       io->len_bytes, io->scratch.b.iov, 1, done);
}

static void written(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	if (!err) {
		clear(io, 0);
		return;
	}
	io->err = err;
	in_place(io, io->slot->record.old, undone);
}

/* --- the record --- */

static void recorded(struct lu_journal_slot *s, int err)
{
	struct lu_io *io = s->io;

	if (!err)
		err = lu_io_may_write(io, io->len_bytes);
	if (err)
		clear(io, err);
	else
		in_place(io, s->record.new, written);
}

static void flushed(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);

	if (err)
		finish(io, err);
	else
		lu_journal_write(io->slot, recorded);
}

static void old_read(struct bs_io *bs, int err)
{
	struct lu_io *io = container_of(bs, struct lu_io, bs);
	struct lu_journal_record *r = &io->slot->record;

	if (err) {
		finish(io, err);
		return;
	}
	iov_read(io->iov, io->iovcnt, 0, r->new, r->len_bytes);
	if (io->ch->info->write_cache)
		lu_io_to_store(io, BS_FLUSH, 0, 0, 0, NULL, 0, flushed);
	else
		flushed(bs, 0);
}

/* --- the beginning --- */

static void locked(void *arg, int err)
{
	struct lu_io *io = arg;
	struct lu_journal_record *r = &io->slot->record;

	if (err)
		io->lock = NULL;
	else
		err = lu_io_may_write(io, io->len_bytes);
	if (err) {
		finish(io, err);
		return;
	}
	*r = (struct lu_journal_record){
		.off_bytes = io->off_bytes,
		.len_bytes = (uint32_t)io->len_bytes,
		.old = io->slot->memory,
		.new = io->slot->memory + io->len_bytes,
	};
	io->scratch.b.iov[0] = (struct iovec){ r->old, io->len_bytes };
	lu_io_to_store(io, BS_READ, 0, io->off_bytes, io->len_bytes, io->scratch.b.iov, 1,
		       old_read);
}

static void slot_granted(struct lu_journal_slot *s)
{
	struct lu_io *io = s->io;
	const int err = lu_range_lock_acquire(io->ch->lu, io->off_bytes, io->len_bytes,
					      LU_RANGE_EVERYBODY, locked, io, &io->lock);

	io->slot = s;
	if (!err)
		return;
	lu_journal_give(s);
	lu_io_finish_later(io, err);
}

void lu_atomic_start(struct lu_io *io)
{
	lu_journal_take(io->ch->lu->journal, io, slot_granted);
}
