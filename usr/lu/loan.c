/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/loan.c - reading without a copy. */
#include "lu/loan.h"

#include "lu/internal.h"

bool lu_loan_get(struct lu_channel *ch, uint64_t off_bytes, uint64_t len_bytes,
		 struct lu_loan *ret)
{
	const struct lu_geometry *g = lu_geometry(ch->lu);
	const uint64_t size = lu_geometry_bytes(g, g->nr_blocks);

	/* Who has borrowed cannot be locked out. */
	if (unlikely(ch->qos.limited || ch->retired || !ch->bs || ch->lu->journal) ||
	    off_bytes > size || len_bytes > size - off_bytes)
		return false;
	ret->p = bs_channel_lend(ch->bs, off_bytes, len_bytes, &ret->priv);
	if (!ret->p)
		return false;
	ret->ch = ch;
	ch->refs++;
	lu_latency_add(ch, LU_READ, 0);
	return true;
}

void lu_loan_put(struct lu_loan *loan, bool faulted)
{
	if (!loan->p)
		return;
	loan->p = NULL;
	bs_channel_lend_end(loan->ch->bs, loan->priv, faulted);
	lu_channel_put(loan->ch);
}
