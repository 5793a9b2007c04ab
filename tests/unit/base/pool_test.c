/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "base/pool.h"

#define MAX_OBJECTS 10

static void a_pool_ends_at_its_cap(void **state)
{
	struct pool *p = pool_new(100, 64, 4, MAX_OBJECTS);
	void *v[MAX_OBJECTS];

	(void)state;
	assert_non_null(p);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MAX_OBJECTS; i++) {
			v[i] = pool_get(p);
			assert_non_null(v[i]);
			assert_int_equal((uintptr_t)v[i] % 64, 0);
			memset(v[i], (int)i, 100);
		}
		assert_null(pool_get(p));
		assert_int_equal(pool_in_use(p), MAX_OBJECTS);
		for (size_t i = 0; i < MAX_OBJECTS; i++) {
			const uint8_t *b = v[i];

			for (size_t k = 0; k < 100; k++)
				assert_int_equal(b[k], i);
			pool_put(p, v[i]);
		}
		assert_int_equal(pool_in_use(p), 0);
	}
	pool_free(p);
}

static void a_put_makes_room(void **state)
{
	struct pool *p = pool_new(8, 8, 1, 2);
	void *a = pool_get(p), *b = pool_get(p);

	(void)state;
	assert_null(pool_get(p));
	pool_put(p, a);
	assert_ptr_equal(pool_get(p), a);	/* the warm one */
	pool_trim(p);				/* no effect: in use */
	memset(a, 1, 8);
	memset(b, 2, 8);
	pool_put(p, a);
	pool_put(p, b);
	pool_trim(p);
	a = pool_get(p);			/* it grows again */
	assert_non_null(a);
	pool_put(p, a);
	pool_free(p);
	pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_ends_at_its_cap),
		cmocka_unit_test(a_put_makes_room),
	};

	return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
