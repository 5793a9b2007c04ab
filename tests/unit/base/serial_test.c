/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/macros.h"
#include "base/serial.h"

/* RFC 1982: half of the numbers are behind, half ahead. */
static void order_survives_the_wrap(void **state)
{
	static const struct {
		uint32_t a, b;
		bool lt, le;
	} cases[] = {
		{ 0, 0, false, true },
		{ 0, 1, true, true },
		{ 1, 0, false, false },
		{ 0xffffffff, 0, true, true },
		{ 0, 0xffffffff, false, false },
		{ 0xfffffff0, 0x10, true, true },
		{ 0, 0x7fffffff, true, true },
		{ 0x7fffffff, 0xfffffffe, true, true },
		{ 0x80000001, 0, true, true },
		{ 0, 0x80000001, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (serial32_lt(cases[i].a, cases[i].b) != cases[i].lt ||
		    serial32_le(cases[i].a, cases[i].b) != cases[i].le)
			fail_msg("%08x, %08x", cases[i].a, cases[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_survives_the_wrap),
	};

	return cmocka_run_group_tests_name("base/serial", tests, NULL, NULL);
}
