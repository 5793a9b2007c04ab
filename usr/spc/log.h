/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/log.h - log pages as rows of parameters, SPC-4 r37 7.3. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lu/stats.h"

struct scsi_task;

#define SPC_LOG_BODY_MAX	512	/* parameters of a page */

struct spc_log {
	const struct scsi_task *task;
	const struct lu_stats *usage;	/* where the page has .usage */
	uint16_t from;			/* PARAMETER POINTER */
	unsigned int nr;		/* parameters that were asked for */
	size_t bytes;
	uint8_t d[SPC_LOG_BODY_MAX];
};

struct spc_log_page {
	uint8_t code;
	bool usage;			/* its parameters are of scsi_usage_collect() */
	void (*fill)(struct spc_log *log);
};

/* Sorted. */
extern const struct spc_log_page spc_log_pages[];
extern const size_t spc_log_nr_pages;

/* Add a parameter, in ascending order of @code; those before the pointer are left
 * out.  A list is what it is; counters have no thresholds, and begin at 0: that is what
 * PAGE CONTROL shows other than the cumulative values. */
void spc_log_put(struct spc_log *log, uint16_t code, const void *value, uint8_t bytes);
void spc_log_put_counters(struct spc_log *log, uint16_t code, const void *value, uint8_t bytes);
