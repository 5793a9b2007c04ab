/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/rpc.h - JSON-RPC calls: decoded by the table of methods, run one after
 * the other, each answered once, now or later.
 *
 * Threads: control.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/macros.h"
#include "mgmt/fields.h"

struct mgmt_call;

struct mgmt_method {
	const char *name;		/* "<object>.<verb>"; NULL ends the table */
	const char *help;		/* one sentence */
	const char *result;		/* what comes back, one line; NULL: nothing */
	const struct mgmt_field *fields;	/* ended by a NULL name */
	/* Must lead to one mgmt_rpc_reply() or mgmt_rpc_fail(), from within or
	 * later.  Params have been checked against the fields. */
	void (*run)(struct mgmt_call *call);
	bool reads;			/* changes nothing */
};

/*
 * Run what @line (@n bytes, one object or one batch) asks for.  @answered runs
 * once, from within or later, with the line to send, without its newline (NULL:
 * nothing to send) for the caller to free().
 */
void mgmt_rpc_run(const struct mgmt_method *methods, const char *line, size_t n,
		  void (*answered)(void *arg, char *text), void *arg);

/* The same for a peer who may manage us but not see secrets. */
void mgmt_rpc_run_untrusted(const struct mgmt_method *methods, const char *line, size_t n,
			    void (*answered)(void *arg, char *text), void *arg);

/* A line that tells of an error outside any call.  malloc'ed; NULL: no memory. */
char *mgmt_rpc_error_line(int code, const char *sentence);

/* A JSON string of text that may not be UTF-8: then quoted. */
json_t *mgmt_rpc_string(const char *s);

/* --- for handlers --- */

const struct mgmt_method *mgmt_rpc_method(const struct mgmt_call *call);
const struct mgmt_method *mgmt_rpc_methods(const struct mgmt_call *call);

/* All of them; NULL: none were given. */
const json_t *mgmt_rpc_params(const struct mgmt_call *call);

/* Values of fields that the method has.  Absent: @fallback, NULL, false. */
bool mgmt_rpc_has(const struct mgmt_call *call, const char *field);
int64_t mgmt_rpc_int(const struct mgmt_call *call, const char *field, int64_t fallback);
bool mgmt_rpc_bool(const struct mgmt_call *call, const char *field);
const char *mgmt_rpc_text(const struct mgmt_call *call, const char *field);
const json_t *mgmt_rpc_pairs(const struct mgmt_call *call, const char *field);
/* Of an MGMT_OBJECT or MGMT_LIST. */
const json_t *mgmt_rpc_json(const struct mgmt_call *call, const char *field);

/* Whether the caller may see secrets. */
bool mgmt_rpc_trusted(const struct mgmt_call *call);

/* Until this call ends, calls that change something wait for it, of whomever they
 * are.  Not twice for a call. */
void mgmt_rpc_alone(struct mgmt_call *call);

/* The end of a call.  Takes @result; NULL means: nothing to tell. */
void mgmt_rpc_reply(struct mgmt_call *call, json_t *result);
/* @field may be NULL; the sentence is for a person, without a full stop. */
void mgmt_rpc_fail(struct mgmt_call *call, enum mgmt_error error, const char *field,
		   const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Something the caller should know although the call succeeds; before reply. */
void mgmt_rpc_warn(struct mgmt_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Out of memory, or -errno of a layer below. */
void mgmt_rpc_fail_errno(struct mgmt_call *call, int err, const char *what);
