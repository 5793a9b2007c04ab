/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_idle.h"

#include <stdlib.h>
#include <time.h>

#include "common_conn.h"
#include "common_iscsi.h"
#include "common_proc.h"
#include "common_session.h"
#include "common_util.h"
#include "common_workload.h"

#define SETTLE_TRIES 20
#define SETTLE_NS    100000000	/* between two looks */
#define REST_NS	     1000000000 /* the idle CPU is measured over this */

static void pause_ns(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u),
				     .tv_nsec = (long)(ns % 1000000000u) };

	nanosleep(&ts, NULL);
}

/* A target may free buffers a moment later: wait until it stops shrinking. */
static uint64_t settled_rss(const struct bench_proc *p)
{
	uint64_t rss = bench_proc_rss_bytes(p);

	for (int i = 0; i < SETTLE_TRIES; i++) {
		uint64_t again;

		pause_ns(SETTLE_NS);
		again = bench_proc_rss_bytes(p);
		if (again >= rss)
			return again;
		rss = again;
	}
	return rss;
}

static void use(struct bench_conn *c, const struct bench_opts *o,
		const struct bench_disk *disk)
{
	uint8_t cdb[16], *buf = bench_util_alloc(1, o->block_bytes);

	if (o->block_bytes % disk->block_bytes ||
	    o->block_bytes / disk->block_bytes > disk->nr_blocks)
		bench_util_die(BENCH_USAGE, "--block does not fit the disk");
	bench_workload_cdb(cdb, false, 0,
			   (uint32_t)(o->block_bytes / disk->block_bytes));
	bench_iscsi_exec(c, cdb, buf, (uint32_t)o->block_bytes);
	free(buf);
}

void bench_idle_run(const struct bench_opts *o, struct bench_idle *idle)
{
	const unsigned int nr = (unsigned int)o->idle;
	struct bench_conn *conns = bench_util_alloc(nr, sizeof(*conns));
	struct bench_proc p = { .nr = 0 };
	uint64_t start, cpu;

	if (bench_proc_add(&p, o->pid))
		bench_util_die(BENCH_USAGE, "--pid %s: no such process",
			       o->pid);
	idle->nr_sessions = nr;
	idle->threads_before = bench_proc_threads(&p);
	idle->rss_before = bench_proc_rss_bytes(&p);

	start = bench_now_ns();
	for (unsigned int i = 0; i < nr; i++) {
		struct bench_disk disk;

		bench_session_open(&conns[i], o, i, 1, &disk);
		use(&conns[i], o, &disk);
	}
	idle->logins_per_s = nr / ((double)(bench_now_ns() - start) / 1e9);

	idle->rss_after = settled_rss(&p);
	idle->threads_after = bench_proc_threads(&p);
	cpu = bench_proc_cpu_ns(&p);
	start = bench_now_ns();
	pause_ns(REST_NS);
	idle->cpu_percent = 100.0 * (double)(bench_proc_cpu_ns(&p) - cpu) /
			    (double)(bench_now_ns() - start);

	for (unsigned int i = 0; i < nr; i++)
		bench_iscsi_logout(&conns[i]);
	free(conns);
}
