/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/log_pages.c - the log pages of devices with a medium, SPC-4 r37 7.3. */
#include <stdlib.h>
#include "base/be.h"
#include "base/histogram.h"
#include "base/macros.h"
#include "lu/latency.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "scsi/task.h"
#include "spc/log.h"

#define NO_TEMPERATURE	0xff	/* "not able to return it" */

/* Temperature, 7.3.21. */
static void fill_temperature(struct spc_log *log)
{
	static const uint8_t value[2] = { 0, NO_TEMPERATURE };

	spc_log_put(log, 0x0000, value, sizeof(value));
}

/* General statistics and performance, 7.3.6: what was done since the logical unit was
 * made.  Times are those of lu/latency.h: how long reads and writes were with the limits,
 * the locks and the store.  How long nobody wanted anything is not kept; nor are there
 * command priorities to weigh by. */
struct general_access {
	be64 read_commands, write_commands;
	be64 blocks_written;		/* "received" */
	be64 blocks_read;		/* "transmitted" */
	be64 read_intervals, write_intervals;
	be64 weighted_commands, weighted_intervals;
};
static_assert(sizeof(struct general_access) == 0x40, "SPC-4 r37 table 377");

struct time_interval {
	be32 exponent;			/* of 10, negative */
	be32 integer;
};

static be64 spent(const struct spc_log *log, enum lu_latency_kind kind)
{
	struct histogram h = { 0 };

	lu_latency_sum(log->task->dev->lu, kind, &h);
	return be64_make(atomic_load(&h.sum_ns));
}

static void fill_statistics(struct spc_log *log)
{
	const struct lu_geometry *g = lu_geometry(log->task->dev->lu);
	const struct lu_stats *u = log->usage;
	const struct general_access value = {
		.read_commands = be64_make(atomic_load(&u->rd_done_cmds)),
		.write_commands = be64_make(atomic_load(&u->wr_done_cmds)),
		.blocks_written = be64_make(atomic_load(&u->wr_done_bytes) >> g->block_exp),
		.blocks_read = be64_make(atomic_load(&u->rd_done_bytes) >> g->block_exp),
		.read_intervals = spent(log, LU_LATENCY_READ),
		.write_intervals = spent(log, LU_LATENCY_WRITE),
	};
	const struct time_interval ns = {
		.exponent = be32_make(9), .integer = be32_make(1),
	};
	static const uint8_t idle[8];

	spc_log_put_counters(log, 0x0001, &value, sizeof(value));
	spc_log_put_counters(log, 0x0002, idle, sizeof(idle));
	spc_log_put(log, 0x0003, &ns, sizeof(ns));
}

/* Informational exceptions, 7.3.11: none (MODE page 1Ch has DEXCPT). */
static void fill_exceptions(struct spc_log *log)
{
	static const uint8_t value[4] = { 0x00, 0x00, NO_TEMPERATURE, 0 };

	spc_log_put(log, 0x0000, value, sizeof(value));
}

const struct spc_log_page spc_log_pages[] = {
	{ .code = 0x0d, .fill = fill_temperature },
	{ .code = 0x19, .usage = true, .fill = fill_statistics },
	{ .code = 0x2f, .fill = fill_exceptions },
};
const size_t spc_log_nr_pages = ARRAY_SIZE(spc_log_pages);
