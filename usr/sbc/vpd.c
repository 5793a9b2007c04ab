/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/vpd.c - VPD pages of disks, SBC-3 r36 6.5.  They say what the store does,
 * and what the commands enforce (sbc/limits.h).
 */
#include "base/be.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"
#include "sbc/limits.h"

static uint64_t to_blocks(const struct lu_geometry *g, uint64_t bytes)
{
	return bytes >> g->block_exp;
}

/* Block limits, 6.5.3. */
struct block_limits {
	uint8_t wsnz;
	uint8_t compare_blocks_max;
	be16 optimal_granularity;
	be32 transfer_max;
	be32 optimal_transfer;
	be32 prefetch_max;
	be32 unmap_max;
	be32 unmap_descriptors_max;
	be32 unmap_granularity;
	be32 unmap_alignment;		/* with UGAVALID in bit 31 */
	be64 write_same_max;
	be32 atomic_max;		/* SBC-4 r22 6.6.4; all 0: no WRITE ATOMIC */
	be32 atomic_alignment;		/* 0: any */
	be32 atomic_granularity;	/* 0: any */
	be32 atomic_max_with_boundary;
	be32 atomic_boundary_max;
};
static_assert(sizeof(struct block_limits) == 0x3c, "SBC-3 r36 table 205");

static size_t fill_limits(const struct scsi_task *t, uint8_t *p)
{
	const struct scsi_device_config *c = scsi_device_config(t->dev);
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const struct bs_dev_info *info = lu_store_info(t->dev->lu);
	struct block_limits *d = (void *)p;
	const uint64_t granularity = c->optimal_xfer_gran ? c->optimal_xfer_gran :
							    1ULL << g->phys_exp;
	const uint64_t optimal = c->optimal_xfer_len ? c->optimal_xfer_len :
						       to_blocks(g, info->optimal_bytes);

	d->compare_blocks_max = (uint8_t)sbc_limits_compare_blocks(g, info);
	d->optimal_granularity = be16_make((uint16_t)granularity);
	d->transfer_max = be32_make((uint32_t)to_blocks(g, BUFFER_BYTES_MAX));
	d->optimal_transfer = be32_make((uint32_t)MIN(optimal,
						      to_blocks(g, BUFFER_BYTES_MAX)));
	/* Nothing is written in pieces, whatever the ATOMIC BOUNDARY field allows. */
	d->atomic_max = be32_make((uint32_t)to_blocks(g, lu_atomic_bytes(t->dev->lu)));
	d->atomic_max_with_boundary = d->atomic_boundary_max = d->atomic_max;
	d->write_same_max = be64_make(SBC_WRITE_SAME_BLOCKS_MAX);
	if (scsi_device_is_thin(t->dev)) {
		const uint64_t unit = to_blocks(g, info->unmap_granularity_bytes);

		d->unmap_max = be32_make(SBC_UNMAP_BLOCKS_MAX);
		d->unmap_descriptors_max = be32_make(SBC_UNMAP_DESCRIPTORS_MAX);
		d->unmap_granularity = be32_make((uint32_t)MAX(unit, 1ULL));
		d->unmap_alignment = be32_make(0x80000000);
	}
	return sizeof(*d);
}

/* Block device characteristics, 6.5.2. */
#define WABEREQ_ZEROES 0x40	/* 01b: what was erased can be read */

static size_t fill_characteristics(const struct scsi_task *t, uint8_t *p)
{
	const uint16_t rate = scsi_device_config(t->dev)->rotation_rate;

	/* 0001h: non-rotating.  0: not reported. */
	be_store(p, 2, rate ? rate : lu_store_info(t->dev->lu)->rotational ? 0 : 1);
	if (scsi_device_is_thin(t->dev))	/* then there is BLOCK ERASE */
		p[3] = WABEREQ_ZEROES;
	return 0x3c;
}

/* Logical block provisioning, 6.5.4. */
#define LBPU	0x80
#define LBPWS	0x40
#define LBPWS10	0x20
#define LBPRZ	0x04
#define TYPE_THIN 0x02

static size_t fill_provisioning(const struct scsi_task *t, uint8_t *p)
{
	if (scsi_device_is_thin(t->dev)) {
		p[1] = LBPU | LBPWS | LBPWS10;
		if (lu_store_info(t->dev->lu)->reads_zero)
			p[1] |= LBPRZ;
		p[2] = TYPE_THIN;
	}
	return 4;
}

const struct spc_vpd_page sbc_vpd_pages[] = {
	{ 0x8f, sbc_copy_vpd_fill },
	{ 0xb0, fill_limits },
	{ 0xb1, fill_characteristics },
	{ 0xb2, fill_provisioning },
};
const size_t sbc_vpd_nr_pages = ARRAY_SIZE(sbc_vpd_pages);
