/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/xcopy.h - limits of EXTENDED COPY, which RECEIVE COPY OPERATING PARAMETERS
 * and the Third-party Copy VPD page tell. */
#pragma once
#include "scsi/copy.h"
#include "scsi/task.h"

#define SPC_XCOPY_CSCDS_MAX	8U
#define SPC_XCOPY_SEGMENTS_MAX	64U
#define SPC_XCOPY_LIST_MAX	4096U	/* bytes of CSCD and segment descriptors */
#define SPC_XCOPY_SEGMENT_BYTES_MAX (256U << 20) /* 65,535 blocks of 4 KiB fit */

/* Descriptor type codes, SPC-4 r37 tables 141 and 164. */
#define SPC_XCOPY_CSCD_ID	0xe4	/* Identification Descriptor */
#define SPC_XCOPY_BLOCK_TO_BLOCK 0x02
#define SPC_XCOPY_BYTES_TO_BYTES 0x0a	/* with byte offsets */
/* CSCD descriptor identifier: the logical unit that got the command. */
#define SPC_XCOPY_SELF		0xf800

#define SPC_XCOPY_LID1		0x00	/* service actions of 83h */
#define SPC_XCOPY_LID4		0x01
#define SPC_XCOPY_ABORT		0x1c

enum scsi_status spc_xcopy_parse(struct scsi_task *t);
enum scsi_status spc_xcopy_lid1(struct scsi_task *t);
enum scsi_status spc_xcopy_lid4(struct scsi_task *t);
enum scsi_status spc_xcopy_abort(struct scsi_task *t);

/* An identification descriptor CSCD descriptor (32 bytes) for @t's logical unit. */
#define SPC_XCOPY_CSCD_BYTES	32U
void spc_xcopy_describe(const struct scsi_task *t, uint8_t *p);

/* RECEIVE COPY RESULTS, by service action. */
enum scsi_status spc_xcopy_results_status(struct scsi_task *t);
enum scsi_status spc_xcopy_results_data(struct scsi_task *t);
enum scsi_status spc_xcopy_results_parameters(struct scsi_task *t);
enum scsi_status spc_xcopy_results_failure(struct scsi_task *t);
enum scsi_status spc_xcopy_results_status_4(struct scsi_task *t);
enum scsi_status spc_xcopy_results_rod(struct scsi_task *t);
