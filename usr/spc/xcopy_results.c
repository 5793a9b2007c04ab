/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/xcopy_results.c - what became of third-party copies: the service actions of
 * RECEIVE COPY RESULTS (84h), SPC-4 r37 6.16 to 6.21, 6.24.
 *
 * A record stays until newer ones need its place; what is answered does not
 * discard it, but for failure details, as 6.18 demands.
 */
#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "spc/spc.h"
#include "spc/xcopy.h"

#define ROD_TOKEN_MAX	512
#define UNITS_BLOCKS	0xf1	/* TRANSFER COUNT UNITS, table 246 */

/* LIST IDENTIFIER: byte 2, or bytes 2 to 5. */
static struct scsi_copy *find_1(const struct scsi_task *t)
{
	return scsi_copy_find(t->itl, t->cdb[2]);
}

static struct scsi_copy *find_4(const struct scsi_task *t)
{
	return scsi_copy_find(t->itl, (uint32_t)be_load(t->cdb + 2, 4));
}

/* RECEIVE COPY STATUS(LID1), 6.21. */
enum scsi_status spc_xcopy_results_status(struct scsi_task *t)
{
	const struct scsi_copy *c = find_1(t);
	uint8_t d[12] = { [3] = 0x08 };
	uint64_t n;

	if (!c)
		return scsi_task_fail_cdb(t, 2, -1);
	d[4] = c->run ? 0x00 : c->state == SCSI_COPY_DONE ? 0x01 : 0x02;
	be_store(d + 5, 2, c->done_segments);
	/* In bytes, KiB, MiB... as it fits. */
	for (n = scsi_copy_progress(c); n > UINT32_MAX; n >>= 10)
		d[7]++;
	be_store(d + 8, 4, n);
	return scsi_task_reply(t, d, sizeof(d));
}

/* RECEIVE COPY DATA(LID1), 6.17: nothing is ever held. */
enum scsi_status spc_xcopy_results_data(struct scsi_task *t)
{
	static const uint8_t d[4];

	return find_1(t) ? scsi_task_reply(t, d, sizeof(d)) : scsi_task_fail_cdb(t, 2, -1);
}

/* RECEIVE COPY OPERATING PARAMETERS, 6.19. */
enum scsi_status spc_xcopy_results_parameters(struct scsi_task *t)
{
	uint8_t d[47] = { 0 };

	be_store(d, 4, sizeof(d) - 4);
	d[4] = 0x01;			/* SNLID: LIST ID USAGE 11b */
	be_store(d + 8, 2, SPC_XCOPY_CSCDS_MAX);
	be_store(d + 10, 2, SPC_XCOPY_SEGMENTS_MAX);
	be_store(d + 12, 4, SPC_XCOPY_LIST_MAX);
	be_store(d + 16, 4, SPC_XCOPY_SEGMENT_BYTES_MAX);
	be_store(d + 34, 2, SCSI_COPY_RUNNING_MAX);
	d[36] = SCSI_COPY_RECORDS_MAX;
	d[37] = 9;			/* DATA SEGMENT GRANULARITY: 512 bytes */
	d[43] = 3;
	d[44] = SPC_XCOPY_BLOCK_TO_BLOCK;
	d[45] = SPC_XCOPY_BYTES_TO_BYTES;
	d[46] = SPC_XCOPY_CSCD_ID;
	return scsi_task_reply(t, d, sizeof(d));
}

/* RECEIVE COPY FAILURE DETAILS(LID1), 6.18. */
enum scsi_status spc_xcopy_results_failure(struct scsi_task *t)
{
	struct scsi_copy *c = find_1(t);
	uint8_t d[60 + SCSI_SENSE_MAX] = { 0 };
	size_t n = 4;
	enum scsi_status status;

	if (!c || c->run)
		return scsi_task_fail_cdb(t, 2, -1);
	if (c->status != SCSI_GOOD) {
		n = 60U + c->sense_bytes;
		be_store(d, 4, n - 4);
		d[56] = (uint8_t)c->status;
		be_store(d + 58, 2, c->sense_bytes);
		memcpy(d + 60, c->sense, c->sense_bytes);
	}
	status = scsi_task_reply(t, d, n);
	if (status == SCSI_GOOD)
		scsi_copy_drop(c);
	return status;
}

/* The header that both of the following have, tables 245 and 254. */
static size_t put_header(uint8_t *d, const struct scsi_copy *c)
{
	const uint64_t bytes = scsi_copy_progress(c);
	size_t n = 32;

	d[4] = c->sa;
	d[5] = (uint8_t)c->state;
	be_store(d + 8, 4, c->run ? 500 : 0xffffffff);	/* ask again in ms; table 247 */
	if (!c->run) {
		d[12] = (uint8_t)c->status;
		d[13] = d[14] = c->sense_bytes;
		memcpy(d + n, c->sense, c->sense_bytes);
		n += c->sense_bytes;
	}
	if (c->sa == SPC_XCOPY_LID1 || c->sa == SPC_XCOPY_LID4) {
		be_store(d + 16, 8, bytes);
	} else {
		d[15] = UNITS_BLOCKS;
		be_store(d + 16, 8, bytes / c->block_bytes);
	}
	be_store(d + 24, 2, c->done_segments);
	return n;
}

/* RECEIVE COPY STATUS(LID4), 6.20. */
enum scsi_status spc_xcopy_results_status_4(struct scsi_task *t)
{
	const struct scsi_copy *c = find_4(t);
	uint8_t d[32 + SCSI_SENSE_MAX] = { 0 };
	size_t n;

	if (!c)
		return scsi_task_fail_cdb(t, 2, -1);
	n = put_header(d, c);
	be_store(d, 4, n - 4);
	return scsi_task_reply(t, d, n);
}

/* RECEIVE ROD TOKEN INFORMATION, 6.24: with the token that it made. */
enum scsi_status spc_xcopy_results_rod(struct scsi_task *t)
{
	const struct scsi_copy *c = find_4(t);
	uint8_t d[32 + SCSI_SENSE_MAX + 4 + 2 + ROD_TOKEN_MAX] = { 0 };
	size_t n;

	if (!c)
		return scsi_task_fail_cdb(t, 2, -1);
	n = put_header(d, c);
	if (c->result) {
		be_store(d + n, 4, 2U + c->result_bytes);
		memcpy(d + n + 6, c->result, MIN(c->result_bytes, ROD_TOKEN_MAX));
		n += 2U + c->result_bytes;
	}
	n += 4;
	be_store(d, 4, n - 4);
	return scsi_task_reply(t, d, n);
}

/* --- the table --- */

#define LIST_1	[2] = 0xff
#define LIST_4	[2] = 0xff, 0xff, 0xff, 0xff
#define LENGTH	[10] = 0xff, 0xff, 0xff, 0xff
#define SENDS	.data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BYTES, .len = { 10, 4 }, \
		.pr = SCSI_PR_CONFLICTS, .has_sa = true, .cdb_bytes = 16, \
		.opcode = 0x83, .timeout_s = 600
#define ASKS	.data = SCSI_DATA_IN, .unit = SCSI_UNIT_BYTES, .len = { 10, 4 }, \
		.pr = SCSI_PR_ALWAYS, .has_sa = true, .cdb_bytes = 16, \
		.opcode = 0x84, .timeout_s = 10, .flags = SCSI_CMD_NO_MEDIUM

const struct scsi_command spc_copy_commands[] = {
	{ .name = "EXTENDED COPY(LID1)", SENDS, .sa = 0x00,		/* 6.5 */
	  .parse = spc_xcopy_parse, .run = spc_xcopy_lid1,
	  .usage = { 0x83, 0x00, LENGTH } },
	{ .name = "EXTENDED COPY(LID4)", SENDS, .sa = 0x01,		/* 6.4 */
	  .parse = spc_xcopy_parse, .run = spc_xcopy_lid4,
	  .usage = { 0x83, 0x01, LENGTH } },
	{ .name = "COPY OPERATION ABORT", .opcode = 0x83,		/* 6.3 */
	  .has_sa = true, .sa = 0x1c, .cdb_bytes = 16, .run = spc_xcopy_abort,
	  .pr = SCSI_PR_CONFLICTS, .flags = SCSI_CMD_NO_MEDIUM, .timeout_s = 10,
	  .usage = { 0x83, 0x1c, LIST_4 } },
	{ .name = "RECEIVE COPY STATUS(LID1)", ASKS, .sa = 0x00,	/* 6.21 */
	  .run = spc_xcopy_results_status, .usage = { 0x84, 0x00, LIST_1, LENGTH } },
	{ .name = "RECEIVE COPY DATA(LID1)", ASKS, .sa = 0x01,		/* 6.17 */
	  .run = spc_xcopy_results_data, .usage = { 0x84, 0x01, LIST_1, LENGTH } },
	{ .name = "RECEIVE COPY OPERATING PARAMETERS", ASKS, .sa = 0x03, /* 6.19 */
	  .run = spc_xcopy_results_parameters, .usage = { 0x84, 0x03, LENGTH } },
	{ .name = "RECEIVE COPY FAILURE DETAILS(LID1)", ASKS, .sa = 0x04, /* 6.18 */
	  .run = spc_xcopy_results_failure, .usage = { 0x84, 0x04, LIST_1, LENGTH } },
	{ .name = "RECEIVE COPY STATUS(LID4)", ASKS, .sa = 0x05,	/* 6.20 */
	  .run = spc_xcopy_results_status_4, .usage = { 0x84, 0x05, LIST_4, LENGTH } },
	{ .name = "RECEIVE ROD TOKEN INFORMATION", ASKS, .sa = 0x07,	/* 6.24 */
	  .run = spc_xcopy_results_rod, .usage = { 0x84, 0x07, LIST_4, LENGTH } },
};
const size_t spc_nr_copy_commands = ARRAY_SIZE(spc_copy_commands);
