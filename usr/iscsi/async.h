/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/async.h - Asynchronous Messages, RFC 7143 11.9. */
#pragma once

struct iscsi_conn;

/* Ask the initiator to log out within @seconds.  Only in full feature phase;
 * otherwise nothing is sent. */
void iscsi_async_logout(struct iscsi_conn *conn, unsigned int seconds);
