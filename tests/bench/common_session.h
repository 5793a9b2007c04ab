/* SPDX-License-Identifier: BSD-3-Clause */
/* session.h - open session number @index as the options say, ready for commands. */
#pragma once
#include "common_conn.h"
#include "common_opts.h"

struct bench_disk {
	uint64_t nr_blocks;
	uint32_t block_bytes;
};

/*
 * Connect, log in, wait out unit attentions, read the capacity.  With --floor:
 * connect.  Dies on failure.
 */
void bench_session_open(struct bench_conn *c, const struct bench_opts *o,
			unsigned int index, unsigned int depth,
			struct bench_disk *disk);
