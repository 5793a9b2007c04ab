/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/hash.h"

static void hashes_never_change(void **state)
{
	(void)state;
	/* Identities of disks rest on these: a change would rename them all. */
	assert_int_equal(hash_bytes("", 0, 0), 0xecba3df2c3383c52ULL);
	assert_int_equal(hash_bytes("iqn.2001-04.com.example:a", 25, 0), 0xd7625db13bf598beULL);
	assert_int_equal(hash_bytes("iqn.2001-04.com.example:a", 25, 1), 0xf2c42ac34b29922dULL);
	assert_int_equal(hash_string("x"), hash_bytes("x", 1, 0));
	assert_int_not_equal(hash_string("x"), hash_string("y"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_never_change),
	};

	return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
