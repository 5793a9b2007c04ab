/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/lba_status.c - GET LBA STATUS, SBC-3 r36 5.4: extents that are mapped or
 * deallocated, from the store's own map.
 *
 * The store is asked for one extent after the other until the parameter data is
 * full or the end is reached.  A block that is mapped in part is mapped.
 */
#include "base/be.h"
#include "lu/lu.h"
#include "sbc/handlers.h"
#include "scsi/device.h"

#define DESCRIPTORS_MAX	64U
#define MAPPED		0x0
#define DEALLOCATED	0x1

struct header {
	be32 length;		/* of what follows this field */
	uint8_t rsvd4[4];
};

struct descriptor {
	be64 lba;
	be32 nr_blocks;
	uint8_t status;
	uint8_t rsvd13[3];
};

static_assert(sizeof(struct descriptor) == 16, "SBC-3 r36 table 44");

/* t->data is one chunk: a header and room for descriptors; t->step are there. */
static struct descriptor *descriptors(const struct scsi_task *t)
{
	return (void *)((uint8_t *)t->data.iov[0].iov_base + sizeof(struct header));
}

static unsigned int room(const struct scsi_task *t)
{
	return (unsigned int)((t->data.iov[0].iov_len - sizeof(struct header)) /
			      sizeof(struct descriptor));
}

static void add(struct scsi_task *t, uint32_t nr, uint8_t status)
{
	struct descriptor *d = descriptors(t) + t->step;

	if (t->step && d[-1].status == status &&
	    be32_get(d[-1].nr_blocks) <= UINT32_MAX - nr) {
		d[-1].nr_blocks = be32_make(be32_get(d[-1].nr_blocks) + nr);
	} else {
		*d = (struct descriptor){
			.lba = be64_make(t->lba),
			.nr_blocks = be32_make(nr),
			.status = status,
		};
		t->step++;
	}
	t->lba += nr;
}

static enum scsi_status finish(struct scsi_task *t)
{
	const uint64_t bytes = sizeof(struct header) +
			       t->step * sizeof(struct descriptor);
	struct header *h = t->data.iov[0].iov_base;

	*h = (struct header){ .length = be32_make((uint32_t)(bytes - sizeof(be32))) };
	t->in_bytes = MIN(bytes, t->nr);
	return SCSI_GOOD;
}

static enum scsi_status go_on(struct scsi_task *t)
{
	static const struct iovec none;
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const uint64_t left = g->nr_blocks - MIN(t->lba, g->nr_blocks);

	if (!left || t->step == room(t))
		return finish(t);
	t->io.op = LU_BLOCK_STATUS;
	t->io.flags = 0;
	t->io.iov = &none;
	t->io.iovcnt = 0;
	t->io.off_bytes = lu_geometry_bytes(g, t->lba);
	t->io.len_bytes = lu_geometry_bytes(g, MIN(left, (uint64_t)UINT32_MAX));
	return scsi_task_submit(t);
}

static void answered(struct scsi_task *t, int err)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	bool mapped = t->io.flags & LU_IO_MAPPED;
	enum scsi_status status;
	uint64_t nr;

	if (err) {
		scsi_task_complete(t, scsi_task_io_status(t, err));
		return;
	}
	nr = t->io.result >> g->block_exp;
	if (mapped && t->io.result & (g->block_bytes - 1))
		nr++;
	if (!nr) {			/* a hole of less than a block */
		mapped = true;
		nr = 1;
	}
	add(t, (uint32_t)nr, mapped ? MAPPED : DEALLOCATED);
	status = go_on(t);
	if (status != SCSI_PENDING)
		scsi_task_complete(t, status);
}

enum scsi_status sbc_lba_status_run(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const uint64_t want = (t->nr - MIN(t->nr, sizeof(struct header))) /
			      sizeof(struct descriptor);
	const uint64_t n = MAX(MIN(want, (uint64_t)DESCRIPTORS_MAX), 1ULL);

	if (t->lba >= g->nr_blocks)
		return scsi_task_fail_info(t, SCSI_SENSE_LBA_OUT_OF_RANGE, t->lba);
	if (!t->nr)
		return SCSI_GOOD;
	if (reactor_buffer_get(&t->data, sizeof(struct header) +
					 n * sizeof(struct descriptor)) < 0)
		return SCSI_BUSY;
	t->step = 0;
	t->after_io = answered;
	return go_on(t);
}
