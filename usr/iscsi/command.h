/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/command.h - a SCSI command on a session: the SCSI task and what iSCSI
 * knows of it.  From a pool of the reactor; one allocation per command.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "scsi/task.h"

struct iscsi_conn;
struct iscsi_pdu;
struct iscsi_session;

#define ISCSI_R2T_MAX	8	/* outstanding for one command, whatever is negotiated */

struct iscsi_r2t {
	uint32_t ttt;
	uint32_t off_bytes, len_bytes;
	uint32_t got_bytes;
	uint32_t next_datasn;
};

struct iscsi_command {
	struct scsi_task task;
	struct list_head node;		/* in session->commands, while not answered */
	struct iscsi_session *session;	/* holds the nexus; valid to the release */
	struct iscsi_conn *conn;	/* holds a reference */
	uint32_t itt;
	uint32_t edtl_bytes;		/* Expected Data Transfer Length */
	bool read, write;
	bool final;			/* no unsolicited Data-Out follows */
	bool started;			/* given to the SCSI core */
	bool collecting;		/* the SCSI core asked for the data */
	bool answered;			/* its response is queued, or none will be */
	bool deferred;			/* response waits for Data-Out that was asked for */
	bool busy;			/* no memory for its data: BUSY */

	/* Data-Out, iscsi/data_out.c. */
	uint32_t unsolicited_bytes;	/* received before the first R2T */
	uint32_t unsolicited_datasn;
	uint32_t got_bytes;		/* all that arrived, in any burst */
	uint32_t asked_bytes;		/* end of what was asked for or announced */
	uint32_t r2tsn;
	uint8_t nr_r2t;
	struct iscsi_r2t r2t[ISCSI_R2T_MAX];
	enum scsi_sense_code data_error;	/* NO_SENSE: none so far */
	uint32_t datasn;		/* Data-In PDUs sent */
};

/* SCSI Command: the header has arrived; makes the command and, if Data-Out
 * comes unasked, gets it a buffer. */
int iscsi_command_header(struct iscsi_conn *conn, struct iscsi_pdu *pdu);
/* The whole PDU, in its turn by CmdSN.  Takes @pdu. */
int iscsi_command_received(struct iscsi_conn *conn, struct iscsi_pdu *pdu);

/* The command that is not yet answered, or NULL. */
struct iscsi_command *iscsi_command_find(struct iscsi_session *s, uint32_t itt);

/* Queue SCSI Response (or Data-In with status), now that nothing is owed by the
 * initiator any more.  iscsi/data_in.c. */
void iscsi_data_in_respond(struct iscsi_command *cmd);

/* Nexus loss, or task management: drop the commands to LUN field @lun (NULL: to
 * any) that the SCSI core does not know or has done with: not started, or
 * deferred. */
void iscsi_command_drop(struct iscsi_session *s, const uint64_t *lun);
void iscsi_command_drop_one(struct iscsi_command *cmd);

/* All the Data-Out that a deferred response waited for has come. */
void iscsi_command_undefer(struct iscsi_command *cmd);

extern const struct scsi_transport iscsi_command_transport;
