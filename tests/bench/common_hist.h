/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hist.h - a log-linear histogram of nanoseconds: 64 buckets an octave, so that
 * any percentile is right to 1.6 %, from 1 ns to 18 minutes, in 18 KiB.
 */
#pragma once
#include <stdint.h>

#define BENCH_HIST_SUB_EXP 6
#define BENCH_HIST_SUB	   (1u << BENCH_HIST_SUB_EXP)
#define BENCH_HIST_MAX_EXP 40
#define BENCH_HIST_NR \
	((BENCH_HIST_MAX_EXP - BENCH_HIST_SUB_EXP + 1) * BENCH_HIST_SUB)

struct bench_hist {
	uint64_t nr;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t bucket[BENCH_HIST_NR];
};

static inline unsigned int bench_hist_index(uint64_t ns)
{
	unsigned int shift;

	if (ns >= UINT64_C(1) << BENCH_HIST_MAX_EXP)
		return BENCH_HIST_NR - 1;
	if (ns < BENCH_HIST_SUB)
		return (unsigned int)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - BENCH_HIST_SUB_EXP;
	/* ns >> shift is in [64, 128): the octave's own 64 steps */
	return shift * BENCH_HIST_SUB + (unsigned int)(ns >> shift);
}

static inline void bench_hist_add(struct bench_hist *h, uint64_t ns)
{
	h->nr++;
	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	h->bucket[bench_hist_index(ns)]++;
}

void bench_hist_reset(struct bench_hist *h);

/* The @fraction (0.5, 0.99 ...) percentile in ns; 0 if nothing was added. */
uint64_t bench_hist_percentile(const struct bench_hist *h, double fraction);
