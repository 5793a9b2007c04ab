/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "bs/params.h"

static const struct bs_option table[] = {
	{ .name = "conf", .type = BS_OPT_TEXT },
	{ .name = "id", .type = BS_OPT_TEXT, .fallback = "admin" },
	{ .name = "threads", .type = BS_OPT_U64, .min = 1, .max = 64, .fallback = "4" },
	{ .name = "size", .type = BS_OPT_SIZE, .min = 512 },
	{ .name = "lazy", .type = BS_OPT_BOOL },
	{ 0 },
};

static struct bs_params *parse(const char *text)
{
	struct bs_params *p = NULL;
	char why[256] = "";

	if (bs_params_parse("mod", table, text, why, sizeof(why), &p))
		fail_msg("%s: %s", text, why);
	return p;
}

static void values_come_out_typed(void **state)
{
	struct bs_params *p = parse("conf=/etc/x=y.conf;threads=0x10;size=2k;lazy=on");

	(void)state;
	assert_string_equal(bs_param_text(p, "conf"), "/etc/x=y.conf");
	assert_int_equal(bs_param_u64(p, "threads"), 16);
	assert_int_equal(bs_param_u64(p, "size"), 2048);
	assert_true(bs_param_bool(p, "lazy"));
	assert_string_equal(bs_param_text(p, "id"), "admin");
	assert_true(bs_param_is_set(p, "size"));
	assert_false(bs_param_is_set(p, "id"));
	bs_params_free(p);
}

static void defaults_fill_in(void **state)
{
	static const char *const nothing[] = { NULL, "", ";", ";;" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		struct bs_params *p = parse(nothing[i]);

		assert_null(bs_param_text(p, "conf"));
		assert_int_equal(bs_param_u64(p, "threads"), 4);
		assert_int_equal(bs_param_u64(p, "size"), 0);
		assert_false(bs_param_bool(p, "lazy"));
		assert_null(bs_param_text(p, "not in the table"));
		bs_params_free(p);
	}
}

static void a_bool_needs_no_value(void **state)
{
	struct bs_params *p = parse("lazy;id=me");

	(void)state;
	assert_true(bs_param_bool(p, "lazy"));
	assert_string_equal(bs_param_text(p, "id"), "me");
	bs_params_free(p);
}

static void errors_name_option_fault_and_remedy(void **state)
{
	static const struct {
		const char *text, *words[3];
	} cases[] = {
		{ "colour=red", { "mod", "'colour'", "conf, id, threads, size, lazy" } },
		{ "threads=0", { "threads", "'0'", "from 1 to 64" } },
		{ "threads=65", { "threads", "'65'", "from 1 to 64" } },
		{ "threads=four", { "threads", "'four'", "a number" } },
		{ "threads=-1", { "threads", "'-1'", "a number" } },
		{ "size=511", { "size", "'511'", "at least 512" } },
		{ "size=1kk", { "size", "'1kk'", "bytes" } },
		{ "size=99999999999999999999", { "size", "99999", "bytes" } },
		{ "lazy=perhaps", { "lazy", "'perhaps'", "yes or no" } },
		{ "conf", { "conf", "needs a value", "conf=" } },
		{ "conf=", { "conf", "''", "a text" } },
		{ "id=a;id=b", { "id", "twice", "" } },
		{ "bad\x01=1", { "\\x01", "", "" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bs_params *p = NULL;
		char why[256] = "";
		const int err = bs_params_parse("mod", table, cases[i].text, why,
						sizeof(why), &p);

		if (err != -EINVAL || p)
			fail_msg("%s: %d", cases[i].text, err);
		for (size_t k = 0; k < 3; k++)
			if (!strstr(why, cases[i].words[k]))
				fail_msg("%s: '%s' without '%s'", cases[i].text, why,
					 cases[i].words[k]);
	}
}

static void a_sentence_is_cut_not_overrun(void **state)
{
	struct bs_params *p = NULL;
	char why[16];

	(void)state;
	assert_int_equal(bs_params_parse("mod", table, "colour=red", why, sizeof(why), &p),
			 -EINVAL);
	assert_true(strlen(why) < sizeof(why));
	assert_int_equal(bs_params_parse("mod", NULL, "x=1", why, sizeof(why), &p), -EINVAL);
	assert_int_equal(bs_params_parse("mod", NULL, "", why, sizeof(why), &p), 0);
	bs_params_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_out_typed),
		cmocka_unit_test(defaults_fill_in),
		cmocka_unit_test(a_bool_needs_no_value),
		cmocka_unit_test(errors_name_option_fault_and_remedy),
		cmocka_unit_test(a_sentence_is_cut_not_overrun),
	};

	return cmocka_run_group_tests_name("bs/params", tests, NULL, NULL);
}
