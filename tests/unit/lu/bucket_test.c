/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/bucket under a clock of the test's own. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/macros.h"
#include "lu/bucket.h"

#define T0	(1000 * NS_PER_SEC)

static uint64_t take(struct lu_bucket *b, uint64_t tokens, uint64_t now_ns)
{
	uint64_t paid_ns;

	return lu_bucket_take(b, tokens, now_ns, &paid_ns);
}

static void without_a_limit_nobody_waits(void **state)
{
	struct lu_bucket b = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(take(&b, UINT64_MAX, T0), T0);
}

/* 100 a second, 10 at once: 110 in the first second and not one more. */
static void a_burst_then_the_rate(void **state)
{
	struct lu_bucket b = { 0 };
	unsigned int started = 0;
	uint64_t last = 0;

	(void)state;
	lu_bucket_set(&b, 100, 10, T0);
	for (unsigned int i = 0; i < 200; i++) {
		const uint64_t start = take(&b, 1, T0);

		assert_true(start >= last);
		last = start;
		if (i < 10)
			assert_int_equal(start, T0);
		started += start < T0 + NS_PER_SEC;
	}
	/* The rounding of the burst is 10 us, a thousandth of a token here. */
	assert_in_range(started, 109, 110);
}

/* Over any time, whatever is asked and whenever: burst + rate * t, and where there
 * is always somebody who waits, not less than rate * t. */
static void never_more_than_burst_and_rate(void **state)
{
	static const struct {
		uint64_t rate, burst, max_tokens;
	} cases[] = {
		{ 1, 1, 1 }, { 3, 3, 1 }, { 7, 1, 1 }, { 100, 10, 1 }, { 33333, 500, 1 },
		{ 1000000, 20000, 1 }, { 1 << 20, 1 << 20, 1 << 16 },
		{ 700 << 20, 64 << 20, 1 << 20 }, { 1 << 20, 4096, 1 << 20 },
	};
	unsigned int seed = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint64_t rate = cases[i].rate;
		const uint64_t min = rate * LU_BUCKET_BURST_MIN_NS / NS_PER_SEC;
		/* One that is larger than the burst starts when the bucket is full. */
		const uint64_t burst = MAX(MAX(cases[i].burst, min), cases[i].max_tokens);
		struct lu_bucket b = { 0 };
		uint64_t now = T0, taken = 0;

		lu_bucket_set(&b, rate, cases[i].burst, T0);
		for (unsigned int k = 0; k < 5000; k++) {
			const uint64_t n = 1 + (uint64_t)rand_r(&seed) % cases[i].max_tokens;
			double bound;

			now = take(&b, n, now);
			taken += n;
			bound = (double)burst + (double)rate * ((double)(now - T0) + 11000) / 1e9;
			if ((double)taken > bound + 1)
				fail_msg("case %zu: %llu taken in %llu ns", i,
					 (unsigned long long)taken,
					 (unsigned long long)(now - T0));
			/* Rounding costs less than 1 ns each. */
			if ((double)(taken - n) <
			    (double)rate * ((double)(now - T0) - 5000) / 1e9 - 1)
				fail_msg("case %zu: only %llu taken in %llu ns", i,
					 (unsigned long long)taken,
					 (unsigned long long)(now - T0));
		}
	}
}

static void a_pause_makes_one_burst_and_no_more(void **state)
{
	struct lu_bucket b = { 0 };
	const uint64_t later = T0 + 3600 * NS_PER_SEC;

	(void)state;
	lu_bucket_set(&b, 100, 10, T0);
	for (unsigned int i = 0; i < 50; i++)
		take(&b, 1, T0);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(take(&b, 1, later), later);
	assert_true(take(&b, 1, later) > later);
}

/* A sixteen-fold burst in one piece: it goes, and those after it wait for it. */
static void a_large_one_goes_when_the_bucket_is_full(void **state)
{
	struct lu_bucket b = { 0 };

	(void)state;
	lu_bucket_set(&b, 1 << 20, 1 << 16, T0);
	assert_int_equal(take(&b, 1 << 20, T0), T0);
	assert_in_range(take(&b, 1, T0), T0 + 930 * NS_PER_MS, T0 + NS_PER_SEC);
	/* The next large one waits until all is paid. */
	assert_true(take(&b, 1 << 20, T0) >= T0 + NS_PER_SEC);
}

static void what_is_given_back_can_be_taken(void **state)
{
	struct lu_bucket b = { 0 };
	uint64_t paid_ns, start;

	(void)state;
	lu_bucket_set(&b, 1, 1, T0);
	assert_int_equal(take(&b, 1, T0), T0);
	start = lu_bucket_take(&b, 1000, T0, &paid_ns);
	assert_true(start > T0);
	lu_bucket_give_back(&b, paid_ns);
	assert_in_range(take(&b, 1, T0), T0 + NS_PER_SEC - NS_PER_MS, T0 + NS_PER_SEC);
	/* More than there is: not a bucket that is full in the far future. */
	lu_bucket_give_back(&b, UINT64_MAX);
	assert_int_equal(take(&b, 1, T0), T0);
}

static void a_change_makes_neither_burst_nor_debt(void **state)
{
	struct lu_bucket b = { 0 };

	(void)state;
	lu_bucket_set(&b, 1, 1, T0);
	for (unsigned int i = 0; i < 100; i++)
		take(&b, 1, T0);			/* a debt of 99 s */
	lu_bucket_set(&b, 100, 10, T0);			/* empty, not in debt */
	assert_in_range(take(&b, 1, T0), T0 + 1, T0 + 10 * NS_PER_MS);
	for (unsigned int i = 0; i < 100; i++) {	/* however often */
		lu_bucket_set(&b, 100 + i, 10, T0);
		assert_true(take(&b, 1, T0) > T0);
	}
	lu_bucket_set(&b, 0, 0, T0);
	assert_int_equal(take(&b, 1, T0), T0);
}

/* Costs of hours are one hour: nothing wraps. */
static void numbers_do_not_wrap(void **state)
{
	struct lu_bucket b = { 0 };

	(void)state;
	lu_bucket_set(&b, 1, UINT64_MAX, T0);
	assert_int_equal(take(&b, UINT64_MAX, T0), T0);
	assert_in_range(take(&b, UINT64_MAX, T0), T0, T0 + 3601 * NS_PER_SEC);
	lu_bucket_set(&b, UINT64_MAX, UINT64_MAX, T0 + 1);
	assert_int_equal(take(&b, 1, T0 + 3600 * NS_PER_SEC), T0 + 3600 * NS_PER_SEC);
}

/* --- from many threads --- */

#define THREADS		4
#define TAKES		50000U

static struct lu_bucket shared;

static void *take_many(void *arg)
{
	uint64_t *last = arg;

	for (unsigned int i = 0; i < TAKES; i++)
		*last = take(&shared, 1, T0);
	return NULL;
}

/* None is lost and none is given twice: the last of all starts when it must. */
static void threads_share_it(void **state)
{
	pthread_t threads[THREADS];
	uint64_t last[THREADS], max = 0;

	(void)state;
	lu_bucket_set(&shared, 1000, 1000, T0);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, &last[i]), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		max = MAX(max, last[i]);
	}
	assert_in_range(max, T0 + (THREADS * TAKES - 1001) * NS_PER_MS,
			T0 + (THREADS * TAKES - 1000) * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_nobody_waits),
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(never_more_than_burst_and_rate),
		cmocka_unit_test(a_pause_makes_one_burst_and_no_more),
		cmocka_unit_test(a_large_one_goes_when_the_bucket_is_full),
		cmocka_unit_test(what_is_given_back_can_be_taken),
		cmocka_unit_test(a_change_makes_neither_burst_nor_debt),
		cmocka_unit_test(numbers_do_not_wrap),
		cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests_name("lu/bucket", tests, NULL, NULL);
}
