/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "iscsi/acl.h"
#include "net/addr.h"

#define ME	"iqn.1994-05.com.example:me"
#define MY_NAME	"@iqn.1994-05.com.example:me"

/* Rules as one line: "@name" is an initiator name, the rest are addresses. */
static struct iscsi_acl *acl(const char *const *rules)
{
	struct iscsi_acl *a = NULL, *next;

	for (; *rules; rules++) {
		const bool name = **rules == '@';

		if (iscsi_acl_add(a, name ? ISCSI_ACL_NAME : ISCSI_ACL_ADDRESS,
				  *rules + name, &next, NULL, 0) < 0)
			fail_msg("%s", *rules);
		iscsi_acl_free(a);
		a = next;
	}
	return a;
}

static bool allows(const struct iscsi_acl *a, const char *address, const char *name)
{
	struct sockaddr_storage peer;

	assert_int_equal(net_addr_parse(address, 1, &peer, NULL, 0), 0);
	return iscsi_acl_allows(a, &peer, name);
}

static void the_rule_of_the_header_holds(void **state)
{
	static const struct {
		const char *rules[4];
		const char *address, *name;
		bool in;
	} cases[] = {
		{ { NULL }, "192.0.2.1", ME, false },
		{ { "ALL" }, "192.0.2.1", ME, true },
		{ { "ALL" }, "2001:db8::1", "x", true },
		{ { "192.0.2.1" }, "192.0.2.1", ME, true },
		{ { "192.0.2.1" }, "192.0.2.2", ME, false },
		{ { "192.0.2.1", "192.0.2.2" }, "192.0.2.2", ME, true },
		{ { "192.0.2.0/24" }, "192.0.2.200", ME, true },
		{ { "192.0.2.0/24" }, "192.0.3.200", ME, false },
		{ { "2001:db8::/32" }, "2001:db8::9", ME, true },
		{ { "2001:db8::/32" }, "192.0.2.1", ME, false },
		/* names alone decide by name */
		{ { MY_NAME }, "192.0.2.1", ME, true },
		{ { MY_NAME }, "192.0.2.1", ME "x", false },
		{ { MY_NAME }, "192.0.2.1", "iqn.1994-05.com.example:m", false },
		{ { MY_NAME, "@iqn.b" }, "192.0.2.1", "iqn.b", true },
		/* with both kinds, both must match */
		{ { "ALL", MY_NAME }, "192.0.2.1", ME, true },
		{ { "ALL", MY_NAME }, "192.0.2.1", "iqn.b", false },
		{ { "192.0.2.1", MY_NAME }, "192.0.2.1", ME, true },
		{ { "192.0.2.1", MY_NAME }, "192.0.2.2", ME, false },
		{ { "192.0.2.1", MY_NAME }, "192.0.2.1", "iqn.b", false },
		/* a name that looks like an address is none */
		{ { "@ALL" }, "192.0.2.1", ME, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iscsi_acl *a = acl(cases[i].rules);

		if (allows(a, cases[i].address, cases[i].name) != cases[i].in)
			fail_msg("case %zu", i);
		iscsi_acl_free(a);
	}
}

static void bad_rules_are_refused_in_a_sentence(void **state)
{
	static const struct {
		enum iscsi_acl_kind kind;
		const char *text;
	} cases[] = {
		{ ISCSI_ACL_ADDRESS, "" }, { ISCSI_ACL_ADDRESS, "not.an.ip" },
		{ ISCSI_ACL_ADDRESS, "all" }, { ISCSI_ACL_ADDRESS, "192.0.2.0/33" },
		{ ISCSI_ACL_ADDRESS, "192.0.2.1:3260" }, { ISCSI_ACL_ADDRESS, "[::1]" },
		{ ISCSI_ACL_NAME, "" }, { ISCSI_ACL_NAME, "iqn.a b" },
		{ ISCSI_ACL_NAME, "iqn.a\nACL information:" },
	};
	char name[300], why[200];
	struct iscsi_acl *a = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		why[0] = '\0';
		assert_int_equal(iscsi_acl_add(NULL, cases[i].kind, cases[i].text, &a, why,
					       sizeof(why)), -EINVAL);
		assert_int_equal(why[strlen(why) - 1], '.');
		assert_null(a);
	}
	memset(name, 'x', sizeof(name));
	name[224] = '\0';
	assert_int_equal(iscsi_acl_add(NULL, ISCSI_ACL_NAME, name, &a, NULL, 0), -EINVAL);
	name[223] = '\0';
	assert_int_equal(iscsi_acl_add(NULL, ISCSI_ACL_NAME, name, &a, NULL, 0), 0);
	iscsi_acl_free(a);
}

static void a_rule_is_bound_once_however_written(void **state)
{
	static const char *const rules[] = { "192.0.2.0/24", "2001:db8::1", "ALL",
					     MY_NAME, NULL };
	static const char *const same[] = { "192.0.2.9/24", "2001:DB8:0::1/128", "ALL" };
	struct iscsi_acl *a = acl(rules), *b = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		assert_int_equal(iscsi_acl_add(a, ISCSI_ACL_ADDRESS, same[i], &b, NULL, 0),
				 -EEXIST);
	assert_int_equal(iscsi_acl_add(a, ISCSI_ACL_NAME, ME, &b, NULL, 0), -EEXIST);
	assert_null(b);
	iscsi_acl_free(a);
}

struct seen {
	unsigned int n;
	const char *text[8];
};

static void note(enum iscsi_acl_kind kind, const char *text, void *arg)
{
	struct seen *s = arg;

	(void)kind;
	s->text[s->n++] = text;
}

static void rules_are_shown_in_order_and_as_written(void **state)
{
	static const char *const rules[] = { "@iqn.b", "192.0.2.9/24", "@iqn.a", "ALL", NULL };
	static const char *const want[] = { "192.0.2.9/24", "ALL", "iqn.b", "iqn.a" };
	struct iscsi_acl *a = acl(rules);
	struct seen s = { 0 };

	(void)state;
	iscsi_acl_each(a, note, &s);
	assert_int_equal(s.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(s.text[i], want[i]);
	iscsi_acl_free(a);
	s.n = 0;
	iscsi_acl_each(NULL, note, &s);
	assert_int_equal(s.n, 0);
}

static void rules_are_removed(void **state)
{
	static const char *const rules[] = { "192.0.2.0/24", MY_NAME, NULL };
	struct iscsi_acl *a = acl(rules), *b = NULL, *c = NULL;

	(void)state;
	assert_int_equal(iscsi_acl_remove(a, ISCSI_ACL_ADDRESS, "ALL", &b, NULL, 0), -ENOENT);
	assert_int_equal(iscsi_acl_remove(a, ISCSI_ACL_ADDRESS, "x", &b, NULL, 0), -EINVAL);
	assert_int_equal(iscsi_acl_remove(NULL, ISCSI_ACL_NAME, ME, &b, NULL, 0), -ENOENT);
	assert_int_equal(iscsi_acl_remove(a, ISCSI_ACL_ADDRESS, "192.0.2.7/24", &b, NULL, 0), 0);
	assert_true(allows(b, "203.0.113.1", ME));
	assert_int_equal(iscsi_acl_remove(b, ISCSI_ACL_NAME, ME, &c, NULL, 0), 0);
	assert_null(c);
	/* The old ones are untouched. */
	assert_false(allows(a, "203.0.113.1", ME));
	iscsi_acl_free(a);
	iscsi_acl_free(b);
}

static void copies_are_equal_and_separate(void **state)
{
	static const char *const rules[] = { "192.0.2.0/24", NULL };
	struct iscsi_acl *a = acl(rules), *b = NULL;

	(void)state;
	assert_int_equal(iscsi_acl_copy(a, &b), 0);
	iscsi_acl_free(a);
	assert_true(allows(b, "192.0.2.1", ME));
	iscsi_acl_free(b);
	assert_int_equal(iscsi_acl_copy(NULL, &b), 0);
	assert_null(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_of_the_header_holds),
		cmocka_unit_test(bad_rules_are_refused_in_a_sentence),
		cmocka_unit_test(a_rule_is_bound_once_however_written),
		cmocka_unit_test(rules_are_shown_in_order_and_as_written),
		cmocka_unit_test(rules_are_removed),
		cmocka_unit_test(copies_are_equal_and_separate),
	};

	return cmocka_run_group_tests_name("iscsi/acl", tests, NULL, NULL);
}
