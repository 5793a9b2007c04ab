/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/conn_rx.h - the receiving half of a connection. */
#pragma once

struct iscsi_conn;

/* The socket has input: receive and run what is complete. */
void iscsi_conn_rx_run(struct iscsi_conn *conn);
void iscsi_conn_rx_fini(struct iscsi_conn *conn);
