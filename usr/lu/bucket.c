/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/bucket.c - times instead of tokens.
 *
 * Costs are rounded up, so that the rate is never exceeded.  ROUNDING_NS makes up
 * for that where a burst is taken in many small parts; without it the last part
 * would wait for a timer.
 */
#include "lu/bucket.h"

#include "base/clock.h"
#include "base/macros.h"

#define ROUNDING_NS	(10 * NS_PER_US)
#define COST_MAX_NS	(3600 * NS_PER_SEC)	/* of one request */

static uint64_t load(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static uint64_t cost_ns(uint64_t rate, uint64_t tokens)
{
	const unsigned __int128 n = (unsigned __int128)tokens * NS_PER_SEC;
	uint64_t ns;

	if (n / rate >= COST_MAX_NS)
		return COST_MAX_NS;
	ns = (uint64_t)(n / rate);
	return ns + (n % rate != 0);
}

void lu_bucket_set(struct lu_bucket *b, uint64_t rate, uint64_t burst, uint64_t now_ns)
{
	uint64_t burst_ns = 0, full_at = load(&b->full_at_ns);

	if (rate) {
		burst_ns = burst ? cost_ns(rate, burst) + ROUNDING_NS :
				   NS_PER_SEC / LU_BUCKET_BURST_DEFAULT;
		burst_ns = MAX(burst_ns, LU_BUCKET_BURST_MIN_NS);
	}
	atomic_store_explicit(&b->burst_ns, burst_ns, memory_order_relaxed);
	atomic_store_explicit(&b->rate, rate, memory_order_relaxed);
	/* At worst it is empty now. */
	while (full_at > now_ns + burst_ns &&
	       !atomic_compare_exchange_weak_explicit(&b->full_at_ns, &full_at,
						      now_ns + burst_ns,
						      memory_order_relaxed,
						      memory_order_relaxed))
		;
}

uint64_t lu_bucket_take(struct lu_bucket *b, uint64_t tokens, uint64_t now_ns,
			uint64_t *ret_paid_ns)
{
	const uint64_t rate = load(&b->rate), burst_ns = load(&b->burst_ns);
	uint64_t cost, credit, from, full_at = load(&b->full_at_ns);

	*ret_paid_ns = 0;
	if (!rate || !tokens)
		return now_ns;
	cost = cost_ns(rate, tokens);
	do
		from = MAX(full_at, now_ns);
	while (!atomic_compare_exchange_weak_explicit(&b->full_at_ns, &full_at, from + cost,
						      memory_order_relaxed,
						      memory_order_relaxed));
	*ret_paid_ns = cost;
	/* More than a whole bucket starts when that is full. */
	credit = burst_ns - MIN(cost, burst_ns);
	return MAX(from - MIN(credit, from), now_ns);
}

void lu_bucket_give_back(struct lu_bucket *b, uint64_t paid_ns)
{
	uint64_t full_at = load(&b->full_at_ns);

	while (!atomic_compare_exchange_weak_explicit(&b->full_at_ns, &full_at,
						      full_at - MIN(paid_ns, full_at),
						      memory_order_relaxed,
						      memory_order_relaxed))
		;
}
