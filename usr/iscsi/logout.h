/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/logout.h - Logout, RFC 7143 11.14. */
#pragma once

struct iscsi_conn;
struct iscsi_pdu;

/* Takes @pdu. */
int iscsi_logout_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
