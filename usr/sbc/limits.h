/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/limits.h - what the Block Limits VPD page says and the commands enforce.
 * MAXIMUM TRANSFER LENGTH is BUFFER_BYTES_MAX, enforced in scsi/dispatch.c.
 */
#pragma once
#include "base/macros.h"
#include "lu/geometry.h"
#include "lu/lu.h"

/*
 * What the 10-byte command can say.  Initiators that clear whole disks like this
 * do it in pieces of the limit, with no more patience for a piece than for any
 * other command; not every store has zeroes without data.
 */
#define SBC_WRITE_SAME_BLOCKS_MAX	UINT16_MAX
#define SBC_UNMAP_DESCRIPTORS_MAX	256U
#define SBC_UNMAP_BLOCKS_MAX		UINT32_MAX	/* of one command: no limit */
#define SBC_COMPARE_BLOCKS_MAX		255U		/* the field has one byte */

/*
 * Long ranges go to the store in pieces that begin and end at multiples of
 * these, so that an abort need not wait for all of it: task management has a
 * second, and a slow disk is slow.
 */
#define SBC_UNMAP_STEP_BYTES	(1ULL << 30)
#define SBC_ZERO_STEP_BYTES	(64ULL << 20)
#define SBC_WRITE_STEP_BYTES	(4ULL << 20)
#define SBC_VERIFY_STEP_BYTES	(16ULL << 20)

#define SBC_PREFETCH_BYTES	(16ULL << 20)	/* of a cache, for one command */

static inline uint64_t sbc_limits_step(uint64_t off_bytes, uint64_t left_bytes,
				       uint64_t step_bytes)
{
	return MIN(left_bytes, step_bytes - off_bytes % step_bytes);
}

/* COMPARE AND WRITE; 0: none.  Where others reach the store past this daemon, no lock
 * of ours makes atomic what the store does not. */
static inline uint64_t sbc_limits_compare_blocks(const struct lu_geometry *g,
						 const struct bs_dev_info *info)
{
	return info->shared ? MIN((uint64_t)info->atomic_bytes >> g->block_exp,
				  (uint64_t)SBC_COMPARE_BLOCKS_MAX) :
			      SBC_COMPARE_BLOCKS_MAX;
}
