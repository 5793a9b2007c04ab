/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/server.h - the management socket: who may connect, lines in, lines out.
 *
 * Each client's requests are answered in order, one at a time; while one runs
 * nothing more is read from that client, which bounds what it can make us hold.
 *
 * Threads: control.
 */
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct mgmt_method;
struct reactor;

#define MGMT_NO_GROUP	((gid_t)-1)

struct mgmt_server_options {
	unsigned int control_port;
	gid_t group;			/* may connect too; MGMT_NO_GROUP: none */
};

/*
 * Take the lock of this control port, for the life of the process; makes the
 * default directory if it is missing.  0, or -errno and a sentence in @why.
 */
int mgmt_server_lock(unsigned int control_port, char *why, size_t why_bytes);

/* Listen.  The lock is held.  0, or -errno and a sentence in @why. */
int mgmt_server_start(struct reactor *r, const struct mgmt_server_options *o,
		      const struct mgmt_method *methods, char *why, size_t why_bytes);

/* Accept nobody any more; clients stay connected. */
void mgmt_server_stop(void);

/* Disconnect everybody and give the lock up: the last thing before exit, so
 * that a client who waits for our end sees it. */
void mgmt_server_fini(void);
