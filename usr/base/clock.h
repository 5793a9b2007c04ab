/* SPDX-License-Identifier: BSD-3-Clause */
/* base/clock.h - monotonic time. */
#pragma once
#include <stdint.h>
#include <time.h>

#define NS_PER_SEC	1000000000ULL
#define NS_PER_MS	1000000ULL
#define NS_PER_US	1000ULL

/* Nanoseconds of CLOCK_MONOTONIC.  Any thread. */
static inline uint64_t clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}
