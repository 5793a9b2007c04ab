/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/reserve.c - the holder is one word; taking and releasing compare it. */
#include "lu/reserve.h"

bool lu_reserve_take(struct lu_reserve *r, uint64_t who)
{
	uint64_t holder = 0;

	return atomic_compare_exchange_strong(&r->holder, &holder, who) || holder == who;
}

void lu_reserve_release(struct lu_reserve *r, uint64_t who)
{
	atomic_compare_exchange_strong(&r->holder, &who, 0);
}

void lu_reserve_clear(struct lu_reserve *r)
{
	atomic_store(&r->holder, 0);
}
