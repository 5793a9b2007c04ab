/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/nop.h - NOP-Out and NOP-In, RFC 7143 11.18 and 11.19. */
#pragma once

struct iscsi_conn;
struct iscsi_pdu;

/* Takes @pdu. */
int iscsi_nop_out(struct iscsi_conn *conn, struct iscsi_pdu *pdu);

/* Begin to probe an initiator that is silent, as its target's nop_interval and
 * nop_count say.  At the start of full feature phase. */
void iscsi_nop_start(struct iscsi_conn *conn);
