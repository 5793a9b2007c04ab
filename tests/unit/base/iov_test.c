/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "base/iov.h"
#include "base/macros.h"

#define TEXT "abcdefghij"

static char text[] = TEXT;
/* With an empty piece in the middle. */
static const struct iovec list[] = { { text, 3 }, { text + 3, 0 }, { text + 3, 2 },
				     { text + 5, 5 } };
#define CNT ((int)ARRAY_SIZE(list))

static int setup(void **state)
{
	(void)state;
	memcpy(text, TEXT, sizeof(text));
	return 0;
}

static void every_range_is_read(void **state)
{
	char to[16];

	(void)state;
	assert_int_equal(iov_bytes(list, CNT), 10);
	for (size_t off = 0; off <= 11; off++)
		for (size_t n = 0; n <= 12; n++) {
			const size_t want = off >= 10 ? 0 : MIN(n, 10 - off);

			memset(to, '#', sizeof(to));
			assert_int_equal(iov_read(list, CNT, off, to, n), want);
			assert_memory_equal(to, &TEXT[MIN(off, (size_t)10)], want);
			assert_int_equal(to[want], '#');
		}
}

static void writing_stays_in_its_range(void **state)
{
	(void)state;
	assert_int_equal(iov_write(list, CNT, 2, "1234", 4), 4);
	assert_string_equal(text, "ab1234ghij");
	assert_int_equal(iov_write(list, CNT, 8, "xyz", 3), 2);
	assert_string_equal(text, "ab1234ghxy");
	assert_int_equal(iov_write(list, CNT, 10, "z", 1), 0);
	iov_zero(list, CNT);
	for (int i = 0; i < 10; i++)
		assert_int_equal(text[i], 0);
}

static void a_slice_describes_and_does_not_copy(void **state)
{
	struct iovec v[4];
	uint64_t n;

	(void)state;
	assert_int_equal(iov_slice(list, CNT, 2, 6, v, 4, &n), 3);
	assert_int_equal(n, 6);
	assert_ptr_equal(v[0].iov_base, text + 2);
	assert_int_equal(v[0].iov_len, 1);
	assert_ptr_equal(v[2].iov_base, text + 5);
	assert_int_equal(v[2].iov_len, 3);
	assert_int_equal(iov_slice(list, CNT, 2, 6, v, 2, &n), 2);
	assert_int_equal(n, 3);
	assert_int_equal(iov_slice(list, CNT, 8, 100, v, 4, &n), 1);
	assert_int_equal(n, 2);
	assert_int_equal(iov_slice(list, CNT, 10, 1, v, 4, NULL), 0);
	assert_int_equal(iov_slice(list, 0, 0, 1, v, 4, &n), 0);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_range_is_read, setup),
		cmocka_unit_test_setup(writing_stays_in_its_range, setup),
		cmocka_unit_test_setup(a_slice_describes_and_does_not_copy, setup),
	};

	return cmocka_run_group_tests_name("base/iov", tests, NULL, NULL);
}
