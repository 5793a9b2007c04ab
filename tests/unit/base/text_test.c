/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
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

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
	static const struct {
		const char *s;
		bool ok;
	} cases[] = {
		{ "", true },
		{ "plain", true },
		{ "\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80", true },
		{ "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", true },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true },
		{ "\xed\x9f\xbf\xee\x80\x80", true },
		{ "\x80", false },			/* nothing before it */
		{ "\xc3", false },			/* nothing after it */
		{ "\xe6\xbc", false },
		{ "\xc3\xc3\xa9", false },
		{ "\xc1\xbf", false },			/* too long */
		{ "\xe0\x9f\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xed\xa0\x80", false },		/* surrogates */
		{ "\xed\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },		/* beyond U+10FFFF */
		{ "\xf8\x88\x80\x80\x80", false },
		{ "\xff", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (text_is_utf8(cases[i].s, strlen(cases[i].s)) != cases[i].ok)
			fail_msg("case %zu", i);
	assert_true(text_is_utf8("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_printable_is_escaped),
		cmocka_unit_test(quoting_never_overruns),
		cmocka_unit_test(a_copy_is_always_terminated),
		cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
