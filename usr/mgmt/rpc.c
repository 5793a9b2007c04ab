/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/rpc.c - a request is one line: a call, or a batch of them.  Its calls
 * run strictly one after the other, so a batch can build on itself.
 *
 * A handler may answer from within run() or later; next_calls() is a loop and
 * not a recursion, so a long batch of quick calls needs no stack.
 *
 * A call may ask to be alone (config.apply does): then those that change something
 * are started when it has ended, in the order in which they came.
 */
#include "mgmt/rpc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"

/* Answers of one batch that we are willing to hold. */
#define ANSWERS_MAX	(16U << 20)

struct mgmt_call {
	const struct mgmt_method *method;
	json_t *params;			/* borrowed; NULL: none */
	json_t *id;			/* borrowed; NULL: a notification */
	json_t *warnings;		/* NULL: none */
	bool waiting;			/* run() was called, no answer yet */
};

struct request {
	const struct mgmt_method *methods;
	json_t *doc;
	size_t next, n;			/* of the batch; n is 1 for a single call */
	bool batch, looping, trusted;
	struct mgmt_call call;		/* the one that runs */
	struct list_head node;		/* of `waiting`; then call was not started */
	char *out;			/* answers so far */
	size_t out_bytes, out_max;
	bool no_memory;
	void (*answered)(void *arg, char *text);
	void *arg;
};

/* What every method takes. */
static const char *const drivers[] = { "iscsi", NULL };
static const struct mgmt_field common[] = {
	{ "lld", "the transport's driver", MGMT_TEXT, .words = drivers,
	  .error = MGMT_ERR_NO_DRIVER },
	{ NULL }
};

static const struct mgmt_call *alone;	/* NULL: none is */
static struct list_head waiting = LIST_HEAD_INIT(waiting);

static void next_calls(struct request *r);

static struct request *request_of(struct mgmt_call *call)
{
	return container_of(call, struct request, call);
}

/* --- answers ---------------------------------------------------------- */

static bool reserve(struct request *r, size_t bytes)
{
	size_t max = r->out_max ? r->out_max : 4096;
	char *p;

	while (max < r->out_bytes + bytes)
		max *= 2;
	if (max == r->out_max)
		return true;
	p = realloc(r->out, max);
	if (!p) {
		r->no_memory = true;
		return false;
	}
	r->out = p;
	r->out_max = max;
	return true;
}

static int append(const char *text, size_t n, void *arg)
{
	struct request *r = arg;

	if (!reserve(r, n + 1))
		return -1;
	memcpy(r->out + r->out_bytes, text, n);
	r->out_bytes += n;
	r->out[r->out_bytes] = '\0';
	return 0;
}

/* Takes @answer (NULL: it could not be made). */
static void add_answer(struct request *r, json_t *answer)
{
	if (!answer) {
		r->no_memory = true;
		return;
	}
	if (r->batch)
		append(r->out_bytes ? "," : "[", 1, r);
	if (json_dump_callback(answer, append, r, JSON_COMPACT) < 0)
		r->no_memory = true;
	json_decref(answer);
}

json_t *mgmt_rpc_string(const char *s)
{
	char clean[1024];
	json_t *v = json_string(s);

	return v ? v : json_string(text_quote(clean, sizeof(clean), s, strlen(s)));
}

static json_t *error_answer(const json_t *id, int code, const char *sentence,
			    enum mgmt_error error, const char *field)
{
	return json_pack("{s:s, s:O?, s:{s:i, s:o, s:{s:i, s:s*}}}", "jsonrpc", "2.0",
			 "id", id, "error", "code", code, "message",
			 mgmt_rpc_string(sentence), "data", "tgt", (int)error,
			 "field", field);
}

static void run_waiting(void)
{
	while (!alone && !list_empty(&waiting)) {
		struct request *r = container_of(waiting.next, struct request, node);

		list_del(&r->node);
		r->call.method->run(&r->call);
	}
}

static void call_ended(struct mgmt_call *call)
{
	struct request *r = request_of(call);

	assert(call->waiting);
	call->waiting = false;
	json_decref(call->warnings);
	call->warnings = NULL;
	if (alone == call) {
		alone = NULL;
		run_waiting();
	}
	if (!r->looping)
		next_calls(r);
}

void mgmt_rpc_reply(struct mgmt_call *call, json_t *result)
{
	if (!result)
		result = json_object();
	if (call->warnings)
		json_object_set(result, "warnings", call->warnings);
	if (call->id)
		add_answer(request_of(call),
			   json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id",
				     call->id, "result", result));
	else
		json_decref(result);
	call_ended(call);
}

static void fail(struct mgmt_call *call, int code, enum mgmt_error error,
		 const char *field, const char *sentence)
{
	log_debug("management: %s: %s", call->method ? call->method->name : "(call)",
		  sentence);
	if (call->id)
		add_answer(request_of(call),
			   error_answer(call->id, code, sentence, error, field));
	call_ended(call);
}

void mgmt_rpc_fail(struct mgmt_call *call, enum mgmt_error error, const char *field,
		   const char *fmt, ...)
{
	char sentence[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	fail(call, MGMT_RPC_FAILED, error, field, sentence);
}

void mgmt_rpc_fail_errno(struct mgmt_call *call, int err, const char *what)
{
	if (err == -ENOMEM)
		mgmt_rpc_fail(call, MGMT_ERR_NOMEM, NULL, "%s: out of memory", what);
	else
		mgmt_rpc_fail(call, MGMT_ERR_UNKNOWN, NULL, "%s: %s", what,
			      strerrordesc_np(-err) ?: "unknown error");
}

void mgmt_rpc_warn(struct mgmt_call *call, const char *fmt, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (!call->warnings)
		call->warnings = json_array();
	json_array_append_new(call->warnings, mgmt_rpc_string(sentence));
}

char *mgmt_rpc_error_line(int code, const char *sentence)
{
	json_t *answer = error_answer(NULL, code, sentence, MGMT_ERR_INVALID, NULL);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	return text;
}

/* --- calls ------------------------------------------------------------ */

static const struct mgmt_method *find_method(const struct mgmt_method *methods,
					     const char *name)
{
	for (; methods->name; methods++)
		if (!strcmp(methods->name, name))
			return methods;
	return NULL;
}

/* JSON-RPC 2.0 clause 4: NULL, or what is wrong with the request object. */
static const char *envelope_fault(const json_t *doc)
{
	const char *version = json_string_value(json_object_get(doc, "jsonrpc"));
	const json_t *id = json_object_get(doc, "id");
	const json_t *params = json_object_get(doc, "params");

	if (!json_is_object(doc))
		return "a call is a JSON object";
	if (!version || strcmp(version, "2.0") != 0)
		return "\"jsonrpc\" must be \"2.0\"";
	if (!json_is_string(json_object_get(doc, "method")))
		return "\"method\" must be a string";
	if (id && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return "\"id\" must be a string, a number or null";
	if (params && !json_is_object(params))
		return "\"params\" must be an object";
	return NULL;
}

static bool is_valid_id(const json_t *id)
{
	return json_is_string(id) || json_is_number(id);
}

static void refuse(struct request *r, const json_t *doc, int code, const char *sentence)
{
	const json_t *id = json_object_get(doc, "id");

	add_answer(r, error_answer(is_valid_id(id) ? id : NULL, code, sentence,
				   MGMT_ERR_INVALID, NULL));
}

static void start_call(struct request *r, json_t *doc)
{
	struct mgmt_call *call = &r->call;
	const char *wrong = envelope_fault(doc);
	struct mgmt_fault fault;
	char sentence[160], quoted[96];
	const char *name;

	if (wrong) {
		refuse(r, doc, MGMT_RPC_INVALID, wrong);
		return;
	}
	*call = (struct mgmt_call){
		.params = json_object_get(doc, "params"),
		.id = json_object_get(doc, "id"),
		.waiting = true,
	};
	name = json_string_value(json_object_get(doc, "method"));
	call->method = find_method(r->methods, name);
	if (!call->method) {
		snprintf(sentence, sizeof(sentence), "there is no method '%s'",
			 text_quote(quoted, sizeof(quoted), name, strlen(name)));
		fail(call, MGMT_RPC_NO_METHOD, MGMT_ERR_INVALID, NULL, sentence);
	} else if (mgmt_fields_check(call->method->fields, common, call->params,
				     &fault) < 0) {
		fail(call, MGMT_RPC_BAD_PARAMS, fault.error,
		     *fault.where ? fault.where : fault.field, fault.sentence);
	} else if (alone && !call->method->reads) {
		list_add_tail(&waiting, &r->node);
	} else {
		call->method->run(call);
	}
}

static void finish(struct request *r)
{
	void (*const answered)(void *arg, char *text) = r->answered;
	void *const arg = r->arg;
	char *text;

	if (r->batch && r->out_bytes)
		append("]", 1, r);
	if (r->no_memory) {
		log_err("management: out of memory for an answer");
		free(r->out);
		r->out = NULL;
	}
	text = r->out;
	json_decref(r->doc);
	free(r);
	answered(arg, text);
}

static void next_calls(struct request *r)
{
	r->looping = true;
	while (r->next < r->n && !r->call.waiting) {
		json_t *doc = r->batch ? json_array_get(r->doc, r->next) : r->doc;

		r->next++;
		if (r->out_bytes > ANSWERS_MAX)
			refuse(r, doc, MGMT_RPC_INVALID,
			       "not run: the answers of this batch are too long");
		else
			start_call(r, doc);
	}
	r->looping = false;
	if (!r->call.waiting)
		finish(r);
}

/* A line that is no request at all: one answer, no call. */
static void answer_only(struct request *r, int code, const char *sentence)
{
	r->batch = false;
	r->n = 0;
	add_answer(r, error_answer(NULL, code, sentence, MGMT_ERR_INVALID, NULL));
}

static void run_request(const struct mgmt_method *methods, const char *line, size_t n,
			bool trusted, void (*answered)(void *arg, char *text), void *arg)
{
	struct request *r = calloc(1, sizeof(*r));
	json_error_t where;

	if (!r) {
		log_err("management: out of memory for a request");
		answered(arg, NULL);
		return;
	}
	r->methods = methods;
	r->trusted = trusted;
	r->answered = answered;
	r->arg = arg;
	r->doc = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
	r->batch = json_is_array(r->doc);
	r->n = r->batch ? json_array_size(r->doc) : 1;
	if (!r->doc)
		answer_only(r, MGMT_RPC_PARSE_ERROR, where.text);
	else if (r->batch && !r->n)
		answer_only(r, MGMT_RPC_INVALID, "an empty batch");
	else if (r->n > MGMT_BATCH_MAX)
		answer_only(r, MGMT_RPC_INVALID, "too many calls in a batch");
	next_calls(r);
}

void mgmt_rpc_run(const struct mgmt_method *methods, const char *line, size_t n,
		  void (*answered)(void *arg, char *text), void *arg)
{
	run_request(methods, line, n, true, answered, arg);
}

void mgmt_rpc_run_untrusted(const struct mgmt_method *methods, const char *line, size_t n,
			    void (*answered)(void *arg, char *text), void *arg)
{
	run_request(methods, line, n, false, answered, arg);
}

bool mgmt_rpc_trusted(const struct mgmt_call *call)
{
	return container_of((struct mgmt_call *)call, struct request, call)->trusted;
}

void mgmt_rpc_alone(struct mgmt_call *call)
{
	assert(!alone);
	alone = call;
}

/* --- values ----------------------------------------------------------- */

const struct mgmt_method *mgmt_rpc_method(const struct mgmt_call *call)
{
	return call->method;
}

const struct mgmt_method *mgmt_rpc_methods(const struct mgmt_call *call)
{
	return container_of((struct mgmt_call *)call, struct request, call)->methods;
}

static const json_t *value(const struct mgmt_call *call, const char *field,
			   enum mgmt_type type)
{
	const struct mgmt_field *f = call->method->fields;

	while (f->name && strcmp(f->name, field) != 0)
		f++;
	assert(f->name && f->type == type);	/* the handler's bug */
	(void)type;
	return json_object_get(call->params, field);
}

const json_t *mgmt_rpc_params(const struct mgmt_call *call)
{
	return call->params;
}

bool mgmt_rpc_has(const struct mgmt_call *call, const char *field)
{
	return json_object_get(call->params, field) != NULL;
}

int64_t mgmt_rpc_int(const struct mgmt_call *call, const char *field, int64_t fallback)
{
	const json_t *v = value(call, field, MGMT_INT);

	return v ? json_integer_value(v) : fallback;
}

bool mgmt_rpc_bool(const struct mgmt_call *call, const char *field)
{
	return json_is_true(value(call, field, MGMT_BOOL));
}

const char *mgmt_rpc_text(const struct mgmt_call *call, const char *field)
{
	return json_string_value(value(call, field, MGMT_TEXT));
}

const json_t *mgmt_rpc_pairs(const struct mgmt_call *call, const char *field)
{
	return value(call, field, MGMT_PAIRS);
}

const json_t *mgmt_rpc_json(const struct mgmt_call *call, const char *field)
{
	return json_object_get(call->params, field);
}
