/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/qos.h - limits of a logical unit: operations and bytes a second.
 *
 * They hold for the unit as a whole, over all reactors, sessions and front ends.
 * READ, WRITE, VERIFY, WRITE_SAME, WRITE_ZEROES, COMPARE_AND_WRITE, ORWRITE,
 * PREFETCH and COPY (of the unit that is written) count as one operation with their
 * bytes, UNMAP as one operation without any; FLUSH and BLOCK_STATUS do not count.
 *
 * What is over a limit waits on its reactor, in order of arrival.  How many may wait
 * is bounded by what the front ends take in: the command windows, and memory
 * (scsi/memory.c gives a unit less while it has some that wait).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "lu/bucket.h"
#include "reactor/timer.h"

struct lu;
struct lu_channel;
struct lu_io;

struct lu_qos_limits {			/* per second; 0: none */
	uint64_t iops_limit;
	uint64_t bw_limit;		/* bytes */
	/* At once, after a pause; 0: a tenth of the limit. */
	uint64_t iops_burst;
	uint64_t bw_burst;		/* bytes */
};

struct lu_qos {				/* embedded in struct lu */
	struct lu_bucket iops, bw;	/* any thread */
	struct lu_qos_limits limits;	/* control only */
};

struct lu_qos_queue {			/* embedded in a channel: its reactor only */
	bool limited;			/* any limit is set: look closer */
	struct list_head waiting;	/* struct lu_io; the first has paid */
	uint64_t start_ns;		/* when the first may start */
	uint64_t paid_iops_ns, paid_bw_ns;
	struct timer timer;		/* armed while any waits */
};

/*
 * Change the limits, also of what waits already.  -ENOMEM: nothing has changed.
 * Threads: control.
 */
int lu_qos_set(struct lu *lu, const struct lu_qos_limits *limits);
const struct lu_qos_limits *lu_qos_limits(const struct lu *lu);

/* --- lu/ only --- */

void lu_qos_init(struct lu_channel *ch);
/* True: @io waits for its turn, lu_io_go() will follow. */
bool lu_qos_holds(struct lu_io *io);
/* @io, which waits, will not come. */
void lu_qos_leave(struct lu_io *io);
