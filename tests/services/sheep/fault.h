/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.h - what goes wrong, and when: rules in words.
 *
 *	OP [WHICH...] ACTION
 *
 * OP: a name of request.c's table, or "any".  WHICH: data, inode, slots (what
 * the object is), node=N, vid=N, index=N, nth=N (the first that it happens to,
 * counted from 1), count=N (to how many; 0: to all from then on; default 1).
 * ACTION: a row of fault.c's table.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"

struct request;
struct op;

enum fault_where {
	FAULT_BEFORE, /* the request was not executed */
	FAULT_AFTER,  /* it was, nothing was answered */
	FAULT_TORN,   /* half a header was answered */
	FAULT_ANSWERED,
};

enum fault_what {
	FAULT_DIE,    /* the server, at once */
	FAULT_CLOSE,  /* the connection */
	FAULT_HOLD,   /* until it is let go */
	FAULT_RESULT, /* arg: the result instead of the true one */
	FAULT_DELAY,  /* arg: milliseconds */
	FAULT_MANGLE, /* arg: an enum fault_mangle */
};

enum fault_mangle { MANGLE_ID, MANGLE_OP, MANGLE_SHORT, MANGLE_LONG };

struct fault {
	struct list_head node;
	enum fault_what what;
	enum fault_where where;
	uint32_t arg;
	const struct op *op; /* NULL: any */
	int kind;
	int64_t gateway, vid, index; /* -1: any */
	uint64_t nth, count, seen;
	char text[128];
};

/* NULL: it was taken.  Otherwise the sentence why not. */
const char *fault_add(const char *rule);
void fault_clear(void);

/* The first rule that says something about @r, which each counts. */
const struct fault *fault_match(const struct request *r);

/* Rules with how many each has seen, a line each. */
void fault_list(char *text, unsigned int bytes);
