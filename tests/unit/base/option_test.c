/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/option.h"

static void assert_prints(const char *expected, int letter, const char *name,
			  const char *arg_name)
{
	FILE *const real = stdout;
	char *said;
	size_t bytes;

	stdout = open_memstream(&said, &bytes);
	assert_non_null(stdout);
	option_print_help(letter, name, arg_name, "what it is for");
	fclose(stdout);
	stdout = real;
	assert_string_equal(said, expected);
	free(said);
}

static void the_words_stand_in_a_column(void **state)
{
	(void)state;
	assert_prints("  -f, --file path                  what it is for\n", 'f', "file", "path");
	assert_prints("  -h, --help                       what it is for\n", 'h', "help", NULL);
	assert_prints("      --long-only n                what it is for\n", 256, "long-only", "n");
	assert_prints("      --control                    what it is for\n", 1, "control", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_stand_in_a_column),
	};

	return cmocka_run_group_tests_name("base/option", tests, NULL, NULL);
}
