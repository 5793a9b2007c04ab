/* SPDX-License-Identifier: BSD-3-Clause */
/* Redirection of logins: its parameters, and what a program answers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "iscsi/redirect.h"

static int set(struct iscsi_redirect *r, const char *name, const char *value)
{
	char why[192] = "";
	const int err = iscsi_redirect_set(r, name, value, why, sizeof(why));

	assert_int_equal(err == -EINVAL, why[0] != '\0');
	return err;
}

static void names_match_by_prefix(void **state)
{
	static const char *const none[] = { "", "R", "Redirect", "redirectPort",
					    "RedirectX", "Port", "MaxQueueCmd" };
	struct iscsi_redirect r = { 0 };

	(void)state;
	assert_int_equal(set(&r, "RedirectP", "1"), 0);
	assert_int_equal(r.port, 1);
	assert_int_equal(set(&r, "RedirectPortNumber", "2"), 0);
	assert_int_equal(r.port, 2);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(set(&r, none[i], "3"), -ENOENT);
	assert_int_equal(r.port, 2);
}

static void addresses_are_numeric_and_alone(void **state)
{
	static const char *const bad[] = { "a.example", "1.2.3", "1.2.3.4:1", "1.2.3.4:",
					   "[::1]:1", ":1", "0.0.0.0", "::", "::1%lo",
					   "1.2.3.4,1" };
	struct iscsi_redirect r = { 0 };
	struct iscsi_redirect_to to;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(set(&r, "RedirectAddress", bad[i]), -EINVAL);
	assert_int_equal(set(&r, "RedirectAddress", "[2001:DB8::1]"), 0);
	assert_string_equal(r.address, "2001:db8::1");
	iscsi_redirect_fixed(&r, &to);
	assert_string_equal(to.address, "[2001:db8::1]:3260");
	assert_int_equal(to.reason, ISCSI_REDIRECT_TEMPORARY);
	assert_int_equal(set(&r, "RedirectAddress", ""), 0);
	iscsi_redirect_fixed(&r, &to);
	assert_int_equal(to.reason, ISCSI_REDIRECT_NONE);
}

static void shown_is_the_callback_or_the_address(void **state)
{
	struct iscsi_redirect r = { 0 }, copy;
	char value[64];
	const char *name;

	(void)state;
	assert_int_equal(set(&r, "RedirectPort", "77"), 0);
	assert_int_equal(set(&r, "RedirectReason", "Permanent"), 0);
	assert_false(iscsi_redirect_show(&r, 0, &name, value, sizeof(value)));
	assert_int_equal(set(&r, "RedirectAddress", "1.2.3.4"), 0);
	assert_true(iscsi_redirect_show(&r, 2, &name, value, sizeof(value)));
	assert_string_equal(name, "RedirectReason");
	assert_string_equal(value, "Permanent");
	assert_false(iscsi_redirect_show(&r, 3, &name, value, sizeof(value)));

	assert_int_equal(set(&r, "RedirectCallback", "/bin/where"), 0);
	assert_int_equal(iscsi_redirect_copy(&r, &copy), 0);
	iscsi_redirect_fini(&r);
	assert_true(iscsi_redirect_show(&copy, 0, &name, value, sizeof(value)));
	assert_string_equal(name, "RedirectCallback");
	assert_string_equal(value, "/bin/where");
	assert_false(iscsi_redirect_show(&copy, 1, &name, value, sizeof(value)));
	iscsi_redirect_fini(&copy);
}

static void answers_are_split_from_the_right(void **state)
{
	static const struct {
		const char *answer, *address;	/* NULL: refused */
		enum iscsi_redirect_reason reason;
	} rows[] = {
		{ "1.2.3.4:5:Temporary\n", "1.2.3.4:5", ISCSI_REDIRECT_TEMPORARY },
		{ "1.2.3.4:5:permanent", "1.2.3.4:5", ISCSI_REDIRECT_PERMANENT },
		{ "::1:3260:Temporary\r\nmore", "[::1]:3260", ISCSI_REDIRECT_TEMPORARY },
		{ "[::1]:3260:Temporary", "[::1]:3260", ISCSI_REDIRECT_TEMPORARY },
		{ "" }, { ":" }, { "::" }, { ":::" }, { "Temporary" }, { "1:Temporary" },
		{ ":1:Temporary" }, { "1.2.3.4:1:" }, { "1.2.3.4:1:Never" },
		{ "1.2.3.4:0:Temporary" }, { "1.2.3.4:65536:Temporary" },
		{ "\n1.2.3.4:5:Temporary" }, { "host:1:Temporary" },
	};
	struct iscsi_redirect_to to;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const int err = iscsi_redirect_parse(rows[i].answer, &to);

		assert_int_equal(err, rows[i].address ? 0 : -EINVAL);
		if (err)
			continue;
		assert_string_equal(to.address, rows[i].address);
		assert_int_equal(to.reason, rows[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_match_by_prefix),
		cmocka_unit_test(addresses_are_numeric_and_alone),
		cmocka_unit_test(shown_is_the_callback_or_the_address),
		cmocka_unit_test(answers_are_split_from_the_right),
	};

	return cmocka_run_group_tests_name("iscsi/redirect", tests, NULL, NULL);
}
