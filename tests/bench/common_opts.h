/* SPDX-License-Identifier: BSD-3-Clause */
/* opts.h - the command line of iscsi_load; one table parses and documents it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_opts {
	const char *portal;
	const char *target;
	const char *initiator;
	const char *label;
	const char *pid;
	uint64_t nr_targets;
	uint64_t lun;
	uint64_t nr_luns;
	uint64_t nr_conns;
	uint64_t depth;
	uint64_t block_bytes;
	uint64_t read_percent;
	uint64_t offset_bytes;
	uint64_t region_bytes;
	uint64_t seed;
	uint64_t idle;
	uint64_t max_recv_bytes;
	uint64_t first_burst_bytes;
	uint64_t max_burst_bytes;
	uint64_t max_r2t;
	double time_s;
	double warmup_s;
	bool sequential;
	bool each_lun;
	bool verify;
	bool fill_only;
	bool filled;
	bool floor;
	bool poll;
	bool json;
	bool no_immediate;
	bool initial_r2t;
	bool header_digest;
	bool data_digest;
};

/* Parse and check; exits with a message, or for --help. */
void bench_opts_parse(struct bench_opts *o, int argc, char **argv);

/* Session @index's target: "%d" in the name becomes 1 ... nr_targets. */
void bench_opts_target(const struct bench_opts *o, unsigned int index,
		       char *buf, size_t bytes);
unsigned int bench_opts_lun(const struct bench_opts *o, unsigned int index);
