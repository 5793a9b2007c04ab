/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/login_state.h - what the files login*.c share: the state of a login.
 *
 *	login.c       the stages, requests and responses
 *	login_keys.c  the keys of a request: who, to which target, operational ones
 *	login_auth.c  AuthMethod and CHAP
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "iscsi/account.h"
#include "iscsi/chap.h"
#include "iscsi/keys.h"
#include "iscsi/proto.h"
#include "iscsi/text.h"

struct iscsi_conn;
struct iscsi_target;

/* Keys that are not in the table of operational ones. */
enum iscsi_login_key {
	ISCSI_LOGIN_KEY_INITIATOR_NAME,
	ISCSI_LOGIN_KEY_INITIATOR_ALIAS,
	ISCSI_LOGIN_KEY_TARGET_NAME,
	ISCSI_LOGIN_KEY_SESSION_TYPE,
	ISCSI_LOGIN_KEY_AUTH_METHOD,
	ISCSI_LOGIN_KEY_CHAP_A,
	ISCSI_LOGIN_KEY_CHAP_I,
	ISCSI_LOGIN_KEY_CHAP_C,
	ISCSI_LOGIN_KEY_CHAP_N,
	ISCSI_LOGIN_KEY_CHAP_R,
	ISCSI_LOGIN_KEY_TARGET_ALIAS,
	ISCSI_LOGIN_KEY_TARGET_ADDRESS,
	ISCSI_LOGIN_KEY_PORTAL_GROUP,
	ISCSI_LOGIN_KEY_SEND_TARGETS,
	ISCSI_LOGIN_KEY_NR
};

enum iscsi_login_state {
	ISCSI_LOGIN_FIRST,		/* the initiator has not named itself */
	ISCSI_LOGIN_SECURITY,
	ISCSI_LOGIN_OPERATIONAL,
	ISCSI_LOGIN_OPENING,		/* control makes the session */
	ISCSI_LOGIN_FAILED,
	ISCSI_LOGIN_NR_STATES
};

struct iscsi_login {
	enum iscsi_login_state state;
	struct iscsi_conn *conn;

	/* Why it failed. */
	enum iscsi_login_status status;
	const char *why;

	/* Of the first request; what follows must agree with it. */
	bool begun;
	uint8_t isid[6];
	uint16_t tsih, cid;
	uint32_t cmdsn;

	/* Requests and answers. */
	uint8_t stage;			/* enum iscsi_stage: CSG to expect */
	unsigned int rounds;
	struct iscsi_text in, out;
	const char *given[ISCSI_LOGIN_KEY_NR];	/* in this request; into .in */
	uint32_t seen;			/* BIT(enum iscsi_login_key), ever */
	struct iscsi_bhs_login_req last;	/* being answered */

	/* Who and where to. */
	char initiator_name[ISCSI_NAME_MAX + 1];
	char initiator_alias[256];
	bool discovery;
	struct iscsi_target *target;	/* holds a reference; NULL: discovery */

	/* Security. */
	enum { ISCSI_AUTH_UNDECIDED, ISCSI_AUTH_NONE, ISCSI_AUTH_CHAP } method;
	bool authenticated;
	char user[ISCSI_ACCOUNT_USER_MAX + 1];	/* as whom; "": CHAP was not asked for */
	struct iscsi_chap chap;

	/* Parameters. */
	struct iscsi_params own;	/* the target's side, as it was at first */
	struct iscsi_negotiation neg;
	bool declared;			/* our MaxRecvDataSegmentLength */
	bool proposed;			/* keys of ours, once */
};

/* The status and its reason (a literal, for the log) are kept in @l. */
enum iscsi_login_status iscsi_login_fail(struct iscsi_login *l,
					 enum iscsi_login_status status,
					 const char *why);
/* Add to the answer.  ISCSI_LOGIN_OK, or failed for want of memory. */
enum iscsi_login_status iscsi_login_say(struct iscsi_login *l, const char *key,
					const char *value);

/* Is @name a key of a login that is not in the table of operational ones? */
bool iscsi_login_keys_has(const char *name);
/* Fill given[] from the request's text. */
enum iscsi_login_status iscsi_login_keys_sort(struct iscsi_login *l);
/* The first request: names, target, ACL, and the negotiation begins. */
enum iscsi_login_status iscsi_login_keys_identify(struct iscsi_login *l);
/* Answer all keys of the request that are not in given[]. */
enum iscsi_login_status iscsi_login_keys_negotiate(struct iscsi_login *l);

/* AuthMethod and CHAP keys of the request. */
enum iscsi_login_status iscsi_login_auth_step(struct iscsi_login *l);
/* May the initiator leave the security stage (or never enter it)? */
bool iscsi_login_auth_satisfied(const struct iscsi_login *l);
