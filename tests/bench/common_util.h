/* SPDX-License-Identifier: BSD-3-Clause */
/* util.h - what every file of the benchmark uses: clock, memory, a way out. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))

/* Exit codes of the load generator; bench.sh tells them apart. */
enum {
	BENCH_OK = 0,
	BENCH_USAGE = 1,
	BENCH_FAILED = 2,  /* protocol or SCSI error, no answer */
	BENCH_CORRUPT = 3, /* the target returned wrong data */
};

static inline uint64_t bench_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Print "iscsi_load: <text>" and exit with @code.  Sockets close with us. */
_Noreturn void bench_util_die(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Zeroed memory, or no return: a load generator has no plan B. */
void *bench_util_alloc(size_t n, size_t bytes);
