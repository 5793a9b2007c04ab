/* SPDX-License-Identifier: BSD-3-Clause */
/* sbc/handlers.h - what the tables in sbc/commands.c name. */
#pragma once
#include "scsi/task.h"
#include "spc/spc.h"

enum scsi_status sbc_rw_parse_6(struct scsi_task *t);
enum scsi_status sbc_rw_parse_read(struct scsi_task *t);
enum scsi_status sbc_rw_read(struct scsi_task *t);
enum scsi_status sbc_rw_write(struct scsi_task *t);

enum scsi_status sbc_capacity_10(struct scsi_task *t);
enum scsi_status sbc_capacity_16(struct scsi_task *t);

enum scsi_status sbc_cache_synchronize(struct scsi_task *t);

enum scsi_status sbc_verify_parse(struct scsi_task *t);
enum scsi_status sbc_verify_run(struct scsi_task *t);
enum scsi_status sbc_verify_parse_write(struct scsi_task *t);
enum scsi_status sbc_verify_write(struct scsi_task *t);

enum scsi_status sbc_atomic_parse(struct scsi_task *t);
enum scsi_status sbc_atomic_run(struct scsi_task *t);

enum scsi_status sbc_compare_parse(struct scsi_task *t);
enum scsi_status sbc_compare_run(struct scsi_task *t);

enum scsi_status sbc_defects_10(struct scsi_task *t);
enum scsi_status sbc_defects_12(struct scsi_task *t);

enum scsi_status sbc_format_parse(struct scsi_task *t);
enum scsi_status sbc_format_run(struct scsi_task *t);

enum scsi_status sbc_lba_status_run(struct scsi_task *t);

enum scsi_status sbc_orwrite_run(struct scsi_task *t);

enum scsi_status sbc_prefetch_parse(struct scsi_task *t);
enum scsi_status sbc_prefetch_run(struct scsi_task *t);

enum scsi_status sbc_sanitize_parse_overwrite(struct scsi_task *t);
enum scsi_status sbc_sanitize_parse_plain(struct scsi_task *t);
enum scsi_status sbc_sanitize_overwrite(struct scsi_task *t);
enum scsi_status sbc_sanitize_block_erase(struct scsi_task *t);
enum scsi_status sbc_sanitize_exit_failure(struct scsi_task *t);

enum scsi_status sbc_unit_start_stop(struct scsi_task *t);

enum scsi_status sbc_unmap_run(struct scsi_task *t);

enum scsi_status sbc_odx_parse(struct scsi_task *t);
enum scsi_status sbc_odx_populate(struct scsi_task *t);
enum scsi_status sbc_odx_write(struct scsi_task *t);
enum scsi_status sbc_odx_report_all(struct scsi_task *t);

enum scsi_status sbc_write_same_parse(struct scsi_task *t);
enum scsi_status sbc_write_same_run(struct scsi_task *t);

size_t sbc_copy_vpd_fill(const struct scsi_task *t, uint8_t *p);
extern const struct spc_vpd_page sbc_vpd_pages[];
extern const size_t sbc_vpd_nr_pages;
extern const struct spc_mode_page sbc_mode_pages[];
extern const size_t sbc_mode_nr_pages;
uint8_t sbc_mode_parameter(const struct scsi_device *dev);
