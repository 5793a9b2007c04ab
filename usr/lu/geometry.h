/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/geometry.h - size and alignment of a logical unit; the one range check. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct lu_geometry {
	uint64_t nr_blocks;
	uint32_t block_bytes;		/* 512, 1024, 2048, 4096 */
	uint8_t block_exp;		/* log2 of it */
	uint8_t phys_exp;		/* physical = block_bytes << phys_exp */
	uint16_t lowest_aligned;	/* LBA */
};

/* Blocks [lba, lba + n) exist.  Empty ranges up to the end do. */
static inline bool lu_geometry_contains(const struct lu_geometry *g,
					uint64_t lba, uint64_t n)
{
	return lba <= g->nr_blocks && n <= g->nr_blocks - lba;
}

static inline uint64_t lu_geometry_bytes(const struct lu_geometry *g, uint64_t blocks)
{
	return blocks << g->block_exp;
}

/* -EINVAL: not a block size that we support. */
int lu_geometry_init(struct lu_geometry *g, uint64_t size_bytes,
		     uint32_t block_bytes, uint32_t phys_block_bytes);
