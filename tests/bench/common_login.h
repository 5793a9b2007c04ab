/* SPDX-License-Identifier: BSD-3-Clause */
/* login.h - from a connected socket to the full feature phase, without CHAP. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common_conn.h"

struct bench_login { /* what the initiator offers */
	const char *initiator;
	const char *target;
	uint64_t max_recv_bytes;
	uint64_t first_burst_bytes;
	uint64_t max_burst_bytes;
	uint64_t max_r2t;
	bool immediate_data;
	bool initial_r2t;
	bool header_digest;
	bool data_digest;
};

/* Negotiate; dies with the target's reason if it refuses.  Sets c->terms. */
void bench_login_run(struct bench_conn *c, const struct bench_login *login);
