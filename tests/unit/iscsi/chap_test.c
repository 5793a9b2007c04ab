/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CHAP.  The expected hashes were computed with `openssl dgst` and again with
 * Python's hashlib:
 *
 *	(printf '\x2a'; printf 'my secret 12345';
 *	 printf '\x00\x01\x02\x03\xfc\xfd\xfe\xff0123456789') | openssl dgst -sha256
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "iscsi/chap.h"

#define SECRET		"my secret 12345"
#define CHALLENGE	"0x00010203fcfdfeff30313233343536373839"

static const struct {
	uint8_t algorithm, bytes;
	const char *response;
} vectors[] = {
	{ ISCSI_CHAP_MD5, 16, "0x736ab07e63c317b1ac6922cf05a8faf1" },
	{ ISCSI_CHAP_SHA1, 20, "0x297a7746d66f759f27db3364b5f09bd54d3edfd3" },
	{ ISCSI_CHAP_SHA256, 32, "0x4169a2d35688299f7807286495a27171"
				 "489df2a7a0bbbabb6bd908fa20bb9d37" },
	{ ISCSI_CHAP_SHA3_256, 32, "0xc2647fdfb57c457bb1f3220027995461"
				   "10a4867935c213b9d87a203182feefb2" },
};

static void hashes_are_the_known_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct iscsi_chap c = { .algorithm = vectors[i].algorithm };
		char response[ISCSI_CHAP_TEXT_MAX];

		assert_int_equal(iscsi_chap_respond(&c, SECRET, "42", CHALLENGE, response),
				 0);
		assert_string_equal(response, vectors[i].response);
	}
}

static void the_first_offered_is_chosen(void **state)
{
	static const struct {
		const char *list;
		int err;
		uint8_t algorithm;
	} cases[] = {
		{ "5", 0, 5 }, { "6", 0, 6 }, { "7", 0, 7 }, { "8", 0, 8 },
		{ "5,6,7,8", 0, 5 }, { "8,7,6,5", 0, 8 }, { "7,5", 0, 7 },
		{ "6,5", 0, 6 }, { "56,6", 0, 6 }, { "263,8", 0, 8 }, { "7,7", 0, 7 }, { "0x7", 0, 7 }, { "129,130,5", 0, 5 },
		{ "9,4294967295", -ENOTSUP, 0 }, { "0", -ENOTSUP, 0 },
		{ "", -EINVAL, 0 }, { ",", -EINVAL, 0 }, { "7,", -EINVAL, 0 },
		{ "7 ", -EINVAL, 0 }, { "7,8,x", -EINVAL, 0 }, { "md5", -EINVAL, 0 }, { "-7", -EINVAL, 0 },
		{ "99999999999999", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iscsi_chap c = { 0 };

		if (iscsi_chap_offer(&c, cases[i].list) != cases[i].err ||
		    c.algorithm != cases[i].algorithm)
			fail_msg("%s: %u", cases[i].list, c.algorithm);
	}
}

/* RFC 7143 12.1.3: a challenge is at least as long as the hash, and never the
 * same. */
static void challenges_are_long_and_new(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct iscsi_chap a = { 0 }, b = { 0 };
		char list[4];

		snprintf(list, sizeof(list), "%u", vectors[i].algorithm);
		assert_int_equal(iscsi_chap_offer(&a, list), 0);
		assert_int_equal(iscsi_chap_offer(&b, list), 0);
		assert_int_equal(a.challenge_bytes, vectors[i].bytes);
		assert_memory_not_equal(a.challenge, b.challenge, a.challenge_bytes);
	}
}

/* Both roles of this implementation against each other. */
static void a_right_response_is_verified(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct iscsi_chap target = { 0 }, initiator;
		char list[4], id[4], challenge[ISCSI_CHAP_TEXT_MAX];
		char response[ISCSI_CHAP_TEXT_MAX];

		snprintf(list, sizeof(list), "%u", vectors[i].algorithm);
		assert_int_equal(iscsi_chap_offer(&target, list), 0);
		snprintf(id, sizeof(id), "%u", target.id);
		iscsi_chap_encode(target.challenge, target.challenge_bytes, challenge);
		initiator = (struct iscsi_chap){ .algorithm = target.algorithm };
		assert_int_equal(iscsi_chap_respond(&initiator, SECRET, id, challenge,
						    response), 0);
		assert_int_equal(iscsi_chap_verify(&target, SECRET, response), 0);
		assert_int_equal(iscsi_chap_verify(&target, SECRET "6", response), -EACCES);
		assert_int_equal(iscsi_chap_verify(&target, "", response), -EACCES);
		target.id++;
		assert_int_equal(iscsi_chap_verify(&target, SECRET, response), -EACCES);
	}
}

static void a_wrong_response_is_refused(void **state)
{
	static const struct {
		const char *response;
		int err;
	} cases[] = {
		{ "0x736ab07e63c317b1ac6922cf05a8faf1", -EACCES },
		{ "0x00", -EACCES },
		{ "0x736ab07e63c317b1ac6922cf05a8fa", -EACCES },
		{ "0x736ab07e63c317b1ac6922cf05a8faf100", -EACCES },
		{ "0x", -EINVAL }, { "", -EINVAL }, { "736ab07e", -EINVAL },
		{ "0xzz", -EINVAL }, { "0b!", -EINVAL },
		{ "0x736ab07e63c317b1ac6922cf05a8faf1736ab07e63c317b1ac6922cf05a8faf1"
		  "00", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iscsi_chap c = { 0 };

		assert_int_equal(iscsi_chap_offer(&c, "5"), 0);
		if (iscsi_chap_verify(&c, SECRET, cases[i].response) != cases[i].err)
			fail_msg("%s", cases[i].response);
	}
}

static void our_own_challenge_is_not_answered(void **state)
{
	struct iscsi_chap c = { 0 };
	char mine[ISCSI_CHAP_TEXT_MAX], response[ISCSI_CHAP_TEXT_MAX];

	(void)state;
	assert_int_equal(iscsi_chap_offer(&c, "7"), 0);
	iscsi_chap_encode(c.challenge, c.challenge_bytes, mine);
	assert_int_equal(iscsi_chap_respond(&c, SECRET, "1", mine, response), -EACCES);
	mine[1] = 'X';		/* the same in other letters */
	assert_int_equal(iscsi_chap_respond(&c, SECRET, "1", mine, response), -EACCES);
	c.challenge[0] ^= 1;
	assert_int_equal(iscsi_chap_respond(&c, SECRET, "1", mine, response), 0);
}

static void a_foreign_challenge_has_due_form(void **state)
{
	static const struct {
		const char *id, *challenge;
	} cases[] = {
		{ "256", CHALLENGE }, { "-1", CHALLENGE }, { "", CHALLENGE },
		{ "x", CHALLENGE }, { "1", "" }, { "1", "0x" }, { "1", "0xg0" },
		{ "1", "0b" }, { "1", "1234" },
	};
	struct iscsi_chap c = { .algorithm = ISCSI_CHAP_MD5 };
	char response[ISCSI_CHAP_TEXT_MAX], challenge[2 * ISCSI_CHAP_CHALLENGE_MAX + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(iscsi_chap_respond(&c, SECRET, cases[i].id,
						    cases[i].challenge, response), -EINVAL);
	memset(challenge, '0', sizeof(challenge));
	challenge[1] = 'x';
	challenge[2 + 2 * ISCSI_CHAP_CHALLENGE_MAX] = '\0';
	assert_int_equal(iscsi_chap_respond(&c, SECRET, "1", challenge, response), 0);
	challenge[2 + 2 * ISCSI_CHAP_CHALLENGE_MAX] = '0';
	challenge[3 + 2 * ISCSI_CHAP_CHALLENGE_MAX] = '\0';
	assert_int_equal(iscsi_chap_respond(&c, SECRET, "1", challenge, response), -EINVAL);
}

static void binary_values_have_two_notations(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		int err;
		uint8_t first, last;
	} cases[] = {
		{ "0x00", 1, 0, 0, 0 },
		{ "0Xff01", 2, 0, 0xff, 1 },
		{ "0xFfA", 2, 0, 0x0f, 0xfa },
		{ "0xf", 1, 0, 0xf, 0xf },
		{ "0bAA==", 1, 0, 0, 0 },
		{ "0BAQI=", 2, 0, 1, 2 },
		{ "0bAQID", 3, 0, 1, 3 },
		{ "0bAQI", 2, 0, 1, 2 },
		{ "0b+/8=", 2, 0, 0xfb, 0xff },
		{ "0bAAECAwQFBgcICQoLDA0ODxA=", 17, 0, 0, 16 },
		{ "0bA", 0, -EINVAL, 0, 0 },
		{ "0bA===", 0, -EINVAL, 0, 0 },
		{ "0bAA=A", 0, -EINVAL, 0, 0 },
		{ "0bAAE==", 0, -EINVAL, 0, 0 },
		{ "0b====", 0, -EINVAL, 0, 0 },
		{ "0bA-_A", 0, -EINVAL, 0, 0 },
		{ "0bAA A", 0, -EINVAL, 0, 0 },
		{ "0x 1", 0, -EINVAL, 0, 0 },
		{ "00", 0, -EINVAL, 0, 0 },
		{ "0", 0, -EINVAL, 0, 0 },
		{ "", 0, -EINVAL, 0, 0 },
		{ "x00", 0, -EINVAL, 0, 0 },
		{ "0x000102030405060708090a0b0c0d0e0f101112", 0, -EMSGSIZE, 0, 0 },
		{ "0bAAECAwQFBgcICQoLDA0ODxAREhMU", 0, -EMSGSIZE, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t buf[18];
		size_t bytes = 0;
		const int err = iscsi_chap_decode(cases[i].text, buf, sizeof(buf), &bytes);

		if (err != cases[i].err || bytes != cases[i].bytes)
			fail_msg("%s: %d, %zu bytes", cases[i].text, err, bytes);
		if (!err) {
			assert_int_equal(buf[0], cases[i].first);
			assert_int_equal(buf[bytes - 1], cases[i].last);
		}
	}
}

static void what_is_encoded_decodes_to_itself(void **state)
{
	uint8_t data[32], back[32];
	char text[ISCSI_CHAP_TEXT_MAX];
	size_t bytes;

	(void)state;
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 + 11);
	iscsi_chap_encode(data, sizeof(data), text);
	assert_int_equal(strlen(text), 66);
	assert_int_equal(iscsi_chap_decode(text, back, sizeof(back), &bytes), 0);
	assert_int_equal(bytes, sizeof(data));
	assert_memory_equal(back, data, sizeof(data));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_the_known_ones),
		cmocka_unit_test(the_first_offered_is_chosen),
		cmocka_unit_test(challenges_are_long_and_new),
		cmocka_unit_test(a_right_response_is_verified),
		cmocka_unit_test(a_wrong_response_is_refused),
		cmocka_unit_test(our_own_challenge_is_not_answered),
		cmocka_unit_test(a_foreign_challenge_has_due_form),
		cmocka_unit_test(binary_values_have_two_notations),
		cmocka_unit_test(what_is_encoded_decodes_to_itself),
	};

	return cmocka_run_group_tests_name("iscsi/chap", tests, NULL, NULL);
}
