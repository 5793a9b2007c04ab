/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules.h"

struct seen {
	unsigned int n;
	char last[64];
	bool sorted;
};

static void visit(void *ctx, const char *name, const struct bs_module *m, const char *error)
{
	static const struct {
		const char *name, *error;	/* NULL: it works */
	} expected[] = {
		{ "abi2", "ABI 2" },
		{ "empty", "does not export bs_module" },
		{ "stunted", "fewer than" },
		{ "unresolved", "a_function_that_nobody_has" },
		{ "old", NULL },
		{ "ram", NULL },
	};
	struct seen *s = ctx;

	s->n++;
	s->sorted &= strcmp(s->last, name) < 0;
	snprintf(s->last, sizeof(s->last), "%s", name);
	assert_true(!m == !!error);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		if (strcmp(name, expected[i].name) != 0)
			continue;
		if (!expected[i].error && error)
			fail_msg("%s: %s", name, error);
		if (expected[i].error && (!error || !strstr(error, expected[i].error)))
			fail_msg("%s: '%s'", name, error ? error : "works");
	}
}

static void bad_modules_are_kept_with_their_reasons(void **state)
{
	struct seen s = { .sorted = true };

	(void)state;
	assert_int_equal(bs_loader_scan(build_path("tests/modules")), 0);
	bs_loader_each(visit, &s);
	assert_true(s.n >= 6);
	assert_true(s.sorted);
	assert_non_null(bs_loader_find("ram"));
	assert_null(bs_loader_find("abi2"));
	assert_null(bs_loader_find("nosuch"));
	bs_loader_unload();
	assert_null(bs_loader_find("ram"));
}

static void an_older_module_is_not_read_past_its_end(void **state)
{
	const struct bs_module *m;

	(void)state;
	assert_int_equal(bs_loader_scan(build_path("tests/modules")), 0);
	m = bs_loader_find("old");
	assert_non_null(m);
	assert_true(m->struct_bytes < sizeof(*m));
	assert_non_null(m->submit);
	assert_null(m->flush_batch);
	assert_null(m->volume_list);
	bs_loader_unload();
}

struct doubles {
	unsigned int ram, refused;
};

static void count_doubles(void *ctx, const char *name, const struct bs_module *m,
			  const char *error)
{
	struct doubles *d = ctx;

	if (strcmp(name, "ram") != 0)
		return;
	d->ram += m != NULL;
	d->refused += error && strstr(error, "taken");
}

static void a_name_is_given_once(void **state)
{
	struct doubles d = { 0 };

	(void)state;
	assert_int_equal(bs_loader_scan(build_path("tests/modules")), 0);
	assert_int_equal(bs_loader_scan(build_path("tests/modules")), 0);
	bs_loader_each(count_doubles, &d);
	assert_int_equal(d.ram, 1);
	assert_int_equal(d.refused, 1);
	bs_loader_unload();
}

static void a_missing_directory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(bs_loader_scan("/nonexistent/modules"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_modules_are_kept_with_their_reasons),
		cmocka_unit_test(an_older_module_is_not_read_past_its_end),
		cmocka_unit_test(a_name_is_given_once),
		cmocka_unit_test(a_missing_directory_is_an_error),
	};

	return cmocka_run_group_tests_name("bs/loader", tests, NULL, NULL);
}
