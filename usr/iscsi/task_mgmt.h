/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/task_mgmt.h - Task Management Function Request, RFC 7143 11.5. */
#pragma once

struct iscsi_conn;
struct iscsi_pdu;

/* Takes @pdu. */
int iscsi_task_mgmt_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
