/* SPDX-License-Identifier: BSD-3-Clause */
/* proc.h - what a target costs: CPU time, memory and threads of its processes. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

#define BENCH_PROC_MAX 64

struct bench_proc { /* the processes that are watched */
	pid_t pid[BENCH_PROC_MAX];
	unsigned int nr;
};

/* Add "123" or "123,456" and all their children.  Errors: -EINVAL, -ESRCH, -E2BIG. */
int bench_proc_add(struct bench_proc *p, const char *pids);

/*
 * CPU time used so far by all threads, those that ended included.  It is the
 * scheduler's own nanosecond count (the first field of
 * /proc/PID/task/TID/schedstat), read through the process's CPU clock, which
 * also brings the running threads up to date.  0 if a process is gone.
 */
uint64_t bench_proc_cpu_ns(const struct bench_proc *p);

struct bench_machine {	   /* since boot, in the kernel's 10 ms ticks */
	uint64_t busy_ns;  /* all processes and interrupts */
	uint64_t steal_ns; /* a hypervisor ran somebody else */
};

/*
 * What is busy beyond the target and oneself, and what was stolen, disturbs a
 * measurement.
 */
struct bench_machine bench_proc_machine(void);

/* Resident memory, exact: from smaps_rollup, not from the batched counters. */
uint64_t bench_proc_rss_bytes(const struct bench_proc *p);

unsigned int bench_proc_threads(const struct bench_proc *p);
