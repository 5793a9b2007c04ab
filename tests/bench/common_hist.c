/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_hist.h"

#include <string.h>

void bench_hist_reset(struct bench_hist *h)
{
	memset(h, 0, sizeof(*h));
}

/* The middle of the values that share bucket @i. */
static uint64_t value_of(unsigned int i)
{
	unsigned int shift;

	if (i < BENCH_HIST_SUB)
		return i;
	shift = i / BENCH_HIST_SUB - 1;
	return ((uint64_t)(BENCH_HIST_SUB + i % BENCH_HIST_SUB) << shift) +
	       ((UINT64_C(1) << shift) >> 1);
}

uint64_t bench_hist_percentile(const struct bench_hist *h, double fraction)
{
	const uint64_t rank = (uint64_t)((double)h->nr * fraction);
	uint64_t seen = 0;

	if (!h->nr)
		return 0;
	for (unsigned int i = 0; i < BENCH_HIST_NR; i++) {
		seen += h->bucket[i];
		if (seen > rank) {
			const uint64_t v = value_of(i);

			return v < h->max_ns ? v : h->max_ns;
		}
	}
	return h->max_ns;
}
