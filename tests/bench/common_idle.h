/* SPDX-License-Identifier: BSD-3-Clause */
/* idle.h - what a session costs that does nothing. */
#pragma once
#include <stdint.h>

#include "common_opts.h"

struct bench_idle {
	unsigned int nr_sessions;
	unsigned int threads_before;
	unsigned int threads_after;
	uint64_t rss_before;
	uint64_t rss_after;
	double logins_per_s;
	double cpu_percent; /* of one CPU, while all are idle */
};

/*
 * Open o->idle sessions; each does a few commands, so that what a target
 * allocates on first use is there; let them rest, measure, log out.
 */
void bench_idle_run(const struct bench_opts *o, struct bench_idle *idle);
