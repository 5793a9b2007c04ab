/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/histogram.c - reading.  The parts of a histogram that is being written may
 * be of slightly different moments; each is whole.
 */
#include "base/histogram.h"

static uint64_t load(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

uint64_t histogram_bucket_end_ns(unsigned int bucket)
{
	const unsigned int row = bucket / HISTOGRAM_SUBS, sub = bucket % HISTOGRAM_SUBS;
	const unsigned int exp = row ? row - 1 : 0;
	const uint64_t next = ((row ? HISTOGRAM_SUBS : 0) + sub + 1ULL) << exp;

	return (next << HISTOGRAM_UNIT_EXP) - 1;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram_grow(&to->n[i], load(&from->n[i]));
	histogram_grow(&to->sum_ns, load(&from->sum_ns));
	atomic_store_explicit(&to->max_ns, MAX(load(&to->max_ns), load(&from->max_ns)),
			      memory_order_relaxed);
}

/* What @per_mille of the durations do not exceed. */
static uint64_t quantile_ns(const struct histogram *h, uint64_t count,
			    unsigned int per_mille)
{
	const uint64_t max_ns = load(&h->max_ns);
	/* Not count * per_mille, which might wrap. */
	uint64_t rank = count / 1000 * per_mille +
			DIV_ROUND_UP(count % 1000 * per_mille, 1000);

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		const uint64_t n = load(&h->n[i]);

		if (n >= rank)
			return MIN(histogram_bucket_end_ns(i), max_ns);
		rank -= n;
	}
	return max_ns;
}

struct histogram_summary histogram_summarize(const struct histogram *h)
{
	struct histogram_summary s = { 0 };

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		s.count += load(&h->n[i]);
	if (!s.count)
		return s;
	s.mean_ns = load(&h->sum_ns) / s.count;
	s.p50_ns = quantile_ns(h, s.count, 500);
	s.p90_ns = quantile_ns(h, s.count, 900);
	s.p99_ns = quantile_ns(h, s.count, 990);
	s.p999_ns = quantile_ns(h, s.count, 999);
	s.max_ns = load(&h->max_ns);
	return s;
}
