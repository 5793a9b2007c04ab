/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/commands.c - the table of block commands, SBC-3 r36 clause 5, and the disk
 * device type.
 *
 * Sorted by opcode and service action.  usage[] has the bits that we accept:
 *	DPO		advice that we need not take
 *	FUA, FUA_NV	(the latter obsolete since SBC-3: the same to us)
 *	SYNC_NV, IMMED	of SYNCHRONIZE CACHE: we always do all of it, at once
 *	GROUP NUMBER	accepted and without effect: no grouping function (4.22)
 * and has not: RDPROTECT, WRPROTECT, VRPROTECT (no protection information), RELADR.
 *
 * There are no commands of 32 bytes: READ(32) and its like are for protection of
 * type 2 only (SBC-4 r22 4.21.2.4), which we do not have.
 */
#include "sbc/sbc.h"

#include "base/macros.h"
#include "sbc/handlers.h"
#include "spc/state.h"

#define GROUP	0x1f
#define DPO_FUA	0x1a
#define DPO	0x10

#define READS_BLOCKS	.data = SCSI_DATA_IN, .unit = SCSI_UNIT_BLOCKS, \
			.pr = SCSI_PR_READS, .flags = SCSI_CMD_RANGE
#define WRITES_BLOCKS	.data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BLOCKS, \
			.pr = SCSI_PR_WRITES, \
			.flags = SCSI_CMD_RANGE | SCSI_CMD_WRITES

/* LOGICAL BLOCK ADDRESS and a length field, by the length of the CDB. */
#define LBA_10		.lba = { 2, 4 }, .len = { 7, 2 }
#define LBA_12		.lba = { 2, 4 }, .len = { 6, 4 }
#define LBA_16		.lba = { 2, 8 }, .len = { 10, 4 }
#define USAGE_10	[2] = 0xff, 0xff, 0xff, 0xff, GROUP, 0xff, 0xff
#define USAGE_12	[2] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, GROUP
#define USAGE_16	[2] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, \
			      0xff, 0xff, 0xff, 0xff, GROUP

#define BLOCK_S		30	/* nominal timeouts */
#define RANGE_S		120
#define MEDIUM_S	UINT16_MAX	/* all of it */

#define ERASES		.data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BYTES, \
			.pr = SCSI_PR_WRITES, .timeout_s = MEDIUM_S

const struct scsi_command sbc_commands[] = {
	{ .name = "FORMAT UNIT", .opcode = 0x04, .cdb_bytes = 6, ERASES,	/* 5.3 */
	  .parse = sbc_format_parse, .run = sbc_format_run,
	  .flags = SCSI_CMD_WRITES | SCSI_CMD_REPAIRS,
	  .usage = { 0x04, 0x3f } },
	{ .name = "READ(6)", .opcode = 0x08, .cdb_bytes = 6, READS_BLOCKS,
	  .parse = sbc_rw_parse_6, .run = sbc_rw_read,		/* SBC-2 r16 5.5 */
	  .lba = { 1, 3 }, .len = { 4, 1 }, .timeout_s = BLOCK_S,
	  .usage = { 0x08, 0x1f, 0xff, 0xff, 0xff } },
	{ .name = "WRITE(6)", .opcode = 0x0a, .cdb_bytes = 6, WRITES_BLOCKS,
	  .parse = sbc_rw_parse_6, .run = sbc_rw_write,		/* SBC-2 r16 5.24 */
	  .lba = { 1, 3 }, .len = { 4, 1 }, .timeout_s = BLOCK_S,
	  .usage = { 0x0a, 0x1f, 0xff, 0xff, 0xff } },
	{ .name = "START STOP UNIT", .opcode = 0x1b, .cdb_bytes = 6,	/* 5.25 */
	  .run = sbc_unit_start_stop, .pr = SCSI_PR_START,
	  .flags = SCSI_CMD_NO_MEDIUM, .timeout_s = BLOCK_S,
	  .usage = { 0x1b, 0x01, 0x00, 0x0f, 0xf7 } },
	{ .name = "READ CAPACITY(10)", .opcode = 0x25, .cdb_bytes = 10,	/* 5.15 */
	  .run = sbc_capacity_10, .data = SCSI_DATA_IN, .pr = SCSI_PR_ALWAYS,
	  .access = SCSI_ACCESS_STANDBY,
	  .flags = SCSI_CMD_UNRESERVED, .timeout_s = 10,
	  .usage = { 0x25 } },
	{ .name = "READ(10)", .opcode = 0x28, .cdb_bytes = 10, READS_BLOCKS,
	  .parse = sbc_rw_parse_read, .run = sbc_rw_read, LBA_10, .timeout_s = BLOCK_S,		/* 5.11 */
	  .usage = { 0x28, DPO_FUA, USAGE_10 } },
	{ .name = "WRITE(10)", .opcode = 0x2a, .cdb_bytes = 10, WRITES_BLOCKS,
	  .run = sbc_rw_write, LBA_10, .timeout_s = BLOCK_S,		/* 5.32 */
	  .usage = { 0x2a, DPO_FUA, USAGE_10 } },
	{ .name = "WRITE AND VERIFY(10)", .opcode = 0x2e, .cdb_bytes = 10,
	  WRITES_BLOCKS, .parse = sbc_verify_parse_write,
	  .run = sbc_verify_write, LBA_10, .timeout_s = BLOCK_S,	/* 5.36 */
	  .usage = { 0x2e, DPO | 0x06, USAGE_10 } },
	{ .name = "VERIFY(10)", .opcode = 0x2f, .cdb_bytes = 10,	/* 5.28 */
	  .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BLOCKS, .pr = SCSI_PR_READS,
	  .flags = SCSI_CMD_RANGE, .parse = sbc_verify_parse,
	  .run = sbc_verify_run, LBA_10, .timeout_s = RANGE_S,
	  .usage = { 0x2f, DPO | 0x06, USAGE_10 } },
	{ .name = "PRE-FETCH(10)", .opcode = 0x34, .cdb_bytes = 10,	/* 5.7 */
	  .parse = sbc_prefetch_parse, .run = sbc_prefetch_run,
	  .pr = SCSI_PR_READS, .flags = SCSI_CMD_RANGE, LBA_10,
	  .timeout_s = BLOCK_S,
	  .usage = { 0x34, 0x02, USAGE_10 } },
	{ .name = "SYNCHRONIZE CACHE(10)", .opcode = 0x35, .cdb_bytes = 10,
	  .run = sbc_cache_synchronize, .pr = SCSI_PR_WRITES,		/* 5.26 */
	  .flags = SCSI_CMD_RANGE, LBA_10, .timeout_s = RANGE_S,
	  .usage = { 0x35, 0x06, USAGE_10 } },
	{ .name = "READ DEFECT DATA(10)", .opcode = 0x37, .cdb_bytes = 10,	/* 5.17 */
	  .run = sbc_defects_10, .data = SCSI_DATA_IN, .unit = SCSI_UNIT_BYTES,
	  .pr = SCSI_PR_READS, .len = { 7, 2 }, .timeout_s = BLOCK_S,
	  .usage = { 0x37, 0x00, 0x1f, [7] = 0xff, 0xff } },
	{ .name = "WRITE SAME(10)", .opcode = 0x41, .cdb_bytes = 10, WRITES_BLOCKS,
	  .parse = sbc_write_same_parse, .run = sbc_write_same_run,	/* 5.39 */
	  LBA_10, .timeout_s = RANGE_S,
	  .usage = { 0x41, 0x08, USAGE_10 } },
	{ .name = "UNMAP", .opcode = 0x42, .cdb_bytes = 10,		/* 5.28 */
	  .run = sbc_unmap_run, .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BYTES,
	  .pr = SCSI_PR_WRITES, .flags = SCSI_CMD_WRITES | SCSI_CMD_THIN,
	  .len = { 7, 2 }, .timeout_s = RANGE_S,
	  .usage = { 0x42, [6] = GROUP, 0xff, 0xff } },
	{ .name = "SANITIZE, OVERWRITE", .opcode = 0x48, .has_sa = true, .sa = 0x01,
	  .cdb_bytes = 10, ERASES, .parse = sbc_sanitize_parse_overwrite,
	  .run = sbc_sanitize_overwrite, .len = { 7, 2 },		/* 5.24 */
	  .flags = SCSI_CMD_WRITES | SCSI_CMD_REPAIRS,
	  .usage = { 0x48, 0xa1, [7] = 0xff, 0xff } },
	{ .name = "SANITIZE, BLOCK ERASE", .opcode = 0x48, .has_sa = true, .sa = 0x02,
	  .cdb_bytes = 10, ERASES, .parse = sbc_sanitize_parse_plain,
	  .run = sbc_sanitize_block_erase, .len = { 7, 2 },
	  .flags = SCSI_CMD_WRITES | SCSI_CMD_REPAIRS | SCSI_CMD_THIN,
	  .usage = { 0x48, 0xa2, [7] = 0xff, 0xff } },
	{ .name = "SANITIZE, EXIT FAILURE MODE", .opcode = 0x48, .has_sa = true,
	  .sa = 0x1f, .cdb_bytes = 10, ERASES, .parse = sbc_sanitize_parse_plain,
	  .run = sbc_sanitize_exit_failure, .len = { 7, 2 },
	  .flags = SCSI_CMD_WRITES | SCSI_CMD_REPAIRS,
	  .usage = { 0x48, 0xbf, [7] = 0xff, 0xff } },
	{ .name = "POPULATE TOKEN", .opcode = 0x83, .has_sa = true, .sa = 0x10,
	  .cdb_bytes = 16, .run = sbc_odx_populate, .parse = sbc_odx_parse, /* 5.7 */
	  .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS,
	  .len = { 10, 4 }, .timeout_s = RANGE_S,
	  .usage = { 0x83, 0x10, [6] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		     GROUP } },
	{ .name = "WRITE USING TOKEN", .opcode = 0x83, .has_sa = true, .sa = 0x11,
	  .cdb_bytes = 16, .run = sbc_odx_write, .parse = sbc_odx_parse, /* 5.45 */
	  .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_WRITES,
	  .flags = SCSI_CMD_WRITES, .len = { 10, 4 }, .timeout_s = 600,
	  .usage = { 0x83, 0x11, [6] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		     GROUP } },
	{ .name = "REPORT ALL ROD TOKENS", .opcode = 0x84, .has_sa = true, .sa = 0x08,
	  .cdb_bytes = 16, .run = sbc_odx_report_all,		/* SPC-4 6.31 */
	  .data = SCSI_DATA_IN, .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS,
	  .flags = SCSI_CMD_NO_MEDIUM, .len = { 10, 4 }, .timeout_s = 10,
	  .usage = { 0x84, 0x08, [10] = 0xff, 0xff, 0xff, 0xff } },
	{ .name = "READ(16)", .opcode = 0x88, .cdb_bytes = 16, READS_BLOCKS,
	  .parse = sbc_rw_parse_read, .run = sbc_rw_read, LBA_16, .timeout_s = BLOCK_S,		/* 5.13 */
	  .usage = { 0x88, DPO_FUA, USAGE_16 } },
	{ .name = "COMPARE AND WRITE", .opcode = 0x89, .cdb_bytes = 16,	/* 5.2 */
	  WRITES_BLOCKS, .parse = sbc_compare_parse, .run = sbc_compare_run,
	  .lba = { 2, 8 }, .len = { 13, 1 }, .timeout_s = BLOCK_S,
	  .usage = { 0x89, DPO_FUA, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		     [13] = 0xff, GROUP } },
	{ .name = "WRITE(16)", .opcode = 0x8a, .cdb_bytes = 16, WRITES_BLOCKS,
	  .run = sbc_rw_write, LBA_16, .timeout_s = BLOCK_S,		/* 5.34 */
	  .usage = { 0x8a, DPO_FUA, USAGE_16 } },
	{ .name = "ORWRITE(16)", .opcode = 0x8b, .cdb_bytes = 16, WRITES_BLOCKS,
	  .run = sbc_orwrite_run, LBA_16, .timeout_s = BLOCK_S,		/* 5.6 */
	  .usage = { 0x8b, DPO_FUA, USAGE_16 } },
	{ .name = "WRITE AND VERIFY(16)", .opcode = 0x8e, .cdb_bytes = 16,
	  WRITES_BLOCKS, .parse = sbc_verify_parse_write,
	  .run = sbc_verify_write, LBA_16, .timeout_s = BLOCK_S,	/* 5.38 */
	  .usage = { 0x8e, DPO | 0x06, USAGE_16 } },
	{ .name = "VERIFY(16)", .opcode = 0x8f, .cdb_bytes = 16,	/* 5.30 */
	  .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BLOCKS, .pr = SCSI_PR_READS,
	  .flags = SCSI_CMD_RANGE, .parse = sbc_verify_parse,
	  .run = sbc_verify_run, LBA_16, .timeout_s = RANGE_S,
	  .usage = { 0x8f, DPO | 0x06, USAGE_16 } },
	{ .name = "PRE-FETCH(16)", .opcode = 0x90, .cdb_bytes = 16,	/* 5.8 */
	  .parse = sbc_prefetch_parse, .run = sbc_prefetch_run,
	  .pr = SCSI_PR_READS, .flags = SCSI_CMD_RANGE, LBA_16,
	  .timeout_s = BLOCK_S,
	  .usage = { 0x90, 0x02, USAGE_16 } },
	{ .name = "SYNCHRONIZE CACHE(16)", .opcode = 0x91, .cdb_bytes = 16,
	  .run = sbc_cache_synchronize, .pr = SCSI_PR_WRITES,		/* 5.27 */
	  .flags = SCSI_CMD_RANGE, LBA_16, .timeout_s = RANGE_S,
	  .usage = { 0x91, 0x06, USAGE_16 } },
	{ .name = "WRITE SAME(16)", .opcode = 0x93, .cdb_bytes = 16, WRITES_BLOCKS,
	  .parse = sbc_write_same_parse, .run = sbc_write_same_run,	/* 5.40 */
	  LBA_16, .timeout_s = RANGE_S,
	  .usage = { 0x93, 0x09, USAGE_16 } },
	{ .name = "WRITE ATOMIC(16)", .opcode = 0x9c, .cdb_bytes = 16,	/* SBC-4 r22 5.48 */
	  .run = sbc_atomic_run, .parse = sbc_atomic_parse,
	  .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BLOCKS, .pr = SCSI_PR_WRITES,
	  .flags = SCSI_CMD_RANGE | SCSI_CMD_WRITES | SCSI_CMD_ATOMIC,
	  .lba = { 2, 8 }, .len = { 12, 2 }, .timeout_s = BLOCK_S,
	  .usage = { 0x9c, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		     0xff, 0xff, GROUP } },
	{ .name = "READ CAPACITY(16)", .opcode = 0x9e, .has_sa = true, .sa = 0x10,
	  .cdb_bytes = 16, .run = sbc_capacity_16, .data = SCSI_DATA_IN,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS,		/* 5.16 */
	  .access = SCSI_ACCESS_STANDBY,
	  .flags = SCSI_CMD_UNRESERVED, .len = { 10, 4 }, .timeout_s = 10,
	  .usage = { 0x9e, 0x10, [10] = 0xff, 0xff, 0xff, 0xff } },
	{ .name = "GET LBA STATUS", .opcode = 0x9e, .has_sa = true, .sa = 0x12,
	  .cdb_bytes = 16, .run = sbc_lba_status_run, .data = SCSI_DATA_IN,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS,			/* 5.4 */
	  .flags = SCSI_CMD_THIN, .lba = { 2, 8 }, .len = { 10, 4 },
	  .timeout_s = BLOCK_S,
	  .usage = { 0x9e, 0x12, [2] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		     0xff, 0xff, 0xff, 0xff } },
	{ .name = "READ(12)", .opcode = 0xa8, .cdb_bytes = 12, READS_BLOCKS,
	  .parse = sbc_rw_parse_read, .run = sbc_rw_read, LBA_12, .timeout_s = BLOCK_S,		/* 5.12 */
	  .usage = { 0xa8, DPO_FUA, USAGE_12 } },
	{ .name = "WRITE(12)", .opcode = 0xaa, .cdb_bytes = 12, WRITES_BLOCKS,
	  .run = sbc_rw_write, LBA_12, .timeout_s = BLOCK_S,		/* 5.33 */
	  .usage = { 0xaa, DPO_FUA, USAGE_12 } },
	{ .name = "WRITE AND VERIFY(12)", .opcode = 0xae, .cdb_bytes = 12,
	  WRITES_BLOCKS, .parse = sbc_verify_parse_write,
	  .run = sbc_verify_write, LBA_12, .timeout_s = BLOCK_S,	/* 5.37 */
	  .usage = { 0xae, DPO | 0x06, USAGE_12 } },
	{ .name = "VERIFY(12)", .opcode = 0xaf, .cdb_bytes = 12,	/* 5.29 */
	  .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BLOCKS, .pr = SCSI_PR_READS,
	  .flags = SCSI_CMD_RANGE, .parse = sbc_verify_parse,
	  .run = sbc_verify_run, LBA_12, .timeout_s = RANGE_S,
	  .usage = { 0xaf, DPO | 0x06, USAGE_12 } },
	{ .name = "READ DEFECT DATA(12)", .opcode = 0xb7, .cdb_bytes = 12,	/* 5.18 */
	  .run = sbc_defects_12, .data = SCSI_DATA_IN, .unit = SCSI_UNIT_BYTES,
	  .pr = SCSI_PR_READS, .len = { 6, 4 }, .timeout_s = BLOCK_S,
	  .usage = { 0xb7, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
};
const size_t sbc_nr_commands = ARRAY_SIZE(sbc_commands);

static const struct scsi_command *const disk_tables[] = {
	spc_commands, spc_medium_commands, spc_copy_commands, sbc_commands, NULL,
};
static size_t disk_rows[4];

static struct spc_device_type disk = {
	.type = {
		.name = "disk",
		.option = "disk",
		.code = 0x00,
		/* SAM-5, iSCSI, SPC-4, SBC-3, SBC-4: no version claimed */
		.version_descriptors = { 0x00a0, 0x0960, 0x0460, 0x04c0, 0x0600 },
		.commands = disk_tables,
		.nr_commands = disk_rows,
		SPC_STATE,
	},
	.vpd = sbc_vpd_pages,
	.mode = sbc_mode_pages,
	.mode_parameter = sbc_mode_parameter,
	.has_blocks = true,
};

const struct scsi_device_type *sbc_disk_type(void)
{
	return &disk.type;
}

int sbc_register(void)
{
	/* Sizes of other files' tables are not constant expressions. */
	disk_rows[0] = spc_nr_commands;
	disk_rows[1] = spc_nr_medium_commands;
	disk_rows[2] = spc_nr_copy_commands;
	disk_rows[3] = sbc_nr_commands;
	disk.nr_vpd = sbc_vpd_nr_pages;
	disk.nr_mode = sbc_mode_nr_pages;
	return scsi_device_type_register(&disk.type);
}
