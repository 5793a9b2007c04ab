/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.h - drive connections with a workload: one thread, one epoll; each answer
 * starts the next command, and all that a receive caused is sent at once.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common_conn.h"
#include "common_hist.h"
#include "common_opts.h"
#include "common_proc.h"
#include "common_workload.h"

struct bench_result {
	double seconds;
	uint64_t nr_ops;
	uint64_t nr_reads;
	uint64_t nr_errors; /* SCSI status other than GOOD */
	uint64_t target_cpu_ns;
	uint64_t loader_cpu_ns;
	struct bench_machine machine;
	uint64_t conn_min_ops; /* the slowest connection's */
	uint64_t conn_max_ops;
	struct bench_hist latency;
};

struct bench_run {
	const struct bench_opts *opts;
	struct bench_conn *conns;
	unsigned int nr_conns;
	struct bench_workload workload;
	struct bench_proc target;

	int epoll_fd;
	uint64_t now; /* of the last receive */
	uint64_t last_done;
	bool measuring;
	bool stopping;
	unsigned int nr_active;
	struct bench_result result;
};

/* Open the connections, lay out the region.  Dies on failure. */
void bench_run_init(struct bench_run *r, const struct bench_opts *o);

/* Run what the options ask for; r->result holds the measured window. */
void bench_run_all(struct bench_run *r);

/* Log out, close, free. */
void bench_run_fini(struct bench_run *r);
