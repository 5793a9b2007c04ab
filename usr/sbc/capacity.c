/* SPDX-License-Identifier: BSD-3-Clause */
/* sbc/capacity.c - READ CAPACITY. */
#include "base/be.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"

#define LBPME	0x8000	/* with LOWEST ALIGNED LOGICAL BLOCK ADDRESS */
#define LBPRZ	0x4000

struct capacity_10_data {
	be32 last_lba;
	be32 block_bytes;
};
static_assert(sizeof(struct capacity_10_data) == 8, "SBC-3 r36 5.15.2");

struct capacity_16_data {
	be64 last_lba;
	be32 block_bytes;
	uint8_t protection;		/* P_TYPE, PROT_EN: none */
	uint8_t phys_exp;		/* P_I_EXPONENT, LOGICAL BLOCKS PER PHYSICAL */
	be16 alignment;
	uint8_t rsvd[16];
};
static_assert(sizeof(struct capacity_16_data) == 32, "SBC-3 r36 5.16.2");

enum scsi_status sbc_capacity_10(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const uint64_t last = g->nr_blocks - 1;
	/* All ones: ask with READ CAPACITY(16). */
	const struct capacity_10_data d = {
		.last_lba = be32_make((uint32_t)MIN(last, (uint64_t)UINT32_MAX)),
		.block_bytes = be32_make(g->block_bytes),
	};

	t->nr = sizeof(d);		/* there is no ALLOCATION LENGTH */
	return scsi_task_reply(t, &d, sizeof(d));
}

static uint16_t alignment(const struct scsi_device *dev)
{
	const struct scsi_device_config *c = scsi_device_config(dev);
	uint16_t v = c->la_lba ? c->la_lba : lu_geometry(dev->lu)->lowest_aligned;

	v &= 0x3fff;
	if (scsi_device_is_thin(dev)) {
		v |= LBPME;
		if (lu_store_info(dev->lu)->reads_zero)
			v |= LBPRZ;
	}
	return v;
}

enum scsi_status sbc_capacity_16(struct scsi_task *t)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const uint8_t lbppbe = scsi_device_config(t->dev)->lbppbe;
	const struct capacity_16_data d = {
		.last_lba = be64_make(g->nr_blocks - 1),
		.block_bytes = be32_make(g->block_bytes),
		.phys_exp = (lbppbe == SCSI_DEVICE_LBPPBE_STORE ? g->phys_exp : lbppbe) & 0x0f,
		.alignment = be16_make(alignment(t->dev)),
	};

	return scsi_task_reply(t, &d, sizeof(d));
}
