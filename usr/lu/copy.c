/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/copy.c - see copy.h.
 *
 * Pieces go out in order, each in a slot; done() of every I/O comes later, so that
 * pump() never runs within itself.  Before data is read the source is asked where
 * there is some; c->mapped_end is how far the answer goes.
 *
 * Overlapping ranges of one LU: one piece at a time, from the end that is not
 * overwritten by what follows.
 */
#include "lu/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lu/internal.h"
#include "reactor/mailbox.h"

int lu_copy_init(struct lu_copy *c)
{
	c->memory = aligned_alloc(4096, (size_t)LU_COPY_SLOTS * LU_COPY_CHUNK_BYTES);
	if (!c->memory)
		return -ENOMEM;
	for (unsigned int i = 0; i < LU_COPY_SLOTS; i++) {
		c->slots[i].copy = c;
		c->slots[i].iov.iov_base = c->memory + (size_t)i * LU_COPY_CHUNK_BYTES;
	}
	return 0;
}

void lu_copy_fini(struct lu_copy *c)
{
	free(c->memory);
	c->memory = NULL;
}

uint64_t lu_copy_progress(const struct lu_copy *c)
{
	uint64_t done = c->next;

	for (unsigned int i = 0; i < c->nr_slots; i++)
		if (c->slots[i].busy || c->slots[i].failed)
			done = MIN(done, c->slots[i].at);
	if (c->backward)	/* nothing from the beginning until all of it */
		return c->next == c->len_bytes && !c->in_flight && !c->err ? done : 0;
	return done;
}

/* --- the end of a piece --- */

static void pump(struct lu_copy *c);

static void fail(struct lu_copy *c, int err, bool reading)
{
	if (c->err)
		return;
	c->err = err;
	c->reading = reading;
}

static void slot_done(struct lu_copy_slot *s, int err, bool reading)
{
	struct lu_copy *c = s->copy;

	s->busy = false;
	c->in_flight--;
	if (err) {
		s->failed = true;
		fail(c, err, reading);
	}
	pump(c);
}

static int checked(struct lu_copy *c)
{
	return c->check ? c->check(c) : 0;
}

static uint64_t position(const struct lu_copy *c, const struct lu_copy_slot *s)
{
	return c->backward ? c->len_bytes - s->at - s->len_bytes : s->at;
}

/* --- a piece through a buffer --- */

static void written(struct lu_io *io, int err)
{
	slot_done(container_of(io, struct lu_copy_slot, io), err, false);
}

static void write_out(struct lu_copy_slot *s)
{
	const struct lu_copy *c = s->copy;
	const uint64_t whole = ROUND_UP(s->len_bytes, (uint64_t)c->dst_block);

	memset((uint8_t *)s->iov.iov_base + s->len_bytes, 0, whole - s->len_bytes);
	s->iov.iov_len = whole;
	s->io.op = LU_WRITE;
	s->io.off_bytes = c->dst_bytes + position(c, s);
	s->io.len_bytes = whole;
	s->io.done = written;
	lu_io_submit(c->dst, &s->io);
}

static void was_read(struct lu_io *io, int err)
{
	struct lu_copy_slot *s = container_of(io, struct lu_copy_slot, io);
	bool reading = true;

	if (!err) {
		err = s->copy->err ? -ECANCELED : checked(s->copy);
		reading = false;
	}
	if (err)
		slot_done(s, err, reading);
	else
		write_out(s);
}

static void read_in(struct lu_copy_slot *s)
{
	const struct lu_copy *c = s->copy;

	s->iov.iov_len = ROUND_UP(s->len_bytes, (uint64_t)c->src_block);
	s->io.op = LU_READ;
	s->io.iov = &s->iov;
	s->io.iovcnt = 1;
	s->io.off_bytes = c->src_bytes + position(c, s);
	s->io.len_bytes = s->iov.iov_len;
	s->io.done = was_read;
	lu_io_submit(c->src, &s->io);
}

/* --- a piece that the store copies --- */

static void copied(struct lu_io *io, int err)
{
	struct lu_copy_slot *s = container_of(io, struct lu_copy_slot, io);
	struct lu_copy *c = s->copy;

	if (err == -EOPNOTSUPP && !c->err) {
		/* All of it again, in pieces of another size. */
		c->no_native = true;
		c->next = MIN(c->next, s->at);
		s->busy = false;
		c->in_flight--;
		pump(c);
		return;
	}
	slot_done(s, err ? err : checked(c), false);
}

static void copy_natively(struct lu_copy_slot *s)
{
	const struct lu_copy *c = s->copy;

	s->io.op = LU_COPY;
	s->io.src = c->src;
	s->io.src_bytes = c->src_bytes + s->at;
	s->io.off_bytes = c->dst_bytes + s->at;
	s->io.len_bytes = s->len_bytes;
	s->io.done = copied;
	lu_io_submit(c->dst, &s->io);
}

/* --- a piece of zeroes --- */

static void write_zeroes(struct lu_copy_slot *s)
{
	const struct lu_copy *c = s->copy;

	s->io.op = LU_WRITE_ZEROES;
	s->io.flags = c->unmap ? LU_IO_UNMAP : 0;
	s->io.off_bytes = c->dst_bytes + s->at;
	s->io.len_bytes = ROUND_UP(s->len_bytes, (uint64_t)c->dst_block);
	s->io.done = written;
	lu_io_submit(c->dst, &s->io);
}

/* --- where there is data --- */

static uint32_t granule(const struct lu_copy *c)
{
	return MAX(c->src_block, c->dst_block);
}

static void take(struct lu_copy *c, struct lu_copy_slot *s, uint64_t len_bytes)
{
	s->busy = true;
	s->at = c->next;
	s->len_bytes = len_bytes;
	s->io.flags = 0;
	s->io.iov = NULL;
	s->io.iovcnt = 0;
	c->next += len_bytes;
	c->in_flight++;
}

static void asked(struct lu_io *io, int err)
{
	struct lu_copy_slot *s = container_of(io, struct lu_copy_slot, io);
	struct lu_copy *c = s->copy;
	const uint64_t left = c->len_bytes - s->at;
	uint64_t n = MIN(io->result, left);
	bool mapped = err || (io->flags & LU_IO_MAPPED);

	c->asking = false;
	s->busy = false;
	c->in_flight--;
	/* Whole granules only: what is cut is data. */
	if (!mapped && n < left)
		n -= n % granule(c);
	if (!mapped && !n)
		mapped = true;
	if (mapped) {
		n = err ? left : MIN(ROUND_UP(MAX(n, 1ULL), (uint64_t)granule(c)), left);
		c->mapped_end = s->at + n;
	} else if (!c->err) {
		err = checked(c);
		if (err) {
			fail(c, err, false);
		} else {
			take(c, s, n);
			write_zeroes(s);
		}
	}
	pump(c);
}

static void ask(struct lu_copy *c, struct lu_copy_slot *s)
{
	take(c, s, 0);
	c->asking = true;
	s->io.op = LU_BLOCK_STATUS;
	s->io.off_bytes = c->src_bytes + s->at;
	s->io.len_bytes = ROUND_UP(MIN(c->len_bytes - s->at, LU_COPY_HOLE_BYTES),
				   (uint64_t)c->src_block);
	s->io.done = asked;
	lu_io_submit(c->src, &s->io);
}

/* --- the pump --- */

/* What the store is given: whole blocks of both sides. */
static uint64_t native_size(const struct lu_copy *c, uint64_t left)
{
	const uint64_t n = MIN(left, LU_COPY_NATIVE_BYTES);

	/* The destination's limits count what is written; those of the source must see
	 * what is read. */
	return c->no_native || lu_channel_limited(c->src) ? 0 : n - n % granule(c);
}

static void start_piece(struct lu_copy *c, struct lu_copy_slot *s)
{
	const uint64_t left = c->len_bytes - c->next;
	uint64_t n;

	if (!c->src) {
		take(c, s, MIN(left, LU_COPY_HOLE_BYTES));
		write_zeroes(s);
		return;
	}
	if (c->ask && c->next >= c->mapped_end) {
		ask(c, s);
		return;
	}
	n = MIN(left, c->ask ? c->mapped_end - c->next : left);
	if (native_size(c, n)) {
		take(c, s, native_size(c, n));
		copy_natively(s);
	} else {
		take(c, s, MIN(n, (uint64_t)LU_COPY_CHUNK_BYTES));
		read_in(s);
	}
}

static struct lu_copy_slot *free_slot(struct lu_copy *c)
{
	for (unsigned int i = 0; i < c->nr_slots; i++)
		if (!c->slots[i].busy)
			return &c->slots[i];
	return NULL;
}

static void pump(struct lu_copy *c)
{
	struct lu_copy_slot *s;
	int err;

	while (!c->err && !c->asking && c->next < c->len_bytes && (s = free_slot(c))) {
		/* A store that copies is asked for one piece at a time: it may yet
		 * say that it cannot. */
		if (c->in_flight && !c->no_native && c->src)
			break;
		err = checked(c);
		if (err)
			fail(c, err, false);
		else
			start_piece(c, s);
	}
	if (!c->in_flight && (c->err || c->next == c->len_bytes))
		c->done(c, c->err);
}

static void begin(struct mail *m)
{
	pump(container_of(m, struct lu_copy, mail));
}

void lu_copy_cancel(struct lu_copy *c, int err)
{
	if (c->cancelled)
		return;
	c->cancelled = true;
	fail(c, err, false);
	for (unsigned int i = 0; i < c->nr_slots; i++)
		if (c->slots[i].busy)
			lu_io_cancel(&c->slots[i].io);
}

static bool overlap(const struct lu_copy *c)
{
	return c->src && lu_channel_lu(c->src) == lu_channel_lu(c->dst) &&
	       c->src_bytes < c->dst_bytes + c->len_bytes &&
	       c->dst_bytes < c->src_bytes + c->len_bytes;
}

void lu_copy_start(struct lu_copy *c)
{
	struct bs_dev *dev;

	c->overlaps = overlap(c);
	c->backward = c->overlaps && c->src_bytes < c->dst_bytes;
	c->nr_slots = c->overlaps ? 1 : LU_COPY_SLOTS;
	c->err = 0;
	c->reading = c->asking = c->cancelled = false;
	c->next = c->mapped_end = 0;
	for (unsigned int i = 0; i < LU_COPY_SLOTS; i++)
		c->slots[i].busy = c->slots[i].failed = false;
	c->no_native = c->overlaps || !c->src ||
		       !c->dst->bs || !c->src->bs ||
		       bs_device_copy_source(c->dst->dev, c->src->dev, &dev);
	c->ask = c->src && !c->overlaps && lu_channel_has(c->src, BS_BLOCK_STATUS) &&
		 c->src->info->reads_zero;
	reactor_mailbox_send(reactor_current(), &c->mail, begin);
}
