/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/wire.h - what a client of the management socket needs to know.  Header
 * only: clients link nothing of the daemon.
 *
 * JSON-RPC 2.0, one object (or one batch) a line, over a Unix stream socket.
 * An error carries, beside code and message:
 *	"data": { "tgt": number, "field": name }
 * tgt's number of the error (enum mgmt_error), and the field at fault if there
 * is one.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* ".<control port>" follows, for the lock file ".lock" after that. */
#define MGMT_SOCKET_BASE	"/var/run/tgtd/socket"
#define MGMT_SOCKET_ENV		"TGT_IPC_SOCKET"	/* replaces the base */
#define MGMT_SOCKET_PATH_MAX	108	/* of struct sockaddr_un, with its NUL */

#define MGMT_REQUEST_MAX	(16U << 20)	/* bytes of a line to the daemon */
#define MGMT_BATCH_MAX		16384		/* calls in a batch */
#define MGMT_CLIENTS_MAX	64

/* Codes of JSON-RPC 2.0, clause 5.1, and ours. */
#define MGMT_RPC_PARSE_ERROR	(-32700)
#define MGMT_RPC_INVALID	(-32600)
#define MGMT_RPC_NO_METHOD	(-32601)
#define MGMT_RPC_BAD_PARAMS	(-32602)
#define MGMT_RPC_REFUSED	(-32001)	/* the caller may not manage us */
#define MGMT_RPC_FAILED		(-32000)	/* the call is right and failed */

/* Numbers and texts are tgt's; scripts compare the texts. */
#define MGMT_ERRORS(X)							\
	X(0, OK, "success")						\
	X(1, UNKNOWN, "unknown error")					\
	X(2, NOMEM, "out of memory")					\
	X(3, NO_DRIVER, "can't find the driver")			\
	X(4, NO_TARGET, "can't find the target")			\
	X(5, NO_LUN, "can't find the logical unit")			\
	X(6, NO_SESSION, "can't find the session")			\
	X(7, NO_CONNECTION, "can't find the connection")		\
	X(8, NO_BINDING, "can't find the binding")			\
	X(9, TARGET_EXISTS, "this target already exists")		\
	X(10, LUN_EXISTS, "this logical unit number already exists")	\
	X(11, BINDING_EXISTS, "this binding already exists")		\
	X(12, ACL_EXISTS, "this access control rule already exists")	\
	X(13, NO_ACL, "this access control rule does not exist")	\
	X(14, ACCOUNT_EXISTS, "this account already exists")		\
	X(15, NO_ACCOUNT, "can't find the account")			\
	X(16, TOO_MANY_ACCOUNTS, "too many accounts")			\
	X(17, INVALID, "invalid request")				\
	X(18, OUTGOING_EXISTS, "this target already has an outgoing account") \
	X(19, TARGET_ACTIVE, "this target is still active")		\
	X(20, LUN_ACTIVE, "this logical unit is still active")		\
	X(21, DRIVER_BUSY, "this driver is busy")			\
	X(22, UNSUPPORTED, "this operation isn't supported")		\
	X(23, UNKNOWN_PARAM, "unknown parameter")			\
	X(24, PREVENT_REMOVAL, "this device has Prevent Removal set")

enum mgmt_error {
#define MGMT_ERROR_ENUM_(number, name, text) MGMT_ERR_##name = number,
	MGMT_ERRORS(MGMT_ERROR_ENUM_)
#undef MGMT_ERROR_ENUM_
	MGMT_ERR_NR
};

static inline const char *mgmt_error_text(int number)
{
	static const char *const texts[] = {
#define MGMT_ERROR_TEXT_(number, name, text) [number] = text,
		MGMT_ERRORS(MGMT_ERROR_TEXT_)
#undef MGMT_ERROR_TEXT_
	};

	return texts[number >= 0 && number < MGMT_ERR_NR ? number :
							   MGMT_ERR_UNKNOWN];
}

/* False: the path is longer than a socket's address can be. */
static inline bool mgmt_socket_path(char buf[MGMT_SOCKET_PATH_MAX],
				    unsigned int control_port)
{
	const char *base = getenv(MGMT_SOCKET_ENV);
	int n;

	if (!base || !*base)
		base = MGMT_SOCKET_BASE;
	n = snprintf(buf, MGMT_SOCKET_PATH_MAX, "%s.%u", base, control_port);
	return n > 0 && n < MGMT_SOCKET_PATH_MAX;
}
