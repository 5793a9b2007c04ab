/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/conn_tx.h - the sending half of a connection. */
#pragma once

struct iscsi_conn;

void iscsi_conn_tx_init(struct iscsi_conn *conn);
/* Send what is queued until the socket is full. */
void iscsi_conn_tx_run(struct iscsi_conn *conn);
/* Watch for what matters now: input unless paused or too much is unsent, room to
 * send if the socket is full. */
void iscsi_conn_tx_watch(struct iscsi_conn *conn);
/* Drop what is queued. */
void iscsi_conn_tx_fini(struct iscsi_conn *conn);
