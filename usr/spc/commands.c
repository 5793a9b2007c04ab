/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/commands.c - tables of the primary commands, SPC-4 r37 clause 6 (RESERVE
 * and RELEASE: SPC-2 r20 clause 7), and the controller device type.
 *
 * Sorted by opcode and service action.  A bit that usage[] does not have must be
 * 0 in a CDB; the CONTROL byte is all such bits (NACA: NORMACA is 0).
 */
#include "spc/spc.h"

#include "base/macros.h"
#include "scsi/alua.h"
#include "scsi/device.h"
#include "spc/handlers.h"

const struct scsi_command spc_commands[] = {
	{ .name = "TEST UNIT READY", .opcode = 0x00, .cdb_bytes = 6,	/* 6.47 */
	  .run = spc_status_test_unit_ready, .pr = SCSI_PR_ALWAYS,
	  .timeout_s = 10, .usage = { 0x00 } },
	{ .name = "REQUEST SENSE", .opcode = 0x03, .cdb_bytes = 6,	/* 6.39 */
	  .run = spc_status_request_sense, .data = SCSI_DATA_IN,
	  .flags = SCSI_CMD_NO_UA | SCSI_CMD_ANY_LUN | SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS, .len = { 4, 1 },
	  .access = SCSI_ACCESS_ANY,
	  .timeout_s = 10, .usage = { 0x03, 0x01, 0x00, 0x00, 0xff } },
	{ .name = "INQUIRY", .opcode = 0x12, .cdb_bytes = 6,		/* 6.6 */
	  .run = spc_inquiry_run, .data = SCSI_DATA_IN,
	  .flags = SCSI_CMD_NO_UA | SCSI_CMD_ANY_LUN | SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS, .len = { 3, 2 },
	  .access = SCSI_ACCESS_ANY,
	  .timeout_s = 10, .usage = { 0x12, 0x01, 0xff, 0xff, 0xff } },
	{ .name = "MODE SENSE(6)", .opcode = 0x1a, .cdb_bytes = 6,	/* 6.13 */
	  .run = spc_mode_sense_6, .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS, .len = { 4, 1 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 10, .usage = { 0x1a, 0x08, 0xff, 0xff, 0xff } },
	{ .name = "MODE SENSE(10)", .opcode = 0x5a, .cdb_bytes = 10,	/* 6.14 */
	  .run = spc_mode_sense_10, .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS, .len = { 7, 2 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 10,
	  .usage = { 0x5a, 0x18, 0xff, 0xff, [7] = 0xff, 0xff } },
	{ .name = "REPORT LUNS", .opcode = 0xa0, .cdb_bytes = 12,	/* 6.33 */
	  .run = spc_report_luns_run, .data = SCSI_DATA_IN,
	  .flags = SCSI_CMD_NO_UA | SCSI_CMD_ANY_LUN | SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS, .len = { 6, 4 },
	  .access = SCSI_ACCESS_ANY,
	  .timeout_s = 10,
	  .usage = { 0xa0, 0x00, 0xff, [6] = 0xff, 0xff, 0xff, 0xff } },
	{ .name = "REPORT SUPPORTED OPERATION CODES", .opcode = 0xa3,	/* 6.35 */
	  .has_sa = true, .sa = 0x0c, .cdb_bytes = 12,
	  .run = spc_report_opcodes_run, .data = SCSI_DATA_IN,
	  .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS, .len = { 6, 4 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 10,
	  .usage = { 0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ .name = "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", .opcode = 0xa3,
	  .has_sa = true, .sa = 0x0d, .cdb_bytes = 12,			/* 6.36 */
	  .run = spc_report_opcodes_tmf, .data = SCSI_DATA_IN,
	  .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS, .len = { 6, 4 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 10,
	  .usage = { 0xa3, 0x0d, 0x80, [6] = 0xff, 0xff, 0xff, 0xff } },
};
const size_t spc_nr_commands = ARRAY_SIZE(spc_commands);

/* What they may do is decided when their turn comes, not by dispatch. */
#define PR_IN(action, action_code, handler) \
	{ .name = "PERSISTENT RESERVE IN (" action ")", .opcode = 0x5e, \
	  .has_sa = true, .sa = (action_code), .cdb_bytes = 10, .run = (handler), \
	  .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM, .unit = SCSI_UNIT_BYTES, \
	  .access = SCSI_ACCESS_STANDBY, .pr = SCSI_PR_ALWAYS, .len = { 7, 2 }, .timeout_s = 10, \
	  .usage = { 0x5e, (action_code), [7] = 0xff, 0xff } }
#define PR_OUT(action, action_code) \
	{ .name = "PERSISTENT RESERVE OUT (" action ")", .opcode = 0x5f, \
	  .has_sa = true, .sa = (action_code), .cdb_bytes = 10, .run = spc_pr_out_run, \
	  .data = SCSI_DATA_OUT, .flags = SCSI_CMD_NO_MEDIUM, .unit = SCSI_UNIT_BYTES, \
	  .access = SCSI_ACCESS_STANDBY, .pr = SCSI_PR_ALWAYS, .len = { 5, 4 }, .timeout_s = 30, \
	  .usage = { 0x5f, (action_code), 0xff, [5] = 0xff, 0xff, 0xff, 0xff } }

const struct scsi_command spc_medium_commands[] = {
	{ .name = "MODE SELECT(6)", .opcode = 0x15, .cdb_bytes = 6,	/* 6.11 */
	  .run = spc_mode_select_6, .data = SCSI_DATA_OUT, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_CONFLICTS, .len = { 4, 1 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 30, .usage = { 0x15, 0x11, 0x00, 0x00, 0xff } },
	{ .name = "RESERVE(6)", .opcode = 0x16, .cdb_bytes = 6,	/* SPC-2 7.21 */
	  .run = spc_reserve_take, .pr = SCSI_PR_CONFLICTS, .flags = SCSI_CMD_NO_MEDIUM,
	  .timeout_s = 10, .usage = { 0x16 } },
	{ .name = "RELEASE(6)", .opcode = 0x17, .cdb_bytes = 6,	/* SPC-2 7.16 */
	  .run = spc_reserve_release, .pr = SCSI_PR_CONFLICTS,
	  .flags = SCSI_CMD_NO_MEDIUM | SCSI_CMD_UNRESERVED,
	  .timeout_s = 10, .usage = { 0x17 } },
	{ .name = "RECEIVE DIAGNOSTIC RESULTS", .opcode = 0x1c, .cdb_bytes = 6,
	  .run = spc_diagnostic_receive, .data = SCSI_DATA_IN,		/* 6.26 */
	  .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS, .len = { 3, 2 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 10, .usage = { 0x1c, 0x01, 0xff, 0xff, 0xff } },
	{ .name = "SEND DIAGNOSTIC", .opcode = 0x1d, .cdb_bytes = 6,	/* 6.42 */
	  .run = spc_diagnostic_send, .data = SCSI_DATA_OUT,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_CONFLICTS, .len = { 3, 2 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 30, .usage = { 0x1d, 0xf7, 0x00, 0xff, 0xff } },
	{ .name = "PREVENT ALLOW MEDIUM REMOVAL", .opcode = 0x1e, .cdb_bytes = 6,
	  .run = spc_reserve_prevent_removal, .pr = SCSI_PR_PREVENT,	/* 6.14 */
	  .flags = SCSI_CMD_NO_MEDIUM,
	  .timeout_s = 10, .usage = { 0x1e, 0x00, 0x00, 0x00, 0x03 } },
	{ .name = "WRITE BUFFER", .opcode = 0x3b, .cdb_bytes = 10,	/* 6.49 */
	  .parse = spc_buffer_parse_write, .run = spc_buffer_write,
	  .data = SCSI_DATA_OUT, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_CONFLICTS, .len = { 6, 3 },
	  .access = SCSI_ACCESS_ANY,
	  .timeout_s = 10,
	  .usage = { 0x3b, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ .name = "READ BUFFER(10)", .opcode = 0x3c, .cdb_bytes = 10,	/* 6.15 */
	  .run = spc_buffer_read_10, .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS, .len = { 6, 3 },
	  .access = SCSI_ACCESS_ANY,
	  .timeout_s = 10,
	  .usage = { 0x3c, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ .name = "LOG SENSE", .opcode = 0x4d, .cdb_bytes = 10,		/* 6.8 */
	  .run = spc_log_sense, .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM | SCSI_CMD_UNRESERVED,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS, .len = { 7, 2 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 10,
	  .usage = { 0x4d, 0x00, 0xff, 0xff, [5] = 0xff, 0xff, 0xff, 0xff } },
	{ .name = "MODE SELECT(10)", .opcode = 0x55, .cdb_bytes = 10,	/* 6.12 */
	  .run = spc_mode_select_10, .data = SCSI_DATA_OUT,
	  .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_CONFLICTS, .len = { 7, 2 },
	  .access = SCSI_ACCESS_STANDBY,
	  .timeout_s = 30, .usage = { 0x55, 0x11, [7] = 0xff, 0xff } },
	{ .name = "RESERVE(10)", .opcode = 0x56, .cdb_bytes = 10,	/* SPC-2 7.22 */
	  .run = spc_reserve_take, .pr = SCSI_PR_CONFLICTS, .flags = SCSI_CMD_NO_MEDIUM,
	  .timeout_s = 10, .usage = { 0x56 } },
	{ .name = "RELEASE(10)", .opcode = 0x57, .cdb_bytes = 10,	/* SPC-2 7.17 */
	  .run = spc_reserve_release, .pr = SCSI_PR_CONFLICTS,
	  .flags = SCSI_CMD_NO_MEDIUM | SCSI_CMD_UNRESERVED,
	  .timeout_s = 10, .usage = { 0x57 } },
	PR_IN("READ KEYS", 0x00, spc_pr_in_read_keys),			/* 6.15 */
	PR_IN("READ RESERVATION", 0x01, spc_pr_in_read_reservation),
	PR_IN("REPORT CAPABILITIES", 0x02, spc_pr_in_report_capabilities),
	PR_IN("READ FULL STATUS", 0x03, spc_pr_in_read_full_status),
	PR_OUT("REGISTER", SPC_PR_OUT_REGISTER),			/* 6.16 */
	PR_OUT("RESERVE", SPC_PR_OUT_RESERVE),
	PR_OUT("RELEASE", SPC_PR_OUT_RELEASE),
	PR_OUT("CLEAR", SPC_PR_OUT_CLEAR),
	PR_OUT("PREEMPT", SPC_PR_OUT_PREEMPT),
	PR_OUT("PREEMPT AND ABORT", SPC_PR_OUT_PREEMPT_AND_ABORT),
	PR_OUT("REGISTER AND IGNORE EXISTING KEY", SPC_PR_OUT_REGISTER_ANYWAY),
	PR_OUT("REGISTER AND MOVE", SPC_PR_OUT_MOVE),
	{ .name = "READ BUFFER(16)", .opcode = 0x9b, .cdb_bytes = 16,	/* SPC-5 6.20 */
	  .run = spc_buffer_read_16, .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_READS, .len = { 10, 4 },
	  .access = SCSI_ACCESS_ANY,
	  .timeout_s = 10,
	  .usage = { 0x9b, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		     0xff, 0xff, 0xff, 0xff, 0xff } },
	{ .name = "REPORT IDENTIFYING INFORMATION", .opcode = 0xa3,	/* 6.32 */
	  .has_sa = true, .sa = 0x05, .cdb_bytes = 12,
	  .run = spc_identify_report, .data = SCSI_DATA_IN,
	  .flags = SCSI_CMD_NO_MEDIUM | SCSI_CMD_KEEPS,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS, .len = { 6, 4 },
	  .timeout_s = 10,
	  .usage = { 0xa3, 0x05, [6] = 0xff, 0xff, 0xff, 0xff, 0xfe } },
	{ .name = "REPORT TARGET PORT GROUPS", .opcode = 0xa3,		/* 6.37 */
	  .has_sa = true, .sa = 0x0a, .cdb_bytes = 12,
	  .run = spc_alua_report, .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS, .len = { 6, 4 },
	  .access = SCSI_ACCESS_ANY, .tpgs = SCSI_ALUA_IMPLICIT | SCSI_ALUA_EXPLICIT,
	  .timeout_s = 10,
	  .usage = { 0xa3, 0xea, [6] = 0xff, 0xff, 0xff, 0xff } },
	{ .name = "REPORT TIMESTAMP", .opcode = 0xa3,			/* 6.38 */
	  .has_sa = true, .sa = 0x0f, .cdb_bytes = 12,
	  .run = spc_timestamp_report, .data = SCSI_DATA_IN, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_ALWAYS, .len = { 6, 4 },
	  .timeout_s = 10,
	  .usage = { 0xa3, 0x0f, [6] = 0xff, 0xff, 0xff, 0xff } },
	{ .name = "SET IDENTIFYING INFORMATION", .opcode = 0xa4,	/* 6.44 */
	  .has_sa = true, .sa = 0x06, .cdb_bytes = 12,
	  .parse = spc_identify_parse_set, .run = spc_identify_set, .data = SCSI_DATA_OUT,
	  .flags = SCSI_CMD_NO_MEDIUM | SCSI_CMD_KEEPS,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_CONFLICTS, .len = { 6, 4 },
	  .timeout_s = 30,
	  .usage = { 0xa4, 0x06, [6] = 0xff, 0xff, 0xff, 0xff, 0xfe } },
	{ .name = "SET TARGET PORT GROUPS", .opcode = 0xa4,		/* 6.45 */
	  .has_sa = true, .sa = 0x0a, .cdb_bytes = 12,
	  .run = spc_alua_set, .data = SCSI_DATA_OUT, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_CONFLICTS, .len = { 6, 4 },
	  .access = SCSI_ACCESS_ANY, .tpgs = SCSI_ALUA_EXPLICIT,
	  .timeout_s = 10,
	  .usage = { 0xa4, 0x0a, [6] = 0xff, 0xff, 0xff, 0xff } },
	{ .name = "SET TIMESTAMP", .opcode = 0xa4,			/* 6.46 */
	  .has_sa = true, .sa = 0x0f, .cdb_bytes = 12,
	  .run = spc_timestamp_set, .data = SCSI_DATA_OUT, .flags = SCSI_CMD_NO_MEDIUM,
	  .unit = SCSI_UNIT_BYTES, .pr = SCSI_PR_CONFLICTS, .len = { 6, 4 },
	  .timeout_s = 10,
	  .usage = { 0xa4, 0x0f, [6] = 0xff, 0xff, 0xff, 0xff } },
};
const size_t spc_nr_medium_commands = ARRAY_SIZE(spc_medium_commands);

/* --- the controller --- */

static const struct scsi_command *const controller_tables[] = { spc_commands, NULL };
static const size_t controller_rows[] = { ARRAY_SIZE(spc_commands) };

static const struct spc_mode_page controller_pages[] = {
	{ .code = 0x0a, .bytes = 12, .fill = spc_mode_fill_control },
};

static const struct spc_device_type controller = {
	.type = {
		.name = "controller",
		.code = 0x0c,		/* storage array controller device, SCC-2 */
		.version_descriptors = { 0x00a0, 0x0960, 0x0460 }, /* SAM-5 iSCSI SPC-4 */
		.commands = controller_tables,
		.nr_commands = controller_rows,
	},
	.mode = controller_pages,
	.nr_mode = ARRAY_SIZE(controller_pages),
};

const struct scsi_device_type *spc_controller_type(void)
{
	return &controller.type;
}

const struct spc_device_type *spc_device_type(const struct scsi_device *dev)
{
	return container_of(dev->type, const struct spc_device_type, type);
}

int spc_register(void)
{
	return scsi_device_type_register(&controller.type);
}
