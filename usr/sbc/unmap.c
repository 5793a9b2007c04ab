/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/unmap.c - UNMAP, SBC-3 r36 5.28.
 *
 * All descriptors are checked before the first is carried out; then one after
 * the other, long ones in steps, straight from the parameter list.
 */
#include "base/be.h"
#include "base/iov.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"
#include "sbc/limits.h"

#define HEADER_BYTES		8U
#define DESCRIPTOR_BYTES	16U

struct range {
	uint64_t lba, nr;
};

/* How many whole descriptors: one that is cut off is ignored (5.28.2). */
static unsigned int count(const struct scsi_task *t)
{
	uint8_t header[HEADER_BYTES];

	iov_read(t->data.iov, t->data.iovcnt, 0, header, sizeof(header));
	return (unsigned int)be_load(header + 2, 2) / DESCRIPTOR_BYTES;
}

static struct range get(const struct scsi_task *t, unsigned int i)
{
	uint8_t d[DESCRIPTOR_BYTES];

	iov_read(t->data.iov, t->data.iovcnt, HEADER_BYTES + i * DESCRIPTOR_BYTES, d,
		 sizeof(d));
	return (struct range){ be_load(d, 8), be_load(d + 8, 4) };
}

static enum scsi_status check(struct scsi_task *t, unsigned int n)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);

	if (n > SBC_UNMAP_DESCRIPTORS_MAX)
		return scsi_task_fail_param(t, 2, -1);
	if (t->out_bytes - HEADER_BYTES < (uint64_t)n * DESCRIPTOR_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	for (unsigned int i = 0; i < n; i++) {
		const struct range r = get(t, i);

		if (!lu_geometry_contains(g, r.lba, r.nr))
			return scsi_task_fail_info(t, SCSI_SENSE_LBA_OUT_OF_RANGE,
						   MAX(r.lba, g->nr_blocks));
	}
	return SCSI_GOOD;
}

/* t->step: which descriptor; t->lba, t->nr: what is left of it. */
static bool next_range(struct scsi_task *t, unsigned int n)
{
	while (!t->nr && t->step < n) {
		const struct range r = get(t, (unsigned int)t->step++);

		t->lba = r.lba;
		t->nr = r.nr;
	}
	return t->nr;
}

static enum scsi_status go_on(struct scsi_task *t)
{
	static const struct iovec none;
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	uint64_t bytes;

	if (!next_range(t, count(t)))
		return SCSI_GOOD;
	t->io.op = LU_UNMAP;
	t->io.iov = &none;
	t->io.iovcnt = 0;
	t->io.off_bytes = lu_geometry_bytes(g, t->lba);
	bytes = sbc_limits_step(t->io.off_bytes, lu_geometry_bytes(g, t->nr),
				SBC_UNMAP_STEP_BYTES);
	t->io.len_bytes = bytes;
	t->lba += bytes >> g->block_exp;
	t->nr -= bytes >> g->block_exp;
	return scsi_task_submit(t);
}

static void unmapped(struct scsi_task *t, int err)
{
	const enum scsi_status status = err ? scsi_task_io_status(t, err) : go_on(t);

	if (status != SCSI_PENDING)
		scsi_task_complete(t, status);
}

enum scsi_status sbc_unmap_run(struct scsi_task *t)
{
	enum scsi_status status;

	if (!t->nr)			/* not an error, 5.28.1 */
		return SCSI_GOOD;
	if (t->out_bytes < HEADER_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	status = check(t, count(t));
	if (status != SCSI_GOOD)
		return status;
	t->lba = t->nr = 0;
	t->after_io = unmapped;
	return go_on(t);
}
