/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/be.h"

static const uint8_t wire[8] = { 0x81, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08 };

static void the_first_byte_is_the_highest(void **state)
{
	const be16 b16 = be16_make(0x8102);
	const be24 b24 = be24_make(0x810203);
	const be32 b32 = be32_make(0x81020304);
	const be64 b64 = be64_make(0x8102030405060708);

	(void)state;
	assert_memory_equal(&b16, wire, 2);
	assert_memory_equal(&b24, wire, 3);
	assert_memory_equal(&b32, wire, 4);
	assert_memory_equal(&b64, wire, 8);
	assert_int_equal(be16_get(b16), 0x8102);
	assert_int_equal(be24_get(b24), 0x810203);
	assert_int_equal(be32_get(b32), 0x81020304);
	assert_int_equal(be64_get(b64), 0x8102030405060708);
}

static void any_width_loads_and_stores(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= 8; n++) {
		uint8_t to[10] = { 0 };
		const uint64_t v = be_load(wire, n);

		assert_int_equal(v, 0x8102030405060708ULL >> 8 * (8 - n));
		to[0] = to[n + 1] = 0xee;
		be_store(to + 1, n, v);
		assert_memory_equal(to + 1, wire, n);
		assert_int_equal(to[0], 0xee);
		assert_int_equal(to[n + 1], 0xee);
	}
}

static void wire_structs_need_no_packing(void **state)
{
	struct odd {
		uint8_t a;
		be32 b;
		be16 c;
		be64 d;
		be24 e;
	};

	(void)state;
	assert_int_equal(sizeof(struct odd), 18);
	assert_int_equal(offsetof(struct odd, d), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_byte_is_the_highest),
		cmocka_unit_test(any_width_loads_and_stores),
		cmocka_unit_test(wire_structs_need_no_packing),
	};

	return cmocka_run_group_tests_name("base/be", tests, NULL, NULL);
}
