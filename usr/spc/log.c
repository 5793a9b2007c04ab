/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/log.c - LOG SENSE, SPC-4 r37 6.8.
 *
 * Parameters are lists, for which PAGE CONTROL makes no difference, or unbounded data
 * counters, which have no thresholds (7.3.2.2.2).  Nothing can be saved or changed:
 * there is no LOG SELECT.
 */
#include "spc/log.h"

#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "scsi/task.h"
#include "scsi/usage.h"
#include "spc/handlers.h"

#define PAGE_SUPPORTED	0x00
#define ALL_SUBPAGES	0xff
#define SPF		0x40	/* byte 0: byte 1 has a subpage code */
#define BINARY_LIST	0x03	/* parameter control byte, tables 356 and 354 */
#define COUNTERS	0x22	/* TSD, unbounded */
#define CUMULATIVE	0x40	/* PAGE CONTROL 01b */
#define HEADER		4

static void put(struct spc_log *log, uint16_t code, uint8_t control, const void *value,
		uint8_t bytes)
{
	uint8_t *p = log->d + log->bytes;

	if (code < log->from)
		return;
	assert(log->bytes + 4 + bytes <= sizeof(log->d));
	be_store(p, 2, code);
	p[2] = control;
	p[3] = bytes;
	memcpy(p + 4, value, bytes);
	log->bytes += 4U + bytes;
	log->nr++;
}

void spc_log_put(struct spc_log *log, uint16_t code, const void *value, uint8_t bytes)
{
	put(log, code, BINARY_LIST, value, bytes);
}

void spc_log_put_counters(struct spc_log *log, uint16_t code, const void *value, uint8_t bytes)
{
	static const uint8_t zero[UINT8_MAX];

	put(log, code, COUNTERS, (log->task->cdb[2] & 0xc0) == CUMULATIVE ? value : zero, bytes);
}

static const struct spc_log_page *find(uint8_t code)
{
	for (size_t i = 0; i < spc_log_nr_pages; i++)
		if (spc_log_pages[i].code == code)
			return &spc_log_pages[i];
	return NULL;
}

static enum scsi_status reply(struct scsi_task *t, uint8_t code, uint8_t subcode,
			      const void *body, size_t bytes)
{
	uint8_t d[HEADER + SPC_LOG_BODY_MAX];

	d[0] = code | (subcode ? SPF : 0);
	d[1] = subcode;
	be_store(d + 2, 2, bytes);
	memcpy(d + HEADER, body, bytes);
	return scsi_task_reply(t, d, HEADER + bytes);
}

/* Supported log pages, 7.3.19, and with their subpages, 7.3.20: of all pages, or
 * (subpage FFh of a page) of one. */
static enum scsi_status report_supported(struct scsi_task *t, uint8_t code, bool subpages)
{
	uint8_t d[SPC_LOG_BODY_MAX];
	size_t n = 0;

	if (code == PAGE_SUPPORTED) {
		d[n++] = PAGE_SUPPORTED;
		if (subpages) {
			d[n++] = 0x00;
			d[n++] = PAGE_SUPPORTED;
			d[n++] = ALL_SUBPAGES;
		}
	}
	for (size_t i = 0; i < spc_log_nr_pages; i++) {
		if (code != PAGE_SUPPORTED && code != spc_log_pages[i].code)
			continue;
		d[n++] = spc_log_pages[i].code;
		if (subpages)
			d[n++] = 0x00;
		if (subpages && code != PAGE_SUPPORTED) {
			d[n++] = code;
			d[n++] = ALL_SUBPAGES;
		}
	}
	return reply(t, code, subpages ? ALL_SUBPAGES : 0x00, d, n);
}

static enum scsi_status report_page(struct scsi_task *t, const struct lu_stats *usage)
{
	const struct spc_log_page *page = find(t->cdb[2] & 0x3f);
	struct spc_log log = { .task = t, .usage = usage,
			       .from = (uint16_t)be_load(t->cdb + 5, 2) };

	page->fill(&log);
	if (!log.nr)		/* the pointer is beyond the last */
		return scsi_task_fail_cdb(t, 5, -1);
	return reply(t, page->code, 0, log.d, log.bytes);
}

static void collected(void *arg, const struct lu_stats *sum)
{
	struct scsi_task *t = arg;

	if (!t->aborted && t->state != SCSI_TASK_DONE)
		scsi_task_complete(t, report_page(t, sum));
	scsi_task_put(t);
}

enum scsi_status spc_log_sense(struct scsi_task *t)
{
	const uint8_t code = t->cdb[2] & 0x3f, subcode = t->cdb[3];
	const struct spc_log_page *page = find(code);

	if (code != PAGE_SUPPORTED && !page)
		return scsi_task_fail_cdb(t, 2, 5);
	if (subcode && subcode != ALL_SUBPAGES)
		return scsi_task_fail_cdb(t, 3, -1);
	if (code == PAGE_SUPPORTED || subcode) {
		if (be_load(t->cdb + 5, 2))	/* pages without parameters */
			return scsi_task_fail_cdb(t, 5, -1);
		return report_supported(t, code, subcode);
	}
	if (!page->usage)
		return report_page(t, NULL);
	scsi_task_get(t);
	if (scsi_usage_collect(t->dev, collected, t) < 0) {
		scsi_task_put(t);
		return SCSI_BUSY;
	}
	return SCSI_PENDING;
}
