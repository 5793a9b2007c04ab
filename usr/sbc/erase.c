/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/erase.c - overwriting, scrubbing and zeroing a whole medium.
 *
 * One request at a time, of one small buffer that is named many times in its
 * scatter list.  What is to be gone is really written over: a store's
 * WRITE_ZEROES may only note that a range is zero.
 */
#include "sbc/erase.h"

#include <stdlib.h>
#include <string.h>
#include "lu/lu.h"
#include "scsi/device.h"

#define BUFFER_BYTES	(64U << 10)
#define WRITE_BYTES	((uint64_t)BUFFER_BYTES * BUFFER_IOV_MAX)
#define STATUS_BYTES	(1ULL << 30)
#define ZERO_BYTES	(64ULL << 20)

enum phase { PASS, PASS_FLUSH, SCRUB, SCRUB_FLUSH, ZERO, ZERO_FLUSH, OVER };

struct erase {
	struct scsi_background_job job;
	struct sbc_erase_plan plan;
	enum phase phase;
	unsigned int passes_left;
	uint64_t off_bytes;		/* of the phase */
	uint64_t data_bytes;		/* SCRUB: with data, from there on */
	bool asked;			/* SCRUB: for the state of what is there */
	bool dirty;			/* since the last flush */
	uint8_t *buffer;
	struct iovec iov[BUFFER_IOV_MAX];
};

static uint64_t end_bytes(const struct erase *e)
{
	const struct lu_geometry *g = lu_geometry(e->job.dev->lu);

	return lu_geometry_bytes(g, g->nr_blocks);
}

static uint64_t left(const struct erase *e)
{
	const uint64_t end = end_bytes(e);

	return end - MIN(end, e->off_bytes);
}

/* --- requests --- */

static void set_io(struct erase *e, enum lu_op op, uint32_t flags, uint64_t bytes)
{
	e->job.io.op = op;
	e->job.io.flags = flags;
	e->job.io.off_bytes = op == LU_FLUSH ? 0 : e->off_bytes;
	e->job.io.len_bytes = bytes;
	e->job.io.iov = e->iov;
	e->job.io.iovcnt = 0;
}

static void set_write(struct erase *e, uint64_t bytes)
{
	int n = 0;

	set_io(e, LU_WRITE, 0, bytes);
	for (uint64_t todo = bytes; todo; todo -= e->iov[n++].iov_len) {
		e->iov[n].iov_base = e->buffer;
		e->iov[n].iov_len = MIN(todo, (uint64_t)BUFFER_BYTES);
	}
	e->job.io.iovcnt = n;
	e->dirty = true;
}

static void move_on(struct erase *e, uint64_t bytes)
{
	e->off_bytes += bytes;
	e->job.done_units += bytes;
}

static bool pass(struct erase *e)
{
	const uint64_t n = MIN(left(e), WRITE_BYTES);

	if (!e->passes_left || !n)
		return false;
	set_write(e, n);
	move_on(e, n);
	return true;
}

static bool flush(struct erase *e)
{
	if (!e->dirty)
		return false;
	set_io(e, LU_FLUSH, 0, 0);
	e->dirty = false;
	return true;
}

/* Take in the answer to BLOCK_STATUS. */
static void note_status(struct erase *e)
{
	const uint64_t bytes = e->job.io.result;
	const uint64_t block = lu_geometry(e->job.dev->lu)->block_bytes;

	e->asked = false;
	/* In part is as much as whole; and each answer is a step, even from a store that
	 * says "0 bytes". */
	if (e->job.io.flags & LU_IO_MAPPED)
		e->data_bytes = MIN(ROUND_UP(MAX(bytes, 1ULL), block), left(e));
	else if (bytes < block)
		e->data_bytes = MIN(block, left(e));
	else
		move_on(e, bytes / block * block);
}

static bool scrub(struct erase *e)
{
	if (!e->plan.scrub)
		return false;
	if (e->asked)
		note_status(e);
	if (e->data_bytes) {
		const uint64_t n = MIN(e->data_bytes, WRITE_BYTES);

		set_write(e, n);
		e->data_bytes -= n;
		move_on(e, n);
		return true;
	}
	if (!left(e))
		return false;
	set_io(e, LU_BLOCK_STATUS, 0, MIN(left(e), STATUS_BYTES));
	e->asked = true;
	return true;
}

static bool zero(struct erase *e)
{
	const uint64_t n = MIN(left(e), ZERO_BYTES);

	if (!e->plan.zero || !n)
		return false;
	set_io(e, LU_WRITE_ZEROES, e->plan.unmap ? LU_IO_UNMAP : 0, n);
	e->dirty = true;
	move_on(e, n);
	return true;
}

/* --- from phase to phase --- */

static void invert(struct erase *e)
{
	for (unsigned int i = 0; i < BUFFER_BYTES; i++)
		e->buffer[i] = (uint8_t)~e->buffer[i];
}

static void next_phase(struct erase *e)
{
	e->off_bytes = 0;
	if (e->phase == PASS_FLUSH && e->passes_left && --e->passes_left) {
		if (e->plan.invert)
			invert(e);
		e->phase = PASS;
	} else {
		e->phase++;
	}
}

static bool next(struct scsi_background_job *job)
{
	static bool (*const phases[OVER])(struct erase *e) = {
		[PASS] = pass, [PASS_FLUSH] = flush,
		[SCRUB] = scrub, [SCRUB_FLUSH] = flush,
		[ZERO] = zero, [ZERO_FLUSH] = flush,
	};
	struct erase *e = container_of(job, struct erase, job);

	while (e->phase != OVER) {
		if (phases[e->phase](e))
			return true;
		next_phase(e);
	}
	return false;
}

static void erase_free(struct scsi_background_job *job)
{
	struct erase *e = container_of(job, struct erase, job);

	free(e->buffer);
	free(e);
}

/* --- the beginning --- */

static void fill(struct erase *e, uint32_t block_bytes, const uint8_t *pattern,
		 size_t bytes)
{
	if (!bytes) {
		memset(e->buffer, 0, BUFFER_BYTES);
		return;
	}
	for (unsigned int i = 0; i < BUFFER_BYTES; i++)
		e->buffer[i] = pattern[i % block_bytes % bytes];
	/* The last pass is to be the pattern itself. */
	if (e->plan.invert && e->plan.passes % 2 == 0)
		invert(e);
}

enum scsi_status sbc_erase_start(struct scsi_task *t, const struct sbc_erase_plan *plan,
				 const uint8_t *pattern, size_t bytes)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	struct erase *e = calloc(1, sizeof(*e));

	if (e)
		e->buffer = aligned_alloc(4096, BUFFER_BYTES);
	if (!e || !e->buffer) {
		free(e);
		return SCSI_BUSY;
	}
	e->plan = *plan;
	e->passes_left = plan->passes;
	fill(e, g->block_bytes, pattern, bytes);
	e->job.kind = plan->kind;
	e->job.unrestricted = plan->unrestricted;
	e->job.next = next;
	e->job.free = erase_free;
	e->job.total_units = (plan->passes + plan->scrub + plan->zero) *
			     lu_geometry_bytes(g, g->nr_blocks);
	return scsi_background_start(t, &e->job, plan->immed);
}
