/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/pdu_table.h - which PDU an initiator may send when, and who takes it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct iscsi_conn;
struct iscsi_pdu;

#define ISCSI_IN_LOGIN		0x1U
#define ISCSI_IN_DISCOVERY	0x2U	/* full feature phase of a discovery session */
#define ISCSI_IN_NORMAL		0x4U

struct iscsi_pdu_type {
	const char *name;
	uint8_t phases;			/* ISCSI_IN_* */
	bool has_cmdsn;			/* ordered by CmdSN unless immediate */
	/* Header arrived, data segment not: may direct it (conn->rx.cmd,
	 * .discard).  Optional.  < 0: close. */
	int (*header)(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
	/* The whole PDU.  Takes @pdu.  < 0: close the connection. */
	int (*run)(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
};

/* The row of an opcode (without the I bit); NULL: not an initiator's. */
const struct iscsi_pdu_type *iscsi_pdu_table_find(uint8_t opcode);

/* Whether @conn is in a phase that allows @type. */
bool iscsi_pdu_table_allows(const struct iscsi_conn *conn,
			    const struct iscsi_pdu_type *type);
