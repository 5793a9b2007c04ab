/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/redirect.h - logins that are sent to another address (RFC 7143 11.13.5).
 *
 * A target's config has a fixed address, a program that is asked at each login,
 * or both: then the address serves when the program has no answer.
 *
 * Threads: control.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"
#include "net/addr.h"
#include "reactor/timer.h"

#define ISCSI_REDIRECT_LIMIT_MS		100	/* for a program to answer */
#define ISCSI_REDIRECT_QUEUE_MS		2000	/* for a login until its program starts */
#define ISCSI_REDIRECT_PROGRAMS_MAX	4	/* at once, of all targets */

struct iscsi_redirect_program;
struct iscsi_target;

enum iscsi_redirect_reason { ISCSI_REDIRECT_NONE, ISCSI_REDIRECT_TEMPORARY,
			     ISCSI_REDIRECT_PERMANENT };

/* What is configured; in struct iscsi_target_config.  Zeroed: nothing. */
struct iscsi_redirect {
	char address[NET_ADDR_TEXT_MAX];	/* without port; "": none */
	uint16_t port;				/* 0: 3260 */
	enum iscsi_redirect_reason reason;	/* NONE: temporary */
	char *callback;				/* path, malloc'ed; NULL: none */
};

void iscsi_redirect_fini(struct iscsi_redirect *r);
/* -ENOMEM, then @to has nothing to release. */
int iscsi_redirect_copy(const struct iscsi_redirect *from, struct iscsi_redirect *to);

/*
 * Set the parameter @name (RedirectAddress, RedirectPort, RedirectReason,
 * RedirectCallback; cut short or with more behind it, too) by its text; "" clears
 * it.  -ENOENT: no such name; -EINVAL or -ENOMEM, with a sentence in @why.
 */
int iscsi_redirect_set(struct iscsi_redirect *r, const char *name, const char *value,
		       char *why, size_t why_bytes);

/* What `target show` prints instead of the keys, row @i from 0; false: no more. */
bool iscsi_redirect_show(const struct iscsi_redirect *r, unsigned int i,
			 const char **ret_name, char *value, size_t value_bytes);

/* Where to. */
struct iscsi_redirect_to {
	enum iscsi_redirect_reason reason;	/* NONE: nowhere, log in here */
	char address[NET_ADDR_TEXT_MAX];	/* "1.2.3.4:3260", "[::1]:3260" */
};

/* By the fixed address. */
void iscsi_redirect_fixed(const struct iscsi_redirect *r, struct iscsi_redirect_to *to);
/* A program's "addr:port:reason", an IPv6 address with or without brackets.  -EINVAL. */
int iscsi_redirect_parse(const char *answer, struct iscsi_redirect_to *to);

/* --- asking; iscsi/redirect_callback.c --- */

struct iscsi_redirect_query {	/* the caller's memory, zeroed; ours until done() */
	/* In. */
	struct iscsi_target *target;		/* borrowed */
	const char *peer;			/* borrowed; the initiator's address */
	void (*done)(struct iscsi_redirect_query *q);

	/* Out. */
	struct iscsi_redirect_to to;
	bool cancelled;			/* by iscsi_redirect_cancel() */

	/* iscsi/redirect_callback.c only. */
	struct list_head node;
	struct timer timer;
	struct iscsi_redirect_program *program;	/* NULL: queued */
};

/* True: @q->to tells where, now.  False: a program is asked, done() comes later. */
bool iscsi_redirect_find(struct iscsi_redirect_query *q);
/* End the queries for @tid (-1: all): their done() runs before this returns. */
void iscsi_redirect_cancel(int tid);
