/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/hash.h"
#include "base/macros.h"
#include "lu/reserve_store.h"

#define UNIT	"IET     00010001"

static struct lu_reserve_state *sample(unsigned int n, enum lu_reserve_type type)
{
	struct lu_reserve_state *s = lu_reserve_state_new(n);

	assert_non_null(s);
	s->durable = true;
	s->type = type;
	if (type != LU_RESERVE_NONE && !lu_reserve_type_is_all(type))
		s->holder = (int)(n / 2);
	for (; s->n < n; s->n++) {
		struct lu_reserve_reg *r = &s->reg[s->n];

		r->key = UINT64_MAX - s->n;
		r->who.port = (uint16_t)(UINT16_MAX - s->n);
		snprintf(r->who.initiator, sizeof(r->who.initiator),
			 "iqn.\xc3\xa9%% /\n%u,i,0x00023d000001", s->n);
		memset(r->who.target, 'x', LU_RESERVE_NAME_MAX);
	}
	return s;
}

static void what_is_written_can_be_read(void **state)
{
	static const unsigned int counts[] = { 1, 2, 7, LU_RESERVE_REGS_MAX };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(counts); k++)
		for (unsigned int type = 0; type < LU_RESERVE_NR_TYPES; type++) {
			struct lu_reserve_state *s = sample(counts[k], type), *got = NULL;
			char *text = lu_reserve_store_format(UNIT, s);
			char why[128] = "";

			assert_non_null(text);
			if (lu_reserve_store_parse(text, UNIT, &got, why, sizeof(why)))
				fail_msg("%s", why);
			assert_int_equal(got->n, s->n);
			assert_int_equal(got->type, s->type);
			assert_int_equal(got->holder, s->holder);
			assert_true(got->durable);
			assert_int_equal(got->generation, 0);
			assert_memory_equal(got->reg, s->reg, s->n * sizeof(s->reg[0]));
			free(text);
			free(got);
			free(s);
		}
}

/* Cut anywhere, or with any byte changed: refused, whatever it looks like. */
static void what_is_damaged_is_refused(void **state)
{
	struct lu_reserve_state *s = sample(2, LU_RESERVE_WRITE_EXCLUSIVE), *got = NULL;
	char *text = lu_reserve_store_format(UNIT, s), *copy = strdup(text);
	const size_t n = strlen(text);
	char why[128];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		memcpy(copy, text, n + 1);
		copy[i] = '\0';
		assert_int_equal(lu_reserve_store_parse(copy, UNIT, &got, why, sizeof(why)),
				 -EBADMSG);
		memcpy(copy, text, n + 1);
		copy[i] ^= 0x01;
		assert_int_equal(lu_reserve_store_parse(copy, UNIT, &got, why, sizeof(why)),
				 -EBADMSG);
	}
	assert_null(got);
	free(copy);
	free(text);
	free(s);
}

/* Somebody edited a file and made its checksum right. */
static void what_makes_no_sense_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "type write-exclusive\n", "type none\nholder 0x1 1 a b\n",
		"type write-exclusive\nregistrant 0x1 1 a b\n",
		"type write-exclusive\nholder 0x1 1 a b\nholder 0x1 1 c d\n",
		"type write-exclusive-all-registrants\nholder 0x1 1 a b\n",
		"type nonsense\nregistrant 0x1 1 a b\n",
		"registrant 0x0 1 a b\n", "registrant 0x1 65536 a b\n", "registrant 0x1 1 a\n",
		"registrant 0x1 1 a \n", "registrant 0x1 1 a b%0\n", "registrant 0x1 1 a b%00\n",
		"registrant 0x1 1 a b\nregistrant 0x2 1 A B\n", "unit other\nregistrant 0x1 1 a b\n",
		"what 1\nregistrant 0x1 1 a b\n", "registrant\n",
	};
	struct lu_reserve_state *got = NULL;
	char body[512], text[600], why[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(body, sizeof(body), "tgtd-reservation 1\nunit IET%%20%%20%%20%%20%%2000010001\n%s",
			 cases[i]);
		snprintf(text, sizeof(text), "%ssum %016llx\n", body,
			 (unsigned long long)hash_bytes(body, strlen(body), 0));
		if (lu_reserve_store_parse(text, UNIT, &got, why, sizeof(why)) != -EBADMSG)
			fail_msg("case %zu", i);
	}
	assert_null(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(what_is_damaged_is_refused),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("lu/reserve_store", tests, NULL, NULL);
}
