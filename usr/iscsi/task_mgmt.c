/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/task_mgmt.c - a table from the functions of iSCSI to those of SAM, and
 * the answers of 11.6.1.  Several may be under way; each answers when the SCSI
 * core does.
 */
#include "iscsi/task_mgmt.h"

#include <errno.h>
#include <stdlib.h>
#include "base/log.h"
#include "iscsi/cmdsn.h"
#include "iscsi/command.h"
#include "iscsi/conn.h"
#include "iscsi/reject.h"
#include "iscsi/register.h"
#include "iscsi/session.h"
#include "iscsi/target.h"
#include "reactor/group.h"
#include "scsi/target.h"
#include "scsi/tmf.h"

#define TMFS_MAX	64	/* under way in a session */

struct tmf {
	struct scsi_tmf scsi;
	struct iscsi_conn *conn;	/* holds a reference */
	be32 itt;
	uint8_t function;
	struct mail mail;		/* cold reset: to control */
	int tid;
};

static const struct {
	bool supported;
	enum scsi_tmf_function fn;
} functions[] = {
	[ISCSI_TMF_ABORT_TASK] = { true, SCSI_TMF_ABORT_TASK },
	[ISCSI_TMF_ABORT_TASK_SET] = { true, SCSI_TMF_ABORT_TASK_SET },
	[ISCSI_TMF_CLEAR_ACA] = { false, 0 },	/* NORMACA is 0 */
	[ISCSI_TMF_CLEAR_TASK_SET] = { true, SCSI_TMF_CLEAR_TASK_SET },
	[ISCSI_TMF_LUN_RESET] = { true, SCSI_TMF_LUN_RESET },
	[ISCSI_TMF_TARGET_WARM_RESET] = { true, SCSI_TMF_TARGET_RESET },
	[ISCSI_TMF_TARGET_COLD_RESET] = { true, SCSI_TMF_TARGET_RESET },
	[ISCSI_TMF_TASK_REASSIGN] = { false, 0 },	/* needs ERL 2 */
};

static const uint8_t answers[] = {
	[SCSI_TMF_COMPLETE] = ISCSI_TMF_RSP_COMPLETE,
	[SCSI_TMF_NO_SUCH_LUN] = ISCSI_TMF_RSP_NO_LUN,
	[SCSI_TMF_REJECTED] = ISCSI_TMF_RSP_REJECTED,
};

static int respond(struct iscsi_conn *conn, be32 itt, uint8_t response)
{
	struct iscsi_pdu *pdu = iscsi_pdu_new(ISCSI_OP_TASK_RSP);

	if (!pdu)
		return -ENOMEM;
	pdu->task_rsp.itt = itt;
	pdu->task_rsp.response = response;
	iscsi_conn_send(conn, pdu);
	return 0;
}

static void drop_sessions(struct mail *m)
{
	struct tmf *tmf = container_of(m, struct tmf, mail);

	iscsi_register_close_all(tmf->tid, 0, 0, NULL, NULL);
	free(tmf);
}

static void done(struct scsi_tmf *scsi, enum scsi_tmf_response rsp)
{
	struct tmf *tmf = container_of(scsi, struct tmf, scsi);
	struct iscsi_conn *conn = tmf->conn;
	struct iscsi_session *s = conn->session;

	if (s) {
		s->nr_tmfs--;
		log_info("conn %lu: task management function %u answered %u",
			 (unsigned long)conn->id, tmf->function, answers[rsp]);
		if (respond(conn, tmf->itt, answers[rsp]) < 0)
			iscsi_conn_close(conn, "no memory for a response");
	}
	iscsi_conn_put(conn);
	/* 11.5.1: a cold reset ends every connection of the target. */
	if (tmf->function == ISCSI_TMF_TARGET_COLD_RESET) {
		reactor_mailbox_send(reactor_group_control(), &tmf->mail,
				     drop_sessions);
		return;
	}
	free(tmf);
}

/* ABORT TASK of something that the SCSI core does not know. */
static uint8_t abort_unknown(struct iscsi_session *s, struct iscsi_command *cmd,
			     const struct iscsi_bhs_task_req *req)
{
	if (cmd) {		/* waits for data that nobody needs any more */
		iscsi_command_drop_one(cmd);
		return ISCSI_TMF_RSP_COMPLETE;
	}
	return iscsi_cmdsn_cancel(s, be32_get(req->ref_itt), be32_get(req->ref_cmdsn),
				  be32_get(req->cmdsn))
		? ISCSI_TMF_RSP_COMPLETE : ISCSI_TMF_RSP_NO_TASK;
}

static int start(struct iscsi_conn *conn, const struct iscsi_bhs_task_req *req,
		 struct iscsi_command *cmd)
{
	const uint8_t function = req->function & 0x7f;
	struct iscsi_session *s = conn->session;
	const uint64_t lun = be64_get(req->lun);
	struct tmf *tmf = calloc(1, sizeof(*tmf));

	if (!tmf)
		return -ENOMEM;
	if (function == ISCSI_TMF_TARGET_WARM_RESET ||
	    function == ISCSI_TMF_TARGET_COLD_RESET)
		iscsi_command_drop(s, NULL);
	else if (function != ISCSI_TMF_ABORT_TASK)
		iscsi_command_drop(s, &lun);
	tmf->conn = conn;
	iscsi_conn_get(conn);
	s->nr_tmfs++;
	tmf->itt = req->itt;
	tmf->function = function;
	tmf->tid = s->target->scsi->tid;
	tmf->scsi = (struct scsi_tmf){
		.fn = functions[function].fn,
		.nexus = &s->nexus,
		.lun = lun,
		.task = cmd ? &cmd->task : NULL,
		.done = done,
	};
	scsi_tmf_start(&tmf->scsi);
	return 0;
}

int iscsi_task_mgmt_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu)
{
	_cleanup_(iscsi_pdu_freep) struct iscsi_pdu *p = pdu;
	const struct iscsi_bhs_task_req *req = &p->task_req;
	const uint8_t function = req->function & 0x7f;
	struct iscsi_session *s = conn->session;
	struct iscsi_command *cmd = NULL;

	if (function == ISCSI_TMF_TASK_REASSIGN)
		return respond(conn, req->itt, ISCSI_TMF_RSP_NO_REASSIGN);
	if (function >= ARRAY_SIZE(functions) || !functions[function].supported)
		return respond(conn, req->itt, ISCSI_TMF_RSP_NOT_SUPPORTED);
	if (s->nr_tmfs >= TMFS_MAX) {
		iscsi_reject(conn, &p->bhs, ISCSI_REJECT_IMMEDIATE);
		return 0;
	}
	if (function == ISCSI_TMF_ABORT_TASK) {
		cmd = iscsi_command_find(s, be32_get(req->ref_itt));
		if (!cmd || !cmd->started || cmd->deferred)
			return respond(conn, req->itt, abort_unknown(s, cmd, req));
		if (cmd->task.lun != be64_get(req->lun))
			return respond(conn, req->itt, ISCSI_TMF_RSP_NO_TASK);
	}
	return start(conn, req, cmd);
}
