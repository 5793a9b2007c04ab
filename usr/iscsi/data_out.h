/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/data_out.h - Data-Out and R2T, RFC 7143 11.7 and 11.8. */
#pragma once
#include <stdbool.h>

struct iscsi_command;
struct iscsi_conn;
struct iscsi_pdu;
struct scsi_task;

/* scsi_transport.collect: bring t->out_bytes bytes. */
void iscsi_data_out_collect(struct scsi_task *t);

/* Data is under way that was announced (unsolicited) or asked for (R2T). */
bool iscsi_data_out_expected(const struct iscsi_command *cmd);

/* Data-Out: the header says where the data goes; the whole PDU moves the
 * command on.  The latter takes @pdu. */
int iscsi_data_out_header(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
int iscsi_data_out_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
