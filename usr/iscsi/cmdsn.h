/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/cmdsn.h - command numbering and the command window, RFC 7143 4.2.2.1.
 *
 * The window opens as commands are answered: MaxCmdSN = ExpCmdSN - 1 + (window
 * - commands not answered), and never goes back.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct iscsi_conn;
struct iscsi_pdu;
struct iscsi_session;

/*
 * A PDU that carries a CmdSN is complete: run it now, hold it for its turn, or
 * drop it (outside the window, or a duplicate), then run what was held for it.
 * Takes @pdu.  < 0: close the connection.
 */
int iscsi_cmdsn_deliver(struct iscsi_conn *conn, struct iscsi_pdu *pdu);

/* MaxCmdSN to tell the initiator now. */
uint32_t iscsi_cmdsn_max(struct iscsi_session *s);

/* ABORT TASK of a command that is held, or that never arrived although its
 * CmdSN lies before @tmf_cmdsn: it will not run.  False: no such command. */
bool iscsi_cmdsn_cancel(struct iscsi_session *s, uint32_t ref_itt, uint32_t ref_cmdsn,
		       uint32_t tmf_cmdsn);

/* The session ends: free what is held, and let nothing more come. */
void iscsi_cmdsn_close(struct iscsi_session *s);
