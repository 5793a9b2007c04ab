/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/stats.c - a sum may be of slightly different moments; each counter is whole. */
#include "lu/stats.h"

static void sum(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	lu_stats_add(to, atomic_load_explicit(from, memory_order_relaxed));
}

void lu_stats_sum(struct lu_stats *to, const struct lu_stats *from)
{
	sum(&to->rd_subm_bytes, &from->rd_subm_bytes);
	sum(&to->rd_subm_cmds, &from->rd_subm_cmds);
	sum(&to->rd_done_bytes, &from->rd_done_bytes);
	sum(&to->rd_done_cmds, &from->rd_done_cmds);
	sum(&to->wr_subm_bytes, &from->wr_subm_bytes);
	sum(&to->wr_subm_cmds, &from->wr_subm_cmds);
	sum(&to->wr_done_bytes, &from->wr_done_bytes);
	sum(&to->wr_done_cmds, &from->wr_done_cmds);
	sum(&to->errs, &from->errs);
}
