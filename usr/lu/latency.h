/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/latency.h - how long operations of a logical unit take.
 *
 * Measured from lu_io_submit() to done(), that is: waiting for a limit (lu/qos.h) or
 * for a range lock, and the store; not the network, nor the collecting of Data-Out.
 * Whatever the outcome counts, except what was cancelled.  The clock is that of the
 * stage of the reactor's turn (reactor_clock_ns()).
 *
 * Each reactor writes histograms of its own.  They belong to the unit and not to the
 * channel, so that they outlive the sessions.
 */
#pragma once
#include <stdint.h>
#include "base/histogram.h"

struct lu;
struct lu_channel;

enum lu_latency_kind {
	LU_LATENCY_READ,
	LU_LATENCY_WRITE,
	LU_LATENCY_FLUSH,
	LU_LATENCY_UNMAP,
	LU_LATENCY_OTHER,	/* WRITE_ZEROES, WRITE_SAME, VERIFY, COMPARE_AND_WRITE,
				 * BLOCK_STATUS, COPY, ... */
	LU_LATENCY_NR_KINDS
};

extern const char *const lu_latency_names[LU_LATENCY_NR_KINDS];

/* Of one reactor; each is made when its first operation ends. */
struct lu_latency {
	struct histogram *_Atomic of[LU_LATENCY_NR_KINDS];
};

/* The sum over all reactors, added to @sum.  Threads: any that has a reference. */
void lu_latency_sum(const struct lu *lu, enum lu_latency_kind kind,
		    struct histogram *sum);

/* --- lu/ only --- */

/* For this many reactors, and control.  -ENOMEM. */
int lu_latency_init(struct lu *lu, unsigned int reactors);
void lu_latency_fini(struct lu *lu);
/* The part of the calling reactor. */
struct lu_latency *lu_latency_here(struct lu *lu);
/* @op: enum lu_op. */
void lu_latency_add(struct lu_channel *ch, unsigned int op, uint64_t ns);
