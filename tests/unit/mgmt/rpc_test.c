/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/rpc: one answer per call, in order, whatever comes in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "mgmt/rpc.h"

static struct mgmt_call *waiting;	/* of test.later */
static unsigned int nr_runs;
static char *answer;			/* of the last run() */
static unsigned int nr_answers;

static void run_echo(struct mgmt_call *call)
{
	nr_runs++;
	mgmt_rpc_reply(call, json_pack("{s:I}", "n",
				       (json_int_t)mgmt_rpc_int(call, "n", -1)));
}

static void run_later(struct mgmt_call *call)
{
	assert_null(waiting);
	waiting = call;
}

static void run_fail(struct mgmt_call *call)
{
	mgmt_rpc_fail(call, MGMT_ERR_NO_TARGET, "n", "there is no target %d", 7);
}

static void run_warn(struct mgmt_call *call)
{
	mgmt_rpc_warn(call, "mind the %s", "step");
	mgmt_rpc_reply(call, NULL);
}

static void run_odd(struct mgmt_call *call)
{
	mgmt_rpc_fail(call, MGMT_ERR_INVALID, NULL, "no UTF-8: \xff");
}

static void run_big(struct mgmt_call *call)
{
	const size_t n = 1 << 20;
	char *text = malloc(n + 1);

	assert_non_null(text);
	nr_runs++;
	memset(text, 'x', n);
	text[n] = '\0';
	mgmt_rpc_reply(call, json_pack("{s:s}", "text", text));
	free(text);
}

static const struct mgmt_field n_field[] = { { "n", "a number", MGMT_INT, false, 0, 9 },
					     { NULL } };
static const struct mgmt_field no_field[] = { { NULL } };
static const struct mgmt_method methods[] = {
	{ "test.big", "", NULL, no_field, run_big },
	{ "test.echo", "", NULL, n_field, run_echo },
	{ "test.fail", "", NULL, no_field, run_fail },
	{ "test.later", "", NULL, no_field, run_later },
	{ "test.odd", "", NULL, no_field, run_odd },
	{ "test.warn", "", NULL, no_field, run_warn },
	{ NULL }
};

static void answered(void *arg, char *text)
{
	assert_ptr_equal(arg, &answer);
	answer = text;
	nr_answers++;
}

static void run(const char *line)
{
	free(answer);
	answer = NULL;
	nr_answers = 0;
	nr_runs = 0;
	mgmt_rpc_run(methods, line, strlen(line), answered, &answer);
}

#define CALL(id, method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"
#define ERROR(id, code, text, data)                                                  \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" text \
	"\",\"data\":" data "}}"
#define INVALID "{\"tgt\":17}"

static void lines_are_answered(void **state)
{
	static const struct {
		const char *line, *answer;	/* NULL: none */
	} cases[] = {
		{ CALL("1", "test.echo", "{\"n\":5}"), RESULT("1", "{\"n\":5}") },
		{ CALL("\"x\"", "test.echo", "{}"), RESULT("\"x\"", "{\"n\":-1}") },
		{ CALL("null", "test.echo", "{}"), RESULT("null", "{\"n\":-1}") },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.echo\"}",
		  RESULT("1", "{\"n\":-1}") },
		{ CALL("1", "test.warn", "{}"),
		  RESULT("1", "{\"warnings\":[\"mind the step\"]}") },
		{ CALL("1", "test.fail", "{}"),
		  ERROR("1", "-32000", "there is no target 7", "{\"tgt\":4,\"field\":\"n\"}") },
		{ CALL("1", "test.odd", "{}"),
		  ERROR("1", "-32000", "no UTF-8: \\\\xff", INVALID) },
		{ CALL("1", "test.none", "{}"),
		  ERROR("1", "-32601", "there is no method 'test.none'", INVALID) },
		{ CALL("1", "test.echo", "{\"n\":10}"),
		  ERROR("1", "-32602", "field 'n': must be 0 to 9",
			"{\"tgt\":17,\"field\":\"n\"}") },
		{ CALL("1", "test.echo", "{\"lld\":\"fc\"}"),
		  ERROR("1", "-32602", "field 'lld': 'fc' is not one of: iscsi",
			"{\"tgt\":3,\"field\":\"lld\"}") },
		{ CALL("1", "test.echo", "[5]"),
		  ERROR("1", "-32600", "\\\"params\\\" must be an object", INVALID) },
		{ CALL("{}", "test.echo", "{}"),
		  ERROR("null", "-32600", "\\\"id\\\" must be a string, a number or null",
			INVALID) },
		{ "{\"id\":1,\"method\":\"test.echo\"}",
		  ERROR("1", "-32600", "\\\"jsonrpc\\\" must be \\\"2.0\\\"", INVALID) },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1}",
		  ERROR("1", "-32600", "\\\"method\\\" must be a string", INVALID) },
		{ "5", ERROR("null", "-32600", "a call is a JSON object", INVALID) },
		{ "[]", ERROR("null", "-32600", "an empty batch", INVALID) },
		/* Notifications: not a word, not even of an error. */
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\"}", NULL },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"test.fail\"}", NULL },
		{ "[{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\"}]", NULL },
		{ "[" CALL("1", "test.echo", "{\"n\":1}") "," CALL("2", "test.fail", "{}") ","
		  "{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\"},7,"
		  CALL("3", "test.echo", "{\"n\":3}") "]",
		  "[" RESULT("1", "{\"n\":1}") ","
		  ERROR("2", "-32000", "there is no target 7",
			"{\"tgt\":4,\"field\":\"n\"}") ","
		  ERROR("null", "-32600", "a call is a JSON object", INVALID) ","
		  RESULT("3", "{\"n\":3}") "]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run(cases[i].line);
		assert_int_equal(nr_answers, 1);
		if (!cases[i].answer)
			assert_null(answer);
		else
			assert_string_equal(answer, cases[i].answer);
	}
}

static void what_is_no_json_is_a_parse_error(void **state)
{
	static const char *const lines[] = {
		"", "{", "}", "{]", "nonsense", "\"", "{\"a\":1,\"a\":2}", "[1,", "\xff\xfe",
		"{\"a\":\"\\u0000\"}", "{} {}", "{\"jsonrpc\":\"2.0\"}x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		run(lines[i]);
		assert_int_equal(nr_answers, 1);
		assert_non_null(answer);
		if (!strstr(answer, "\"code\":-32700"))
			fail_msg("%s: %s", lines[i], answer);
	}
}

static void a_deep_line_does_not_exhaust_the_stack(void **state)
{
	const size_t n = 1 << 20;
	char *line = malloc(n + 1);

	(void)state;
	assert_non_null(line);
	memset(line, '[', n);
	line[n] = '\0';
	run(line);
	assert_non_null(strstr(answer, "\"code\":-32700"));
	free(line);
}

static void a_late_answer_holds_back_the_rest(void **state)
{
	(void)state;
	run("[" CALL("1", "test.later", "{}") "," CALL("2", "test.echo", "{\"n\":2}") ","
	    CALL("3", "test.later", "{}") "]");
	for (int i = 0; i < 2; i++) {
		struct mgmt_call *call = waiting;

		assert_int_equal(nr_answers, 0);
		assert_int_equal(nr_runs, i);	/* test.echo ran after the first */
		assert_non_null(call);
		waiting = NULL;
		mgmt_rpc_reply(call, NULL);
	}
	assert_int_equal(nr_answers, 1);
	assert_string_equal(answer, "[" RESULT("1", "{}") "," RESULT("2", "{\"n\":2}") ","
				    RESULT("3", "{}") "]");
}

/* One more call than there may be, and as many as there may be. */
static void a_batch_has_a_limit(void **state)
{
	static const char call[] = "{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\"}";
	const size_t n = MGMT_BATCH_MAX + 1;
	char *line = malloc(n * sizeof(call) + 2), *p = line;

	(void)state;
	assert_non_null(line);
	*p++ = '[';
	for (size_t i = 0; i < n; i++) {
		memcpy(p, call, sizeof(call) - 1);
		p += sizeof(call) - 1;
		*p++ = ',';
	}
	memcpy(p - 1, "]", 2);
	run(line);
	assert_string_equal(answer,
			    ERROR("null", "-32600", "too many calls in a batch", INVALID));
	assert_int_equal(nr_runs, 0);
	memcpy(p - 1 - sizeof(call), "]", 2);
	run(line);
	assert_null(answer);
	assert_int_equal(nr_runs, MGMT_BATCH_MAX);
	free(line);
}

static void answers_have_a_limit(void **state)
{
	const char call[] = CALL("1", "test.big", "{}");
	const int n = 40;
	char *line = malloc((size_t)n * sizeof(call) + 2), *p = line;

	(void)state;
	assert_non_null(line);
	*p++ = '[';
	for (int i = 0; i < n; i++) {
		memcpy(p, call, sizeof(call) - 1);
		p += sizeof(call) - 1;
		*p++ = ',';
	}
	memcpy(p - 1, "]", 2);
	run(line);
	assert_in_range(nr_runs, 10, 20);
	assert_in_range(strlen(answer), 10 << 20, 20 << 20);
	assert_non_null(strstr(answer, "not run: the answers of this batch are too long"));
	free(line);
}

static void error_lines_are_json(void **state)
{
	char *line = mgmt_rpc_error_line(MGMT_RPC_REFUSED, "go \"away\"");

	(void)state;
	assert_string_equal(line, ERROR("null", "-32001", "go \\\"away\\\"", INVALID));
	free(line);
}

static int forget_answer(void **state)
{
	(void)state;
	free(answer);
	answer = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(lines_are_answered, forget_answer),
		cmocka_unit_test_teardown(what_is_no_json_is_a_parse_error, forget_answer),
		cmocka_unit_test_teardown(a_deep_line_does_not_exhaust_the_stack,
					  forget_answer),
		cmocka_unit_test_teardown(a_late_answer_holds_back_the_rest, forget_answer),
		cmocka_unit_test_teardown(a_batch_has_a_limit, forget_answer),
		cmocka_unit_test_teardown(answers_have_a_limit, forget_answer),
		cmocka_unit_test(error_lines_are_json),
	};

	return cmocka_run_group_tests_name("mgmt/rpc", tests, NULL, NULL);
}
