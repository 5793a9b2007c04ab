/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "base/text.h"

static void what_is_not_printable_is_escaped(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(text_quote(buf, sizeof(buf), "plain 'text'", 12), "plain 'text'");
	assert_string_equal(text_quote(buf, sizeof(buf), "a\nb\0c", 5), "a\\x0ab\\x00c");
	assert_string_equal(text_quote(buf, sizeof(buf), "\x1b[2J\xff\\", 6), "\\x1b[2J\\xff\\x5c");
	assert_string_equal(text_quote(buf, sizeof(buf), "", 0), "");
}

static void quoting_never_overruns(void **state)
{
	char text[300], buf[300];

	(void)state;
	for (int c = 1; c < 256; c += 127) {
		memset(text, c, sizeof(text));
		for (size_t room = 9; room < sizeof(buf); room++) {
			memset(buf, '#', sizeof(buf));
			text_quote(buf, room, text, sizeof(text));
			assert_true(strlen(buf) < room);
			assert_string_equal(buf + strlen(buf) - 3, "...");
			assert_int_equal(buf[room], '#');
		}
	}
}

static void a_copy_is_always_terminated(void **state)
{
	char to[4];

	(void)state;
	assert_string_equal(text_copy(to, sizeof(to), "ab"), "ab");
	assert_string_equal(text_copy(to, sizeof(to), "abc"), "abc");
	assert_string_equal(text_copy(to, sizeof(to), "abcd"), "abc");
	assert_string_equal(text_copy(to, 1, "abcd"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_printable_is_escaped),
		cmocka_unit_test(quoting_never_overruns),
		cmocka_unit_test(a_copy_is_always_terminated),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
