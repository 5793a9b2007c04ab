/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * workload.h - which block next, read or write, and is what came back right?
 *
 * The region is cut into slots of one block each.  In verify mode each slot
 * has a generation: its content is a function of seed, address and generation,
 * so a lost, misplaced, stale or torn write shows.  No two commands that
 * conflict are ever in flight on one slot, so what a read must return is known.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common_conn.h"

#define BENCH_SECTOR 512u

enum bench_phase {
	BENCH_PHASE_FILL,      /* write each slot once */
	BENCH_PHASE_RUN,       /* the mix that was asked for */
	BENCH_PHASE_READ_BACK, /* read each slot once */
};

struct bench_workload {
	/* Constant. */
	uint32_t block_bytes;
	uint32_t lba_bytes;    /* the target's logical block */
	uint64_t offset_bytes; /* where the region starts */
	uint64_t nr_slots;
	unsigned int read_percent;
	bool sequential;
	bool verify;
	uint64_t seed;

	enum bench_phase phase;
	uint64_t rng;
	uint64_t next;		  /* fill, read back: next slot */
	struct bench_slot *slots; /* verify only */
	uint8_t *fill;		  /* without verify: what writes carry */
	uint64_t nr_checked;
	uint64_t nr_corrupt;
};

/* @filled: the region holds generation 1, from an earlier run. */
void bench_workload_init(struct bench_workload *w, bool filled);
void bench_workload_fini(struct bench_workload *w);

void bench_workload_phase(struct bench_workload *w, enum bench_phase phase);

/* Choose what @task does next.  False: nothing to do (now, or in this phase). */
bool bench_workload_next(struct bench_workload *w, struct bench_conn *c,
			 struct bench_task *task);

/* @task ended with GOOD: check what it read, note what it wrote. */
void bench_workload_done(struct bench_workload *w, const struct bench_conn *c,
			 struct bench_task *task);

/* READ or WRITE, 10 or 16 bytes, as @lba and @nr_blocks need. */
void bench_workload_cdb(uint8_t cdb[16], bool write, uint64_t lba,
			uint32_t nr_blocks);
