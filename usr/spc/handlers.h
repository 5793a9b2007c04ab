/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/handlers.h - the handlers that the tables in spc/commands.c name. */
#pragma once
#include "scsi/task.h"

enum scsi_status spc_inquiry_run(struct scsi_task *t);
enum scsi_status spc_vpd_run(struct scsi_task *t);
bool spc_vpd_has(const struct scsi_device *dev, uint8_t code);

enum scsi_status spc_alua_report(struct scsi_task *t);
enum scsi_status spc_alua_set(struct scsi_task *t);

enum scsi_status spc_report_luns_run(struct scsi_task *t);

enum scsi_status spc_status_test_unit_ready(struct scsi_task *t);
enum scsi_status spc_status_request_sense(struct scsi_task *t);

enum scsi_status spc_mode_sense_6(struct scsi_task *t);
enum scsi_status spc_mode_sense_10(struct scsi_task *t);
enum scsi_status spc_mode_select_6(struct scsi_task *t);
enum scsi_status spc_mode_select_10(struct scsi_task *t);

enum scsi_status spc_log_sense(struct scsi_task *t);

enum scsi_status spc_diagnostic_send(struct scsi_task *t);
enum scsi_status spc_diagnostic_receive(struct scsi_task *t);

enum scsi_status spc_buffer_read_10(struct scsi_task *t);
enum scsi_status spc_buffer_read_16(struct scsi_task *t);
enum scsi_status spc_buffer_parse_write(struct scsi_task *t);
enum scsi_status spc_buffer_write(struct scsi_task *t);

enum scsi_status spc_timestamp_report(struct scsi_task *t);
enum scsi_status spc_timestamp_set(struct scsi_task *t);

enum scsi_status spc_identify_report(struct scsi_task *t);
enum scsi_status spc_identify_parse_set(struct scsi_task *t);
enum scsi_status spc_identify_set(struct scsi_task *t);

enum scsi_status spc_reserve_take(struct scsi_task *t);
enum scsi_status spc_reserve_release(struct scsi_task *t);
enum scsi_status spc_reserve_prevent_removal(struct scsi_task *t);

/* SERVICE ACTION of PERSISTENT RESERVE OUT, SPC-4 r37 table 226. */
enum {
	SPC_PR_OUT_REGISTER, SPC_PR_OUT_RESERVE, SPC_PR_OUT_RELEASE, SPC_PR_OUT_CLEAR,
	SPC_PR_OUT_PREEMPT, SPC_PR_OUT_PREEMPT_AND_ABORT, SPC_PR_OUT_REGISTER_ANYWAY,
	SPC_PR_OUT_MOVE,
};
enum scsi_status spc_pr_in_read_keys(struct scsi_task *t);
enum scsi_status spc_pr_in_read_reservation(struct scsi_task *t);
enum scsi_status spc_pr_in_report_capabilities(struct scsi_task *t);
enum scsi_status spc_pr_in_read_full_status(struct scsi_task *t);
enum scsi_status spc_pr_out_run(struct scsi_task *t);

enum scsi_status spc_report_opcodes_run(struct scsi_task *t);
enum scsi_status spc_report_opcodes_tmf(struct scsi_task *t);
