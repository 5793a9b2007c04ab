/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve.h - who has the logical unit to himself (SPC-2 RESERVE/RELEASE;
 * persistent reservations will keep their state here too).
 *
 * A holder is named by a number that is never used again in the life of the
 * daemon (scsi_nexus.id, later an NBD connection).  The check on a command's
 * path is one relaxed load.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lu_reserve {
	_Atomic uint64_t holder;	/* 0: nobody */
};

static inline bool lu_reserve_conflicts(const struct lu_reserve *r, uint64_t who)
{
	const uint64_t holder = atomic_load_explicit(&r->holder,
						     memory_order_relaxed);

	return holder && holder != who;
}

/* Any thread.  take: false if somebody else holds it.  release: no effect
 * unless @who is the holder.  clear: whoever it is (reset). */
bool lu_reserve_take(struct lu_reserve *r, uint64_t who);
void lu_reserve_release(struct lu_reserve *r, uint64_t who);
void lu_reserve_clear(struct lu_reserve *r);
