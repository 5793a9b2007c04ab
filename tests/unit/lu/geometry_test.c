/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/macros.h"
#include "lu/geometry.h"

static void contains_never_wraps(void **state)
{
	static const struct {
		const char *why;
		uint64_t lba, n;
		bool ok;
	} cases[] = {
		{ "last block", 99, 1, true },
		{ "everything", 0, 100, true },
		{ "empty, at the end", 100, 0, true },
		{ "empty, past the end", 101, 0, false },
		{ "one past the end", 100, 1, false },
		{ "too long by one", 1, 100, false },
		{ "lba + n wraps", 1, UINT64_MAX, false },
		{ "lba + n wraps to 0", UINT64_MAX, 1, false },
	};
	const struct lu_geometry g = { .nr_blocks = 100 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (lu_geometry_contains(&g, cases[i].lba, cases[i].n) != cases[i].ok)
			fail_msg("%s", cases[i].why);
}

static void init_takes_what_we_support(void **state)
{
	static const struct {
		const char *why;
		uint64_t size;
		uint32_t block, phys;
		int err;
		uint64_t nr;
		unsigned int exp, phys_exp;
	} cases[] = {
		{ "512 on 4K", 1 << 20, 512, 4096, 0, 2048, 9, 3 },
		{ "4K on 4K", 1 << 20, 4096, 4096, 0, 256, 12, 0 },
		{ "1K on 512", 1 << 20, 1024, 512, 0, 1024, 10, 0 },
		{ "nothing said", 1 << 20, 2048, 0, 0, 512, 11, 0 },
		{ "odd physical size", 1 << 20, 512, 520 * 8, 0, 2048, 9, 0 },
		{ "huge physical size", 1 << 20, 512, 1U << 31, 0, 2048, 9, 15 },
		{ "a rest that is no block", 1023, 512, 0, 0, 1, 9, 0 },
		{ "16 EiB", UINT64_MAX, 512, 0, 0, UINT64_MAX >> 9, 9, 0 },
		{ "256", 1 << 20, 256, 0, -EINVAL, 0, 0, 0 },
		{ "8192", 1 << 20, 8192, 0, -EINVAL, 0, 0, 0 },
		{ "513", 1 << 20, 513, 0, -EINVAL, 0, 0, 0 },
		{ "0", 1 << 20, 0, 0, -EINVAL, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lu_geometry g = { 0 };
		const int err = lu_geometry_init(&g, cases[i].size, cases[i].block,
						 cases[i].phys);

		if (err != cases[i].err || g.nr_blocks != cases[i].nr ||
		    g.block_exp != cases[i].exp || g.phys_exp != cases[i].phys_exp)
			fail_msg("%s", cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contains_never_wraps),
		cmocka_unit_test(init_takes_what_we_support),
	};

	return cmocka_run_group_tests_name("lu/geometry", tests, NULL, NULL);
}
