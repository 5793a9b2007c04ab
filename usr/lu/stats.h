/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/stats.h - counters of one I_T_L nexus or channel; written by one reactor,
 * read by anyone (relaxed atomics, no lock). */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

struct lu_stats {
	_Atomic uint64_t rd_subm_bytes, rd_subm_cmds, rd_done_bytes, rd_done_cmds;
	_Atomic uint64_t wr_subm_bytes, wr_subm_cmds, wr_done_bytes, wr_done_cmds;
	_Atomic uint64_t errs;
};

/* The writer is alone, so no locked instruction is needed. */
static inline void lu_stats_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

void lu_stats_sum(struct lu_stats *to, const struct lu_stats *from);
