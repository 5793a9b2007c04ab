/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "iscsi/text.h"

/* A literal with its NULs, without the one that C adds. */
#define RAW(s)	(s), sizeof(s) - 1

static int check(const char *data, size_t bytes)
{
	struct iscsi_text t = { 0 };
	int err;

	err = iscsi_text_append(&t, data, (uint32_t)bytes);
	if (!err)
		err = iscsi_text_check(&t);
	iscsi_text_fini(&t);
	return err;
}

static void pairs_are_read_in_order(void **state)
{
	struct iscsi_text t = { 0 };
	const char *key, *value;
	uint32_t pos = 0;

	(void)state;
	iscsi_text_append(&t, RAW("a=1\0b=\0c=x=y,z\0"));
	assert_int_equal(iscsi_text_check(&t), 0);
	assert_true(iscsi_text_next(&t, &pos, &key, &value));
	assert_string_equal(key, "a");
	assert_string_equal(value, "1");
	assert_true(iscsi_text_next(&t, &pos, &key, &value));
	assert_string_equal(key, "b");
	assert_string_equal(value, "");
	assert_true(iscsi_text_next(&t, &pos, &key, &value));
	assert_string_equal(key, "c");
	assert_string_equal(value, "x=y,z");
	assert_false(iscsi_text_next(&t, &pos, &key, &value));
	assert_string_equal(iscsi_text_find(&t, "c"), "x=y,z");
	assert_null(iscsi_text_find(&t, "x"));
	iscsi_text_fini(&t);
	pos = 0;
	assert_false(iscsi_text_next(&t, &pos, &key, &value));
}

/* The C bit may cut anywhere. */
static void parts_join_wherever_they_are_cut(void **state)
{
	static const char text[] = "InitiatorName=iqn.x\0TargetName=iqn.y\0a=b";

	(void)state;
	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		struct iscsi_text t = { 0 };

		assert_int_equal(iscsi_text_append(&t, text, (uint32_t)cut), 0);
		assert_int_equal(iscsi_text_append(&t, text + cut,
						   (uint32_t)(sizeof(text) - cut)), 0);
		assert_int_equal(iscsi_text_check(&t), 0);
		assert_string_equal(iscsi_text_find(&t, "InitiatorName"), "iqn.x");
		assert_string_equal(iscsi_text_find(&t, "TargetName"), "iqn.y");
		assert_string_equal(iscsi_text_find(&t, "a"), "b");
		iscsi_text_fini(&t);
	}
}

static void form_is_checked(void **state)
{
#define K63 "Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijklmnopqrstuvwxyz0"
	static const struct {
		const char *why, *data;
		size_t bytes;
		int err;
	} cases[] = {
		{ "nothing", RAW(""), 0 },
		{ "only padding", RAW("\0\0\0"), 0 },
		{ "padding after the end", RAW("a=1\0\0\0\0"), 0 },
		{ "no NUL at the end", RAW("a=1"), -EINVAL },
		{ "no NUL after the second", RAW("a=1\0b=2"), -EINVAL },
		{ "no equals sign", RAW("a\0"), -EINVAL },
		{ "no equals sign in the second", RAW("a=1\0b\0"), -EINVAL },
		{ "an equals sign in the next pair only", RAW("a\0b=1\0"), -EINVAL },
		{ "an empty pair inside", RAW("a=1\0\0b=2\0"), -EINVAL },
		{ "no key", RAW("=1\0"), -EINVAL },
		{ "63 bytes of key", RAW(K63 "=1\0"), 0 },
		{ "64 bytes of key", RAW(K63 "x=1\0"), -EINVAL },
		{ "a space in the key", RAW("a b=1\0"), -EINVAL },
		{ "a control character", RAW("a\n=1\0"), -EINVAL },
		{ "eight bits in the key", RAW("\xff=1\0"), -EINVAL },
		{ "eight bits in the value", RAW("a=\xff\xfe\0"), 0 },
		{ "punctuation", RAW("X-#%$~!=1\0"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (check(cases[i].data, cases[i].bytes) != cases[i].err)
			fail_msg("%s: %d", cases[i].why,
				 check(cases[i].data, cases[i].bytes));
}

static void bytes_are_bounded(void **state)
{
	struct iscsi_text t = { 0 };
	char piece[8192];

	(void)state;
	memset(piece, 'v', sizeof(piece));
	for (unsigned int sum = 0; sum < ISCSI_TEXT_BYTES_MAX; sum += sizeof(piece))
		assert_int_equal(iscsi_text_append(&t, piece, sizeof(piece)), 0);
	assert_int_equal(iscsi_text_append(&t, piece, 1), -EMSGSIZE);
	assert_int_equal(t.bytes, ISCSI_TEXT_BYTES_MAX);
	assert_int_equal(iscsi_text_append(&t, piece, 0), 0);
	iscsi_text_fini(&t);
}

static void pairs_are_bounded(void **state)
{
	(void)state;
	for (unsigned int nr = ISCSI_TEXT_PAIRS_MAX; nr <= ISCSI_TEXT_PAIRS_MAX + 1; nr++) {
		struct iscsi_text t = { 0 };

		for (unsigned int i = 0; i < nr; i++)
			assert_int_equal(iscsi_text_append(&t, "a=1", 4), 0);
		assert_int_equal(iscsi_text_check(&t),
				 nr > ISCSI_TEXT_PAIRS_MAX ? -E2BIG : 0);
		iscsi_text_fini(&t);
	}
}

/* Take all of @t in pieces of at most @max, compare with what went in. */
static unsigned int take_all(struct iscsi_text *t, uint32_t max, bool whole_pairs)
{
	const uint32_t total = t->bytes;
	char *want = malloc(total), *got = malloc(total);
	unsigned int pieces = 0;
	uint32_t at = 0;

	memcpy(want, t->buf, total);
	while (t->bytes) {
		uint32_t bytes;
		void *data;

		assert_int_equal(iscsi_text_take(t, max, &data, &bytes), 0);
		assert_true(bytes > 0 && bytes <= max);
		memcpy(got + at, data, bytes);
		at += bytes;
		if (whole_pairs)
			assert_int_equal(((char *)data)[bytes - 1], '\0');
		free(data);
		pieces++;
	}
	assert_int_equal(at, total);
	assert_memory_equal(got, want, total);
	free(want);
	free(got);
	return pieces;
}

static void answers_leave_in_whole_pairs(void **state)
{
	struct iscsi_text t = { 0 };
	char value[200];

	(void)state;
	memset(value, 'v', sizeof(value));
	for (unsigned int i = 0; i < 100; i++) {
		value[i + 50] = '\0';
		assert_int_equal(iscsi_text_add(&t, "TargetName", value), 0);
		value[i + 50] = 'v';
	}
	assert_true(take_all(&t, 512, true) > 20);
	iscsi_text_fini(&t);
}

static void a_pair_longer_than_a_pdu_is_cut(void **state)
{
	struct iscsi_text t = { 0 };
	char value[1000];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(iscsi_text_add(&t, "k", value), 0);
	assert_int_equal(t.bytes, 1002);
	assert_int_equal(take_all(&t, 512, false), 2);
	iscsi_text_fini(&t);
}

static void nothing_to_take_is_no_error(void **state)
{
	struct iscsi_text t = { 0 };
	uint32_t bytes = 1;
	void *data = &bytes;

	(void)state;
	assert_int_equal(iscsi_text_take(&t, 512, &data, &bytes), 0);
	assert_null(data);
	assert_int_equal(bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_read_in_order),
		cmocka_unit_test(parts_join_wherever_they_are_cut),
		cmocka_unit_test(form_is_checked),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(pairs_are_bounded),
		cmocka_unit_test(answers_leave_in_whole_pairs),
		cmocka_unit_test(a_pair_longer_than_a_pdu_is_cut),
		cmocka_unit_test(nothing_to_take_is_no_error),
	};

	return cmocka_run_group_tests_name("iscsi/text", tests, NULL, NULL);
}
