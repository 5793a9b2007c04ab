/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/bucket.h - a token bucket that all reactors draw from without a lock.
 *
 * It is the generic cell rate algorithm: the whole state is one number, the moment
 * at which the bucket will be full again if nothing more is taken (the theoretical
 * arrival time).  Taking n tokens moves it n / rate into the future.  Whoever asks
 * is told when it may start, and has paid then: askers are served in the order of
 * asking, and nobody starves.
 *
 * In t seconds no more is started than burst + rate * t; a single request of more
 * than burst starts when the bucket is full, and then leaves a debt.
 *
 * Threads: any.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/* Timers wake to the millisecond, so a burst is never less than what the rate makes
 * in this time. */
#define LU_BUCKET_BURST_MIN_NS	4000000ULL
#define LU_BUCKET_BURST_DEFAULT	10U	/* burst 0: that part of the rate */

struct lu_bucket {			/* zeroed: no limit */
	_Atomic uint64_t rate;		/* tokens a second; 0: no limit */
	_Atomic uint64_t burst_ns;	/* the time in which an empty one fills */
	_Atomic uint64_t full_at_ns;
};

/*
 * Change rate and burst (tokens).  The fill is kept: neither does a change make a
 * burst, nor does a debt outlive it.  @now_ns is of CLOCK_MONOTONIC, here and below.
 */
void lu_bucket_set(struct lu_bucket *b, uint64_t rate, uint64_t burst, uint64_t now_ns);

/* Take @tokens; the moment, @now_ns or later, at which who took them may start.
 * *ret_paid_ns is for giving them back. */
uint64_t lu_bucket_take(struct lu_bucket *b, uint64_t tokens, uint64_t now_ns,
			uint64_t *ret_paid_ns);

/* It did not start after all. */
void lu_bucket_give_back(struct lu_bucket *b, uint64_t paid_ns);
