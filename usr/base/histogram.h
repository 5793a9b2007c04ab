/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/histogram.h - how often which duration occurred.
 *
 * Buckets are log-linear: 16 to each power of two, so that a quantile is at most
 * 1/16 above the truth, from a microsecond to two minutes.  Below HISTOGRAM_UNIT_NS
 * times 16 they are all one unit wide; what is longer than the last one is counted
 * there.
 *
 * Threads: one writes, anyone reads (relaxed atomics, no lock).
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "base/macros.h"

#define HISTOGRAM_UNIT_EXP	6	/* a unit is 64 ns */
#define HISTOGRAM_UNIT_NS	(1ULL << HISTOGRAM_UNIT_EXP)
#define HISTOGRAM_SUB_EXP	4
#define HISTOGRAM_SUBS		(1U << HISTOGRAM_SUB_EXP)
#define HISTOGRAM_UNITS_EXP	31	/* 2^31 units are 137 s */
#define HISTOGRAM_BUCKETS \
	((HISTOGRAM_UNITS_EXP - HISTOGRAM_SUB_EXP + 1) * HISTOGRAM_SUBS)

struct histogram {			/* zeroed at first */
	_Atomic uint64_t n[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum_ns, max_ns;
};

struct histogram_summary {		/* quantiles: the upper end of their bucket */
	uint64_t count;
	uint64_t mean_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
};

static inline unsigned int histogram_bucket(uint64_t ns)
{
	const uint64_t units = ns >> HISTOGRAM_UNIT_EXP;
	unsigned int exp;

	if (units < HISTOGRAM_SUBS)
		return (unsigned int)units;
	if (unlikely(units >> HISTOGRAM_UNITS_EXP))
		return HISTOGRAM_BUCKETS - 1;
	exp = 63U - (unsigned int)__builtin_clzll(units);
	return (exp - HISTOGRAM_SUB_EXP + 1) * HISTOGRAM_SUBS +
	       (unsigned int)(units >> (exp - HISTOGRAM_SUB_EXP)) % HISTOGRAM_SUBS;
}

/* The writer is alone, so no locked instruction is needed. */
static inline void histogram_grow(_Atomic uint64_t *c, uint64_t by)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + by,
			      memory_order_relaxed);
}

static inline void histogram_add(struct histogram *h, uint64_t ns)
{
	histogram_grow(&h->n[histogram_bucket(ns)], 1);
	histogram_grow(&h->sum_ns, ns);
	if (unlikely(ns > atomic_load_explicit(&h->max_ns, memory_order_relaxed)))
		atomic_store_explicit(&h->max_ns, ns, memory_order_relaxed);
}

/* The longest duration that is counted in this bucket. */
uint64_t histogram_bucket_end_ns(unsigned int bucket);

/* Add @from to @to. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/* All zero if nothing was counted. */
struct histogram_summary histogram_summarize(const struct histogram *h);
