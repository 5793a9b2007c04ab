/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/pdu_table.c - the initiator opcodes of RFC 7143 11.2.1.2. */
#include "iscsi/pdu_table.h"

#include "base/macros.h"
#include "iscsi/command.h"
#include "iscsi/conn.h"
#include "iscsi/data_out.h"
#include "iscsi/login.h"
#include "iscsi/logout.h"
#include "iscsi/nop.h"
#include "iscsi/proto.h"
#include "iscsi/reject.h"
#include "iscsi/session.h"
#include "iscsi/task_mgmt.h"

#define FULL_FEATURE	(ISCSI_IN_DISCOVERY | ISCSI_IN_NORMAL)

static const struct iscsi_pdu_type types[] = {
	[ISCSI_OP_NOP_OUT] = { "NOP-Out", FULL_FEATURE, true,
			       NULL, iscsi_nop_out },
	[ISCSI_OP_COMMAND] = { "SCSI Command", ISCSI_IN_NORMAL, true,
			       iscsi_command_header, iscsi_command_received },
	[ISCSI_OP_TASK_REQ] = { "Task Management", ISCSI_IN_NORMAL, true,
				NULL, iscsi_task_mgmt_received },
	[ISCSI_OP_LOGIN_REQ] = { "Login", ISCSI_IN_LOGIN, false,
				 NULL, iscsi_login_request },
	[ISCSI_OP_TEXT_REQ] = { "Text", FULL_FEATURE, true,
				NULL, iscsi_text_req_received },
	[ISCSI_OP_DATA_OUT] = { "Data-Out", ISCSI_IN_NORMAL, false,
				iscsi_data_out_header, iscsi_data_out_received },
	[ISCSI_OP_LOGOUT_REQ] = { "Logout", FULL_FEATURE, true,
				  NULL, iscsi_logout_received },
	[ISCSI_OP_SNACK] = { "SNACK", FULL_FEATURE, false,
			     NULL, iscsi_reject_snack },
};

const struct iscsi_pdu_type *iscsi_pdu_table_find(uint8_t opcode)
{
	if (opcode >= ARRAY_SIZE(types) || !types[opcode].run)
		return NULL;
	return &types[opcode];
}

bool iscsi_pdu_table_allows(const struct iscsi_conn *conn,
			    const struct iscsi_pdu_type *type)
{
	if (conn->state == ISCSI_CONN_LOGIN)
		return type->phases & ISCSI_IN_LOGIN;
	return type->phases & (conn->session->target ? ISCSI_IN_NORMAL
						     : ISCSI_IN_DISCOVERY);
}
