/* SPDX-License-Identifier: BSD-3-Clause */
/* base/refcount.h - atomic reference counts.  Any thread. */
#pragma once
#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct { atomic_uint n; } refcount;

static inline void refcount_init(refcount *r, unsigned int n)
{
	atomic_init(&r->n, n);
}

static inline void refcount_get(refcount *r)
{
	const unsigned int was = atomic_fetch_add_explicit(&r->n, 1,
							   memory_order_relaxed);

	assert(was > 0);
	(void)was;
}

/* For objects found under RCU: a dying one counts as absent. */
static inline bool refcount_get_unless_zero(refcount *r)
{
	unsigned int n = atomic_load_explicit(&r->n, memory_order_relaxed);

	while (n)
		if (atomic_compare_exchange_weak_explicit(&r->n, &n, n + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	return false;
}

/* True for the caller that dropped the last reference. */
static inline bool refcount_put(refcount *r)
{
	const unsigned int was = atomic_fetch_sub_explicit(&r->n, 1,
							   memory_order_acq_rel);

	assert(was > 0);
	return was == 1;
}
