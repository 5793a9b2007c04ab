/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/geometry.c - sizes are powers of two, so shifts do. */
#include "lu/geometry.h"

#include <errno.h>
#include "base/macros.h"

#define BLOCK_EXP_MIN	9	/* 512 */
#define BLOCK_EXP_MAX	12	/* 4096 */
#define PHYS_EXP_MAX	15	/* 4 bits of READ CAPACITY(16) */

static bool is_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

int lu_geometry_init(struct lu_geometry *g, uint64_t size_bytes, uint32_t block_bytes,
		     uint32_t phys_block_bytes)
{
	unsigned int exp, phys_exp = 0;

	if (!is_power_of_two(block_bytes))
		return -EINVAL;
	exp = (unsigned int)__builtin_ctz(block_bytes);
	if (exp < BLOCK_EXP_MIN || exp > BLOCK_EXP_MAX)
		return -EINVAL;
	/* An odd physical size is no use to anybody: say nothing about it. */
	if (is_power_of_two(phys_block_bytes) && phys_block_bytes > block_bytes)
		phys_exp = (unsigned int)__builtin_ctz(phys_block_bytes) - exp;
	*g = (struct lu_geometry){
		.nr_blocks = size_bytes >> exp,
		.block_bytes = block_bytes,
		.block_exp = (uint8_t)exp,
		.phys_exp = (uint8_t)MIN(phys_exp, (unsigned int)PHYS_EXP_MAX),
	};
	return 0;
}
