/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/xcopy.c - EXTENDED COPY, SPC-4 r37 6.4 (LID4) and 6.5 (LID1): from a
 * parameter list to the segments of scsi/copy.h.
 *
 * All of the list is checked before the first block is copied.  A copy source or
 * destination (CSCD) is a disk of the target that the command came through: the
 * initiator reaches all of them, since access is granted per target.  Or it is a disk
 * of another one that the same initiator has a session with, scsi/reach.h.
 *
 * What is left of a block at the end of a segment is padded or discarded where PAD
 * says so; it is not kept for the next segment, so where CAT (or PAD, in one of
 * its combinations) asks for that, the segment is inexact.
 */
#include "spc/xcopy.h"

#include <errno.h>
#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/nexus.h"
#include "scsi/reach.h"
#include "scsi/target.h"

#define LID1_HEADER_BYTES	16U
#define LID4_HEADER_BYTES	48U
#define CSCD_BYTES		SPC_XCOPY_CSCD_BYTES

#define DC	0x02
#define CAT	0x01
#define PAD	0x04

enum usage { USAGE_HOLD = 0, USAGE_DISCARD = 2, USAGE_NONE = 3 };

struct list {			/* a parameter list, whichever its header */
	const uint8_t *p;
	uint32_t list_id;
	unsigned int usage;
	unsigned int list_id_at;	/* byte of the field */
	bool immediate;
	uint32_t header_bytes, cscd_bytes, segment_bytes, inline_bytes;
	unsigned int nr_cscds, nr_segments;
};

/* --- the list --- */

enum scsi_status spc_xcopy_parse(struct scsi_task *t)
{
	if (t->nr > LID4_HEADER_BYTES + SPC_XCOPY_LIST_MAX)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	return SCSI_GOOD;
}

static enum scsi_status check_usage(struct scsi_task *t, const struct list *l)
{
	if (l->usage == 1)
		return scsi_task_fail_param(t, 1, 4);
	if (l->usage == USAGE_NONE && l->list_id)
		return scsi_task_fail_param(t, l->list_id_at, -1);
	return SCSI_GOOD;
}

static enum scsi_status check_lengths(struct scsi_task *t, const struct list *l)
{
	const uint64_t descriptors = (uint64_t)l->cscd_bytes + l->segment_bytes;

	if (descriptors > SPC_XCOPY_LIST_MAX)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	if (l->inline_bytes)
		return scsi_task_fail(t, SCSI_SENSE_INLINE_DATA_LENGTH_EXCEEDED);
	if (l->header_bytes + descriptors > t->out_bytes)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	return SCSI_GOOD;
}

static enum scsi_status check_cscds(struct scsi_task *t, struct list *l)
{
	for (uint32_t at = 0; at < l->cscd_bytes; at += CSCD_BYTES) {
		if (l->p[l->header_bytes + at] != SPC_XCOPY_CSCD_ID)
			return scsi_task_fail(t, SCSI_SENSE_UNSUPPORTED_TARGET_DESCRIPTOR);
		if (l->cscd_bytes - at < CSCD_BYTES)
			return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
		if (++l->nr_cscds > SPC_XCOPY_CSCDS_MAX)
			return scsi_task_fail(t, SCSI_SENSE_TOO_MANY_TARGET_DESCRIPTORS);
	}
	return SCSI_GOOD;
}

/* 0: not one of ours. */
static uint32_t segment_bytes(uint8_t type)
{
	return type == SPC_XCOPY_BLOCK_TO_BLOCK ? 28 :
	       type == SPC_XCOPY_BYTES_TO_BYTES ? 32 : 0;
}

static enum scsi_status check_segments(struct scsi_task *t, struct list *l)
{
	const uint32_t start = l->header_bytes + l->cscd_bytes;

	for (uint32_t at = 0, n; at < l->segment_bytes; at += n) {
		const uint8_t *d = l->p + start + at;

		n = segment_bytes(d[0]);
		if (!n)
			return scsi_task_fail(t, SCSI_SENSE_UNSUPPORTED_SEGMENT_DESCRIPTOR);
		if (l->segment_bytes - at < n)
			return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
		if (be_load(d + 2, 2) != n - 4)
			return scsi_task_fail_param(t, start + at + 2, -1);
		if (++l->nr_segments > SPC_XCOPY_SEGMENTS_MAX)
			return scsi_task_fail(t, SCSI_SENSE_TOO_MANY_SEGMENT_DESCRIPTORS);
	}
	return SCSI_GOOD;
}

static enum scsi_status check_list(struct scsi_task *t, struct list *l)
{
	enum scsi_status status = check_usage(t, l);

	if (status == SCSI_GOOD && l->usage != USAGE_NONE)
		status = scsi_copy_claim(t, l->list_id);
	if (status == SCSI_GOOD)
		status = check_lengths(t, l);
	if (status == SCSI_GOOD)
		status = check_cscds(t, l);
	if (status == SCSI_GOOD)
		status = check_segments(t, l);
	return status;
}

/* --- copy sources and copy destinations --- */

struct cscds {
	struct scsi_copy *copy;
	const struct list *list;
	int end[SPC_XCOPY_CSCDS_MAX + 1];	/* -1: not asked for yet; the last: self */
	const struct scsi_device *dev[SPC_XCOPY_CSCDS_MAX + 1];
};

/* Is this one of the designators of the device's VPD page 83h? */
static bool is_designated(const struct scsi_device *dev, const void *arg)
{
	const uint8_t *d = arg;		/* designation descriptor, 7.8.6.1 */
	const struct lu_identity *id = lu_identity(dev->lu);
	const uint8_t set = d[0] & 0x0f, type = d[1] & 0x0f, n = d[3];

	if (d[1] & 0x30)		/* of a port, or of a target */
		return false;
	if (type == 3 && set == 1)
		return (n == id->naa_bytes && !memcmp(d + 4, id->naa, n)) ||
		       (id->tgt_compat && n == sizeof(id->naa6) &&
			!memcmp(d + 4, id->naa6, n));
	return type == 1 && set == 2 && n == strlen(id->scsi_id) &&
	       !memcmp(d + 4, id->scsi_id, n);
}

/* With a reference; of another target *ret_through too. */
static struct scsi_device *find_device(const struct scsi_nexus *n, const uint8_t *designator,
				       uint64_t *ret_lun, struct scsi_reach **ret_through)
{
	struct scsi_device *dev = scsi_target_find_device(n->target, is_designated, designator,
							  ret_lun);

	if (!dev)
		*ret_through = scsi_reach_find(n, is_designated, designator, &dev, ret_lun);
	return dev;
}

static enum scsi_status check_device(struct scsi_task *t, const struct scsi_device *dev,
				     unsigned int at)
{
	if (dev->type != t->dev->type)
		return scsi_task_fail(t, SCSI_SENSE_INCORRECT_COPY_TARGET_TYPE);
	if (be_load((const uint8_t *)t->data.iov[0].iov_base + at + 29, 3) != lu_geometry(dev->lu)->block_bytes)
		return scsi_task_fail_param(t, at + 29, -1);
	return SCSI_GOOD;
}

/* Look a descriptor's device up; it becomes an end of the copy. */
static enum scsi_status resolve(struct scsi_task *t, struct cscds *cs, unsigned int i)
{
	const unsigned int at = cs->list->header_bytes + i * CSCD_BYTES;
	const uint8_t *d = cs->list->p + at;
	enum scsi_status status;
	struct scsi_reach *through = NULL;
	uint64_t lun = t->itl->lun;
	struct scsi_device *dev;

	if (i == SPC_XCOPY_CSCDS_MAX) {
		dev = scsi_device_get(t->dev);
	} else {
		if ((d[1] & 0x1f) != t->dev->type->code)
			return scsi_task_fail(t, SCSI_SENSE_INCORRECT_COPY_TARGET_TYPE);
		dev = d[1] & 0x20 || d[7] > 20 ?	/* NUL */
			      NULL : find_device(t->nexus, d + 4, &lun, &through);
		if (!dev)
			return scsi_task_fail(t, SCSI_SENSE_COPY_TARGET_NOT_REACHABLE);
		status = check_device(t, dev, at);
		if (status != SCSI_GOOD) {
			scsi_device_put(dev);
			scsi_reach_put(through);
			return status;
		}
	}
	cs->dev[i] = dev;
	cs->end[i] = scsi_copy_add_device(cs->copy, dev, lun, through);
	return cs->end[i] < 0 ? SCSI_BUSY : SCSI_GOOD;
}

/* From a CSCD descriptor ID of a segment to the index in @cs. */
static enum scsi_status find(struct scsi_task *t, struct cscds *cs, uint64_t id,
			     unsigned int *ret_i)
{
	const unsigned int i = id == SPC_XCOPY_SELF ? SPC_XCOPY_CSCDS_MAX :
						      (unsigned int)id;

	if (id != SPC_XCOPY_SELF && id >= cs->list->nr_cscds)
		return scsi_task_fail(t, SCSI_SENSE_COPY_TARGET_NOT_REACHABLE);
	*ret_i = i;
	return cs->end[i] >= 0 ? SCSI_GOOD : resolve(t, cs, i);
}

static bool pads(const struct cscds *cs, unsigned int i)
{
	return i < SPC_XCOPY_CSCDS_MAX &&
	       cs->list->p[cs->list->header_bytes + i * CSCD_BYTES + 28] & PAD;
}

/* --- segments --- */

/*
 * Block device to block device, 6.4.6.5.  DC tells whose blocks are counted; what
 * the others' blocks then have too much is residual (table 167).
 */
static bool is_exact(const struct cscds *cs, const uint8_t *d, unsigned int src,
		     unsigned int dst, uint64_t bytes)
{
	const uint32_t src_block = lu_geometry(cs->dev[src]->lu)->block_bytes;
	const uint32_t dst_block = lu_geometry(cs->dev[dst]->lu)->block_bytes;

	if (bytes % src_block && (d[1] & CAT || !pads(cs, src)))
		return false;
	return !(bytes % dst_block) || (!(d[1] & CAT) && pads(cs, dst));
}

static bool is_inside(const struct scsi_device *dev, uint64_t lba, uint64_t bytes)
{
	const struct lu_geometry *g = lu_geometry(dev->lu);

	return lu_geometry_contains(g, lba, DIV_ROUND_UP(bytes, g->block_bytes));
}

/*
 * Block device with byte offsets to the same, 6.4.6.9: what is not whole blocks of
 * that side is against the granularity.  An offset of blocks moves *lba.
 */
static bool move_offset(const struct scsi_device *dev, uint64_t offset, uint64_t bytes,
			uint64_t *lba)
{
	const struct lu_geometry *g = lu_geometry(dev->lu);
	const uint64_t blocks = offset >> g->block_exp;

	if ((offset | bytes) & (g->block_bytes - 1))
		return false;
	*lba = *lba > UINT64_MAX - blocks ? UINT64_MAX : *lba + blocks;
	return true;
}

static enum scsi_status add_segment(struct scsi_task *t, struct cscds *cs, const uint8_t *d)
{
	uint64_t src_lba = be_load(d + 12, 8), dst_lba = be_load(d + 20, 8), bytes;
	unsigned int src = 0, dst = 0;
	enum scsi_status status = find(t, cs, be_load(d + 4, 2), &src);

	if (status == SCSI_GOOD)
		status = find(t, cs, be_load(d + 6, 2), &dst);
	if (status != SCSI_GOOD)
		return status;
	assert(cs->dev[src] && cs->dev[dst]);
	if (d[0] == SPC_XCOPY_BYTES_TO_BYTES) {
		bytes = be_load(d + 8, 4);
		if (!move_offset(cs->dev[src], be_load(d + 28, 2), bytes, &src_lba) ||
		    !move_offset(cs->dev[dst], be_load(d + 30, 2), bytes, &dst_lba))
			return scsi_task_fail(t, SCSI_SENSE_SEGMENT_GRANULARITY_VIOLATION);
	} else {
		bytes = lu_geometry_bytes(lu_geometry(cs->dev[d[1] & DC ? dst : src]->lu),
					  be_load(d + 10, 2));
		if (!is_exact(cs, d, src, dst, bytes))
			return scsi_task_fail(t, SCSI_SENSE_UNEXPECTED_INEXACT_SEGMENT);
	}
	if (!is_inside(cs->dev[src], src_lba, bytes) ||
	    !is_inside(cs->dev[dst], dst_lba, bytes))
		return scsi_task_fail(t, SCSI_SENSE_COPY_ABORTED);
	if (bytes)
		scsi_copy_add_segment(cs->copy, &(struct scsi_copy_segment){
			.src = (uint8_t)cs->end[src],
			.dst = (uint8_t)cs->end[dst],
			.src_bytes = lu_geometry_bytes(lu_geometry(cs->dev[src]->lu),
						       src_lba),
			.dst_bytes = lu_geometry_bytes(lu_geometry(cs->dev[dst]->lu),
						       dst_lba),
			.len_bytes = bytes });
	return SCSI_GOOD;
}

static enum scsi_status copy(struct scsi_task *t, struct list *l)
{
	struct cscds cs = { .list = l };
	enum scsi_status status = check_list(t, l);
	const uint8_t *d = l->p + l->header_bytes + l->cscd_bytes;

	if (status != SCSI_GOOD)
		return status;
	cs.copy = scsi_copy_new(t, l->list_id, l->usage != USAGE_NONE, l->nr_segments,
				NULL, NULL);
	if (!cs.copy)
		return SCSI_BUSY;
	memset(cs.end, -1, sizeof(cs.end));
	for (unsigned int i = 0; i < l->nr_segments && status == SCSI_GOOD; i++) {
		status = add_segment(t, &cs, d);
		d += segment_bytes(d[0]);
	}
	if (status != SCSI_GOOD) {
		scsi_copy_drop(cs.copy);
		return status;
	}
	return scsi_copy_start(cs.copy, l->immediate);
}

/* --- the two headers --- */

enum scsi_status spc_xcopy_lid1(struct scsi_task *t)
{
	struct list l = { .header_bytes = LID1_HEADER_BYTES, .list_id_at = 0 };

	if (!t->out_bytes)
		return SCSI_GOOD;
	if (t->out_bytes < LID1_HEADER_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	l.p = t->data.iov[0].iov_base;		/* one chunk */
	l.list_id = l.p[0];
	l.usage = l.p[1] >> 3 & 3;
	l.cscd_bytes = (uint32_t)be_load(l.p + 2, 2);
	l.segment_bytes = (uint32_t)be_load(l.p + 8, 4);
	l.inline_bytes = (uint32_t)be_load(l.p + 12, 4);
	return copy(t, &l);
}

enum scsi_status spc_xcopy_lid4(struct scsi_task *t)
{
	struct list l = { .header_bytes = LID4_HEADER_BYTES, .list_id_at = 20 };

	if (!t->out_bytes)
		return SCSI_GOOD;
	if (t->out_bytes < LID4_HEADER_BYTES)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	l.p = t->data.iov[0].iov_base;
	if (l.p[0] != 0x01)			/* PARAMETER LIST FORMAT */
		return scsi_task_fail_param(t, 0, -1);
	if (be_load(l.p + 2, 2) != 0x20)	/* HEADER CSCD DESCRIPTOR LIST LENGTH */
		return scsi_task_fail_param(t, 2, -1);
	if (l.p[16] != 0xff)			/* EXTENDED COPY parameter list header */
		return scsi_task_fail_param(t, 16, -1);
	l.usage = l.p[1] >> 3 & 3;
	l.immediate = l.p[15] & 0x01;
	l.list_id = (uint32_t)be_load(l.p + 20, 4);
	l.cscd_bytes = (uint32_t)be_load(l.p + 42, 2);
	l.segment_bytes = (uint32_t)be_load(l.p + 44, 2);
	l.inline_bytes = (uint32_t)be_load(l.p + 46, 2);
	if (l.immediate && l.usage == USAGE_NONE)	/* nobody could ask for the end */
		return scsi_task_fail_param(t, 15, 0);
	return copy(t, &l);
}

/* COPY OPERATION ABORT, 6.3.  It says 60h when what is in the store has ended. */
enum scsi_status spc_xcopy_abort(struct scsi_task *t)
{
	struct scsi_copy *c = scsi_copy_find(t->itl, (uint32_t)be_load(t->cdb + 2, 4));

	if (!c || !c->run)
		return scsi_task_fail_cdb(t, 2, -1);
	scsi_copy_cancel(c);
	return SCSI_GOOD;
}

void spc_xcopy_describe(const struct scsi_task *t, uint8_t *p)
{
	const struct lu_identity *id = lu_identity(t->dev->lu);

	memset(p, 0, CSCD_BYTES);
	p[0] = SPC_XCOPY_CSCD_ID;
	p[1] = t->dev->type->code;
	p[4] = 1;				/* binary */
	p[5] = 3;				/* NAA of the logical unit */
	p[7] = id->naa_bytes;
	memcpy(p + 8, id->naa, id->naa_bytes);
	be_store(p + 29, 3, lu_geometry(t->dev->lu)->block_bytes);
}
