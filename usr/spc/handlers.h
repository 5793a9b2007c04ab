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

enum scsi_status spc_reserve_take(struct scsi_task *t);
enum scsi_status spc_reserve_release(struct scsi_task *t);
enum scsi_status spc_reserve_prevent_removal(struct scsi_task *t);

enum scsi_status spc_report_opcodes_run(struct scsi_task *t);
enum scsi_status spc_report_opcodes_tmf(struct scsi_task *t);
