/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/session.h - sessions.  One belongs to its connection's reactor; control
 * keeps a register of them (iscsi/register.h), which gives out TSIHs and session
 * ids, enforces reinstatement (RFC 7143 6.3.5) and answers tgtadm.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "iscsi/account.h"
#include "iscsi/proto.h"
#include "iscsi/redirect.h"
#include "reactor/mailbox.h"
#include "scsi/nexus.h"

struct iscsi_conn;
struct iscsi_register_entry;
struct iscsi_target;

#define ISCSI_SESSION_BUCKETS	32	/* of commands, by ITT */

struct iscsi_session {
	/* Constant after login. */
	uint16_t tsih;
	uint64_t sid;			/* tgtadm's "I_T nexus" number, from 1 */
	uint8_t isid[6];
	char initiator_name[ISCSI_NAME_MAX + 1];
	char initiator_alias[256];	/* "" if none was given */
	struct iscsi_target *target;	/* holds a reference; NULL: discovery */

	/* The reactor's only. */
	struct iscsi_conn *conn;	/* NULL once it is closed */
	uint32_t exp_cmdsn;
	uint32_t max_cmdsn;
	uint32_t window;		/* commands in flight that we allow at most */
	uint32_t unsolicited_bytes;	/* that one of them may bring */
	uint32_t fair_window;		/* as of so many sessions: */
	unsigned int fair_sessions;
	bool has_sent;			/* a command */
	struct list_head commands[ISCSI_SESSION_BUCKETS]; /* struct iscsi_command by ITT */
	struct list_head held;		/* struct iscsi_pdu ahead of ExpCmdSN, by CmdSN */
	unsigned int nr_held;
	unsigned int nr_commands;	/* not answered: the window follows it */
	unsigned int nr_tmfs;		/* task management functions under way */
	uint32_t next_ttt;
	struct iscsi_text_exchange *text;	/* a long text request or answer */
	struct scsi_nexus nexus;
	bool nexus_open;
	struct mail mail;
	struct iscsi_register_entry *entry;	/* control's; opaque here */
};

/* What a finished login asks of control, and its answer. */
struct iscsi_session_request {
	/* In. */
	struct iscsi_conn *conn;
	struct iscsi_target *target;	/* holds a reference; NULL: discovery */
	uint8_t isid[6];
	uint16_t tsih;			/* not 0: add a connection to that session */
	uint16_t cid;
	char initiator_name[ISCSI_NAME_MAX + 1];
	char initiator_alias[256];
	char user[ISCSI_ACCOUNT_USER_MAX + 1];	/* by CHAP; "": not asked for */

	/* Out. */
	enum iscsi_login_status status;
	struct iscsi_session *session;	/* on OK */
	struct iscsi_redirect_query redirect;	/* .to on MOVED_*; the rest is
						 * iscsi/session.c's only */

	/* Runs on the connection's reactor; the request is the caller's again. */
	void (*done)(struct iscsi_session_request *req);

	struct mail mail;		/* iscsi/session.c only */
	void *priv;
};

/*
 * Register a session: checks that the target is still there and ready and does
 * not send the initiator elsewhere, closes a
 * session of the same initiator port to the same target and waits for its
 * nexus to be given up (bounded; a store that hangs does not hold it), then
 * makes the session with its SCSI nexus.  Threads: the connection's reactor.
 */
void iscsi_session_open(struct iscsi_session_request *req);

/* Sessions of the calling reactor. */
unsigned int iscsi_session_count(void);

/* The connection is gone: nexus loss, off the register, freed when its last
 * task was released.  Threads: the session's reactor. */
void iscsi_session_close(struct iscsi_session *s);

/*
 * Close the connections of that initiator's sessions on this reactor whose other
 * end is closed, even if the reactor has not been told so yet.
 */
void iscsi_session_sweep(int tid, const char *initiator_name);

/* --- mail from iscsi/register.c --- */

void iscsi_session_make(struct mail *m);	/* of a request that is admitted */
void iscsi_session_obey(struct mail *m);	/* an order, of an entry */
