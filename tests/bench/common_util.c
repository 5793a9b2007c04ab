/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_util.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void bench_util_die(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("iscsi_load: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(code);
}

void *bench_util_alloc(size_t n, size_t bytes)
{
	void *p = calloc(n ? n : 1, bytes);

	if (!p)
		bench_util_die(BENCH_FAILED, "out of memory (%zu x %zu bytes)",
			       n, bytes);
	return p;
}
