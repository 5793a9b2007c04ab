/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/methods, mgmt/describe: the table is in order, and doc/rpc.md tells it.
 * With RPC_MD_UPDATE=1 the reference part of that file is written anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "mgmt/describe.h"
#include "mgmt/lun_params.h"
#include "mgmt/methods.h"

#define MARK	"<!-- reference: made from the table of methods; see tests/unit/mgmt/methods_test.c -->\n"

static bool ends_with(const char *s, char c)
{
	return *s && s[strlen(s) - 1] == c;
}

static void check_field(const struct mgmt_method *m, const struct mgmt_field *f)
{
	const struct mgmt_field *other = m->fields;

	for (; other->name && other != f; other++)
		if (!strcmp(other->name, f->name))
			fail_msg("%s: two fields %s", m->name, f->name);
	if (!f->help || !*f->help || ends_with(f->help, '.'))
		fail_msg("%s: help of field %s", m->name, f->name);
	if (f->type == MGMT_INT && f->min >= f->max)
		fail_msg("%s: range of field %s", m->name, f->name);
	if (f->type == MGMT_TEXT && f->max && f->min > f->max)
		fail_msg("%s: range of field %s", m->name, f->name);
	/* The decoder's numbers are signed. */
	if (f->type == MGMT_INT && f->max > INT64_MAX)
		fail_msg("%s: maximum of field %s", m->name, f->name);
}

static void table_is_sound(void **state)
{
	const struct mgmt_method *m;

	(void)state;
	for (m = mgmt_methods; m->name; m++) {
		if (m > mgmt_methods && strcmp(m[-1].name, m->name) >= 0)
			fail_msg("%s is not in order", m->name);
		if (!strchr(m->name, '.'))
			fail_msg("%s: must be <object>.<verb>", m->name);
		if (!m->run || !m->help || !*m->help || ends_with(m->help, '.'))
			fail_msg("%s: the row is not complete", m->name);
		assert_non_null(m->fields);
		if (m->result && ends_with(m->result, '.'))
			fail_msg("%s: result", m->name);
		for (const struct mgmt_field *f = m->fields; f && f->name; f++)
			check_field(m, f);
	}
	assert_true(m > mgmt_methods);
}

static void error_numbers_have_texts(void **state)
{
	(void)state;
	assert_int_equal(MGMT_ERR_NR, 25);
	for (int i = 0; i < MGMT_ERR_NR; i++)
		assert_true(strlen(mgmt_error_text(i)) > 3);
	assert_string_equal(mgmt_error_text(-1), "unknown error");
	assert_string_equal(mgmt_error_text(25), "unknown error");
	assert_string_equal(mgmt_error_text(17), "invalid request");
}

/* Sizes of the tables in jansson's reply must not matter: run through rpc. */
static void describe_answered(void *arg, char *text)
{
	json_t **ret = arg;

	*ret = json_loads(text, 0, NULL);
	free(text);
}

static void describe_tells_every_method(void **state)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"system.describe\"}";
	json_t *answer = NULL, *methods;
	size_t n = 0;

	(void)state;
	mgmt_rpc_run(mgmt_methods, line, strlen(line), describe_answered, &answer);
	methods = json_object_get(json_object_get(answer, "result"), "methods");
	for (const struct mgmt_method *m = mgmt_methods; m->name; m++, n++) {
		const json_t *v = json_array_get(methods, n);
		size_t fields = 0;

		while (m->fields[fields].name)
			fields++;
		assert_string_equal(json_string_value(json_object_get(v, "name")), m->name);
		assert_int_equal(json_array_size(json_object_get(v, "fields")), fields);
	}
	assert_int_equal(json_array_size(methods), n);
	json_decref(answer);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (!f)
		fail_msg("%s cannot be read", path);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static void manual_is_up_to_date(void **state)
{
	const char *src = getenv("SRC") ? getenv("SRC") : ".";
	char path[4096], *text, *mark, *want = NULL;
	size_t bytes;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/doc/rpc.md", src);
	text = read_file(path);
	mark = strstr(text, MARK);
	assert_non_null(mark);
	mark += strlen(MARK);
	f = open_memstream(&want, &bytes);
	assert_non_null(f);
	mgmt_describe_write(f, mgmt_methods);
	fclose(f);
	if (getenv("RPC_MD_UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fprintf(f, "%.*s\n%s", (int)(mark - text), text, want);
		assert_int_equal(fclose(f), 0);
	} else if (strcmp(mark + 1, want) != 0) {
		fail_msg("%s differs from the table; run this test with RPC_MD_UPDATE=1", path);
	}
	free(want);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(error_numbers_have_texts),
		cmocka_unit_test(describe_tells_every_method),
		cmocka_unit_test(manual_is_up_to_date),
	};

	return cmocka_run_group_tests_name("mgmt/methods", tests, NULL, NULL);
}
