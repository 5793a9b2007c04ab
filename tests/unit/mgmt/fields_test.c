/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/fields: what is wrong with a call is found, and said with its field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/macros.h"
#include "mgmt/fields.h"

static const char *const words[] = { "one", "two", NULL };
static const struct mgmt_field fields[] = {
	{ "tid", "number", MGMT_INT, true, 1, 65535, .error = MGMT_ERR_NO_TARGET },
	{ "name", "text", MGMT_TEXT, false, 1, 8 },
	{ "word", "word", MGMT_TEXT, .words = words },
	{ "flag", "flag", MGMT_BOOL },
	{ "params", "pairs", MGMT_PAIRS },
	{ NULL }
};
static const struct mgmt_field common[] = {
	{ "lld", "driver", MGMT_TEXT, .words = words, .error = MGMT_ERR_NO_DRIVER },
	{ NULL }
};

static void good_calls_pass(void **state)
{
	static const char *const calls[] = {
		"{\"tid\":1}",
		"{\"tid\":65535,\"name\":\"a\",\"word\":\"two\",\"flag\":false}",
		"{\"tid\":2,\"name\":\"12345678\",\"lld\":\"one\"}",
		"{\"tid\":2,\"params\":{}}",
		"{\"tid\":2,\"params\":{\"a\":\"x\",\"b\":1,\"c\":true,\"d\":[\"x\",2]}}",
	};
	struct mgmt_fault fault;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		json_t *call = json_loads(calls[i], 0, NULL);

		assert_non_null(call);
		if (mgmt_fields_check(fields, common, call, &fault))
			fail_msg("%s: %s", calls[i], fault.sentence);
		json_decref(call);
	}
}

static void bad_calls_are_explained(void **state)
{
	static const struct {
		const char *call, *field;
		enum mgmt_error error;
		const char *sentence;
	} cases[] = {
		{ "{}", "tid", MGMT_ERR_NO_TARGET, "field 'tid': is required" },
		{ "{\"tid\":0}", "tid", MGMT_ERR_NO_TARGET,
		  "field 'tid': must be 1 to 65535" },
		{ "{\"tid\":65536}", "tid", MGMT_ERR_NO_TARGET,
		  "field 'tid': must be 1 to 65535" },
		{ "{\"tid\":-1}", "tid", MGMT_ERR_NO_TARGET,
		  "field 'tid': must be 1 to 65535" },
		{ "{\"tid\":\"1\"}", "tid", MGMT_ERR_NO_TARGET,
		  "field 'tid': must be 1 to 65535" },
		{ "{\"tid\":1.0}", "tid", MGMT_ERR_NO_TARGET,
		  "field 'tid': must be 1 to 65535" },
		{ "{\"tid\":1,\"name\":\"\"}", "name", MGMT_ERR_INVALID,
		  "field 'name': must be 1 to 8 bytes long" },
		{ "{\"tid\":1,\"name\":\"123456789\"}", "name", MGMT_ERR_INVALID,
		  "field 'name': must be 1 to 8 bytes long" },
		{ "{\"tid\":1,\"name\":5}", "name", MGMT_ERR_INVALID,
		  "field 'name': must be a string" },
		{ "{\"tid\":1,\"word\":\"three\"}", "word", MGMT_ERR_INVALID,
		  "field 'word': 'three' is not one of: one, two" },
		{ "{\"tid\":1,\"lld\":\"fc\"}", "lld", MGMT_ERR_NO_DRIVER,
		  "field 'lld': 'fc' is not one of: one, two" },
		{ "{\"tid\":1,\"flag\":1}", "flag", MGMT_ERR_INVALID,
		  "field 'flag': must be true or false" },
		{ "{\"tid\":1,\"params\":[]}", "params", MGMT_ERR_INVALID,
		  "field 'params': must be an object" },
		{ "{\"tid\":1,\"params\":{\"a\":{}}}", "params", MGMT_ERR_INVALID,
		  "field 'params': the value of 'a' must be text of at most 4096 bytes, "
		  "a number, a boolean, or an array of these" },
		{ "{\"tid\":1,\"params\":{\"a\":[]}}", "params", MGMT_ERR_INVALID,
		  "field 'params': the value of 'a' must be text of at most 4096 bytes, "
		  "a number, a boolean, or an array of these" },
		{ "{\"tid\":1,\"tidd\":1}", NULL, MGMT_ERR_INVALID,
		  "there is no field 'tidd' here" },
		{ "{\"tid\":1,\"a\\u0007\":1}", NULL, MGMT_ERR_INVALID,
		  "there is no field 'a\\x07' here" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *call = json_loads(cases[i].call, 0, NULL);
		struct mgmt_fault fault;

		assert_non_null(call);
		if (mgmt_fields_check(fields, common, call, &fault) == 0)
			fail_msg("%s: accepted", cases[i].call);
		assert_string_equal(fault.sentence, cases[i].sentence);
		assert_int_equal(fault.error, cases[i].error);
		if (cases[i].field)
			assert_string_equal(fault.field, cases[i].field);
		else
			assert_null(fault.field);
		json_decref(call);
	}
}

static void too_many_pairs_are_refused(void **state)
{
	json_t *call = json_pack("{s:i, s:{}}", "tid", 1, "params");
	json_t *params = json_object_get(call, "params");
	struct mgmt_fault fault;
	char name[16];

	(void)state;
	for (int i = 0; i < 65; i++) {
		assert_int_equal(mgmt_fields_check(fields, NULL, call, &fault), 0);
		snprintf(name, sizeof(name), "n%d", i);
		json_object_set_new(params, name, json_true());
	}
	assert_int_not_equal(mgmt_fields_check(fields, NULL, call, &fault), 0);
	assert_string_equal(fault.sentence, "field 'params': more than 64 names");
	json_decref(call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_calls_pass),
		cmocka_unit_test(bad_calls_are_explained),
		cmocka_unit_test(too_many_pairs_are_refused),
	};

	return cmocka_run_group_tests_name("mgmt/fields", tests, NULL, NULL);
}
