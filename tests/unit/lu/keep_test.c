/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/macros.h"
#include "lu/keep.h"
#include "lu/state_dir.h"

#define UNIT	"IET     0001/0001"

static struct lu_keep_value value[LU_KEEP_NR], got[LU_KEEP_NR];
static char why[128];

static void fill(struct lu_keep_value *v, unsigned int bytes)
{
	*v = (struct lu_keep_value){ .bytes = (uint16_t)bytes };
	for (unsigned int i = 0; i < bytes; i++)
		v->b[i] = (uint8_t)(i + bytes);
}

static void what_is_written_can_be_read(void **state)
{
	static const unsigned int lengths[] = { 0, 1, 255, LU_KEEP_BYTES_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
			char *text;

			fill(&value[LU_KEEP_INFORMATION], lengths[i]);
			fill(&value[LU_KEEP_TEXT_INFORMATION], lengths[k]);
			fill(&value[LU_KEEP_MODE], lengths[i] / 2);
			text = lu_keep_format(UNIT, value);
			assert_non_null(text);
			if (lu_keep_parse(text, UNIT, got, why, sizeof(why)))
				fail_msg("%s", why);
			assert_memory_equal(got, value, sizeof(value));
			free(text);
		}
}

/* One bit is enough; and what it says is of this unit. */
static void what_is_damaged_is_refused(void **state)
{
	char *text, *copy;
	size_t n;

	(void)state;
	fill(&value[LU_KEEP_MODE], 3);
	text = lu_keep_format(UNIT, value);
	n = strlen(text);
	memset(got, 0xee, sizeof(got));
	for (size_t i = 0; i < 8 * n; i++) {
		copy = strdup(text);
		copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
		if (lu_keep_parse(copy, UNIT, got, why, sizeof(why)) != -EBADMSG)
			fail_msg("bit %zu", i);
		free(copy);
	}
	for (size_t i = 0; i < n; i++) {
		copy = strdup(text);
		copy[i] = '\0';
		assert_int_equal(lu_keep_parse(copy, UNIT, got, why, sizeof(why)), -EBADMSG);
		free(copy);
	}
	assert_int_equal(lu_keep_parse(text, "another", got, why, sizeof(why)), -EBADMSG);
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(((uint8_t *)got)[i], 0xee);
	free(text);
}

/* Sealed as it ought to be, but nonsense. */
static void lines_that_make_no_sense_are_refused(void **state)
{
	static const char *const lines[] = {
		"mode", "mode ", "mode 1", "mode  00", "mode 1g", "mode 0A", "mode 00 ",
		"mode 00\nmode 01", "colour 00", "", "unit x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char body[128], *text = NULL;
		size_t bytes = 0;
		FILE *f = open_memstream(&text, &bytes);

		snprintf(body, sizeof(body), "tgtd-kept 1\n%s\n", lines[i]);
		fputs(body, f);
		lu_state_dir_seal(f, body, strlen(body));
		fclose(f);
		if (lu_keep_parse(text, UNIT, got, why, sizeof(why)) != -EBADMSG)
			fail_msg("'%s'", lines[i]);
		free(text);
	}
}

/* --- the state directory --- */

static void files_are_replaced_and_forgotten(void **state)
{
	char dir[] = "/tmp/keep-test-XXXXXX", path[512], *text;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b", dir);
	assert_int_equal(lu_state_dir_set(path), 0);
	assert_true(lu_state_dir_is_set());
	assert_int_equal(lu_state_dir_load("k", UNIT, &text, path, sizeof(path)), 0);
	assert_null(text);
	for (unsigned int i = 0; i < 3; i++) {
		char want[16];

		snprintf(want, sizeof(want), "text %u\n", i);
		assert_int_equal(lu_state_dir_save("k", UNIT, want), 0);
		assert_int_equal(lu_state_dir_load("k", UNIT, &text, path, sizeof(path)), 0);
		assert_string_equal(text, want);
		free(text);
	}
	assert_non_null(strstr(path, "/a/b/k-IET%20%20%20%20%200001%2f0001"));
	assert_int_equal(lu_state_dir_load("other", UNIT, &text, path, sizeof(path)), 0);
	assert_null(text);
	assert_int_equal(lu_state_dir_save("k", UNIT, NULL), 0);
	assert_int_equal(lu_state_dir_save("k", UNIT, NULL), 0);
	assert_int_equal(lu_state_dir_load("k", UNIT, &text, path, sizeof(path)), 0);
	assert_null(text);

	/* Without one, or with one that is gone, nothing is said to be kept. */
	snprintf(path, sizeof(path), "%s/a/b", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(lu_state_dir_save("k", UNIT, "x"), -ENOENT);
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(lu_state_dir_set("/dev/null"), -ENOTDIR);
	assert_false(lu_state_dir_is_set());
	assert_int_equal(lu_state_dir_set(NULL), 0);
	assert_false(lu_state_dir_is_set());
}

static void words_have_no_blanks_and_come_back(void **state)
{
	static const char *const words[] = { "x", " ", "a b/c%d\n", "\xc3\xa9", "%41" };
	char word[64], back[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		lu_state_dir_escape(words[i], word, sizeof(word));
		assert_null(strpbrk(word, " /\n"));
		assert_int_equal(lu_state_dir_unescape(word, back, sizeof(back)), 0);
		assert_string_equal(back, words[i]);
	}
	assert_int_equal(lu_state_dir_unescape("", back, sizeof(back)), -EBADMSG);
	assert_int_equal(lu_state_dir_unescape("%4", back, sizeof(back)), -EBADMSG);
	assert_int_equal(lu_state_dir_unescape("%00", back, sizeof(back)), -EBADMSG);
	assert_int_equal(lu_state_dir_unescape("abcd", back, 4), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(what_is_damaged_is_refused),
		cmocka_unit_test(lines_that_make_no_sense_are_refused),
		cmocka_unit_test(files_are_replaced_and_forgotten),
		cmocka_unit_test(words_have_no_blanks_and_come_back),
	};

	return cmocka_run_group_tests_name("lu/keep", tests, NULL, NULL);
}
