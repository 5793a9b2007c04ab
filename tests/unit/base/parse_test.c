/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "base/parse.h"

#define UNTOUCHED 4711

static void numbers_match_as_a_whole(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "42", 0, 42 },
		{ "0042", 0, 42 },		/* decimal, not octal */
		{ "0x2a", 0, 42 },
		{ "0X2A", 0, 42 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, UNTOUCHED },
		{ "0x10000000000000000", -ERANGE, UNTOUCHED },
		{ "", -EINVAL, UNTOUCHED },
		{ "0x", -EINVAL, UNTOUCHED },
		{ "-1", -EINVAL, UNTOUCHED },
		{ "+1", -EINVAL, UNTOUCHED },
		{ " 1", -EINVAL, UNTOUCHED },
		{ "1 ", -EINVAL, UNTOUCHED },
		{ "1k", -EINVAL, UNTOUCHED },
		{ "one", -EINVAL, UNTOUCHED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = UNTOUCHED;
		const int err = parse_u64(cases[i].text, 0, UINT64_MAX, &v);

		if (err != cases[i].err || v != cases[i].value)
			fail_msg("'%s': %d", cases[i].text, err);
	}
}

static void ranges_are_inclusive(void **state)
{
	uint64_t v = UNTOUCHED;

	(void)state;
	assert_int_equal(parse_u64("4", 5, 7, &v), -ERANGE);
	assert_int_equal(parse_u64("8", 5, 7, &v), -ERANGE);
	assert_int_equal(v, UNTOUCHED);
	assert_int_equal(parse_u64("5", 5, 7, &v), 0);
	assert_int_equal(parse_u64("7", 5, 7, &v), 0);
	assert_int_equal(v, 7);
}

static void sizes_have_binary_suffixes(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "1k", 0, 1024 },
		{ "3M", 0, 3 << 20 },
		{ "2g", 0, 2ULL << 30 },
		{ "1T", 0, 1ULL << 40 },
		{ "1p", 0, 1ULL << 50 },
		{ "16383P", 0, 16383ULL << 50 },
		{ "16384P", -ERANGE, UNTOUCHED },
		{ "k", -EINVAL, UNTOUCHED },
		{ "1kB", -EINVAL, UNTOUCHED },
		{ "1.5G", -EINVAL, UNTOUCHED },
		{ "1e", -EINVAL, UNTOUCHED },
		{ "", -EINVAL, UNTOUCHED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = UNTOUCHED;
		const int err = parse_size(cases[i].text, &v);

		if (err != cases[i].err || v != cases[i].value)
			fail_msg("'%s': %d", cases[i].text, err);
	}
}

static void booleans_have_four_spellings(void **state)
{
	static const char *const yes[] = { "1", "yes", "on", "true", "YES", "True" };
	static const char *const no[] = { "0", "no", "off", "false", "Off" };
	static const char *const bad[] = { "", "2", "y", "enable", "yes " };
	bool v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		v = false;
		assert_int_equal(parse_bool(yes[i], &v), 0);
		assert_true(v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		v = true;
		assert_int_equal(parse_bool(no[i], &v), 0);
		assert_false(v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_bool(bad[i], &v), -EINVAL);
}

static void pairs_are_taken_one_by_one(void **state)
{
	char text[] = ";a=1;;flag;b=;c=x=y;", all[64] = "";
	char *rest = text, *key, *value;

	(void)state;
	while (parse_next_pair(&rest, ';', &key, &value)) {
		const size_t n = strlen(all);

		snprintf(all + n, sizeof(all) - n, "%s:%s ", key, value ? value : "-");
	}
	assert_string_equal(all, "a:1 flag:- b: c:x=y ");
}

static void cpu_lists_name_each_cpu(void **state)
{
	static const char *const bad[] = { "", ",", "1,", "2-1", "a", "1-", "-1", "1,,2", "1 2",
					   "4294967296" };
	int cpus[8];

	(void)state;
	assert_int_equal(parse_cpu_list("0", cpus, 8), 1);
	assert_int_equal(cpus[0], 0);
	assert_int_equal(parse_cpu_list("7,2-4,2", cpus, 8), 5);
	assert_int_equal(cpus[0], 7);
	assert_int_equal(cpus[1], 2);
	assert_int_equal(cpus[3], 4);
	assert_int_equal(cpus[4], 2);
	assert_int_equal(parse_cpu_list("0-7", cpus, 8), 8);
	assert_int_equal(parse_cpu_list("0-8", cpus, 8), -ERANGE);
	assert_int_equal(parse_cpu_list("0-2147483647", cpus, 8), -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_cpu_list(bad[i], cpus, 8), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_match_as_a_whole),
		cmocka_unit_test(ranges_are_inclusive),
		cmocka_unit_test(sizes_have_binary_suffixes),
		cmocka_unit_test(booleans_have_four_spellings),
		cmocka_unit_test(pairs_are_taken_one_by_one),
		cmocka_unit_test(cpu_lists_name_each_cpu),
	};

	return cmocka_run_group_tests_name("base/parse", tests, NULL, NULL);
}
