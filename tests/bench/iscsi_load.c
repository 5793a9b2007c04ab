/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi_load - a load generator for iSCSI targets that costs little itself and
 * measures what the target costs: commands per second, latency percentiles, CPU
 * per command, memory and threads per session.  It also checks data.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common_idle.h"
#include "common_opts.h"
#include "common_run.h"
#include "common_util.h"

#define SPARE_FDS 64

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

/* What others took of the CPUs; only known if the target's is (--pid). */
static double others_percent(const struct bench_run *r, double seconds)
{
	const struct bench_result *res = &r->result;
	const double others = (double)res->machine.busy_ns -
			      (double)res->target_cpu_ns -
			      (double)res->loader_cpu_ns;

	return r->opts->pid && others > 0 ? others / seconds / 1e7 : 0;
}

static void print_run(const struct bench_run *r)
{
	const struct bench_result *res = &r->result;
	const struct bench_opts *o = r->opts;
	const double n = res->nr_ops ? (double)res->nr_ops : 1;
	const double s = res->seconds > 0 ? res->seconds : 1;
	const struct {
		const char *key, *unit;
		double value;
		int digits;
	} rows[] = {
		{ "iops", "commands/s", (double)res->nr_ops / s, 0 },
		{ "mbps", "MB/s",
		  (double)res->nr_ops * (double)o->block_bytes / s / 1e6, 1 },
		{ "cpu_us", "us target CPU/command", us(res->target_cpu_ns) / n,
		  3 },
		{ "cpu_percent", "% target CPU",
		  (double)res->target_cpu_ns / s / 1e7, 1 },
		{ "loader_percent", "% own CPU",
		  (double)res->loader_cpu_ns / s / 1e7, 1 },
		{ "loader_us", "us own CPU/command", us(res->loader_cpu_ns) / n,
		  3 },
		{ "others_percent", "% CPU of others", others_percent(r, s),
		  1 },
		{ "steal_percent", "% CPU stolen",
		  (double)res->machine.steal_ns / s / 1e7, 1 },
		{ "mean_us", "us mean", us(res->latency.sum_ns) / n, 1 },
		{ "p50_us", "us p50",
		  us(bench_hist_percentile(&res->latency, 0.5)), 1 },
		{ "p90_us", "us p90",
		  us(bench_hist_percentile(&res->latency, 0.9)), 1 },
		{ "p99_us", "us p99",
		  us(bench_hist_percentile(&res->latency, 0.99)), 1 },
		{ "p999_us", "us p99.9",
		  us(bench_hist_percentile(&res->latency, 0.999)), 1 },
		{ "max_us", "us max", us(res->latency.max_ns), 1 },
		{ "conn_min_iops", "slowest connection",
		  (double)res->conn_min_ops / s, 0 },
		{ "conn_max_iops", "fastest connection",
		  (double)res->conn_max_ops / s, 0 },
	};

	if (o->json)
		printf("{\"label\":\"%s\",\"conns\":%u,\"depth\":%" PRIu64
		       ",\"block\":%" PRIu64 ",\"read_percent\":%" PRIu64
		       ",\"sequential\":%s,\"poll\":%s"
		       ",\"seconds\":%.3f,\"ops\":%" PRIu64
		       ",\"reads\":%" PRIu64,
		       o->label, r->nr_conns, o->depth, o->block_bytes,
		       o->read_percent, o->sequential ? "true" : "false",
		       o->poll ? "true" : "false", res->seconds, res->nr_ops,
		       res->nr_reads);
	else
		printf("%s:", o->label);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && res->nr_ops; i++) {
		if (o->json)
			printf(",\"%s\":%.*f", rows[i].key, rows[i].digits,
			       rows[i].value);
		else
			printf("%s %.*f %s", i ? "," : "", rows[i].digits,
			       rows[i].value, rows[i].unit);
	}
	printf(o->json ? ",\"errors\":%" PRIu64 ",\"checked\":%" PRIu64
			 ",\"corrupt\":%" PRIu64 "}\n" :
			 " - %" PRIu64 " errors, %" PRIu64
			 " blocks checked, %" PRIu64 " wrong\n",
	       res->nr_errors, r->workload.nr_checked, r->workload.nr_corrupt);
}

static void print_idle(const struct bench_opts *o,
		       const struct bench_idle *idle)
{
	const double growth =
		(double)idle->rss_after - (double)idle->rss_before;

	printf(o->json ?
		       "{\"label\":\"%s\",\"sessions\":%u,\"threads_before\":%u,\"threads_after\":%u,"
		       "\"rss_before\":%" PRIu64 ",\"rss_after\":%" PRIu64
		       ",\"kib_per_session\":%.2f,"
		       "\"logins_per_s\":%.0f,\"idle_cpu_percent\":%.3f}\n" :
		       "%s: %u sessions, threads %u -> %u, resident %" PRIu64
		       " -> %" PRIu64
		       " bytes, %.2f KiB per session, %.0f logins/s, %.3f %% CPU at rest\n",
	       o->label, idle->nr_sessions, idle->threads_before,
	       idle->threads_after, idle->rss_before, idle->rss_after,
	       growth / 1024 / idle->nr_sessions, idle->logins_per_s,
	       idle->cpu_percent);
}

/* A connection is a file; the usual soft limit is 1,024. */
static void raise_fd_limit(uint64_t nr_conns)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) ||
	    rl.rlim_cur >= nr_conns + SPARE_FDS)
		return;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur < nr_conns + SPARE_FDS)
		bench_util_die(BENCH_USAGE,
			       "%" PRIu64
			       " connections are more than ulimit -n",
			       nr_conns);
}

int main(int argc, char **argv)
{
	static struct bench_run run;
	struct bench_opts opts;

	bench_opts_parse(&opts, argc, argv);
	raise_fd_limit(opts.idle ? opts.idle : opts.nr_conns);
	if (opts.idle) {
		struct bench_idle idle;

		bench_idle_run(&opts, &idle);
		print_idle(&opts, &idle);
		return BENCH_OK;
	}
	bench_run_init(&run, &opts);
	bench_run_all(&run);
	bench_run_fini(&run);
	print_run(&run);
	if (run.workload.nr_corrupt)
		return BENCH_CORRUPT;
	return run.result.nr_errors ? BENCH_FAILED : BENCH_OK;
}
