/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "lu/reserve.h"

static void only_the_holder_is_let_through(void **state)
{
	struct lu_reserve r = { 0 };

	(void)state;
	assert_false(lu_reserve_conflicts(&r, 1));
	assert_true(lu_reserve_take(&r, 1));
	assert_true(lu_reserve_take(&r, 1));	/* again, by the same */
	assert_false(lu_reserve_take(&r, 2));
	assert_true(lu_reserve_conflicts(&r, 2));
	assert_false(lu_reserve_conflicts(&r, 1));
	lu_reserve_release(&r, 2);		/* no effect */
	assert_true(lu_reserve_conflicts(&r, 2));
	lu_reserve_release(&r, 1);
	assert_true(lu_reserve_take(&r, 2));
	lu_reserve_clear(&r);
	assert_false(lu_reserve_conflicts(&r, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_holder_is_let_through),
	};

	return cmocka_run_group_tests_name("lu/reserve", tests, NULL, NULL);
}
