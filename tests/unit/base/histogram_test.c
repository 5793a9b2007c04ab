/* SPDX-License-Identifier: BSD-3-Clause */
/* base/histogram against the sorted durations themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/histogram.h"

#define SAMPLES	20000U

/* Each duration is in exactly one bucket, and no bucket is too wide. */
static void buckets_leave_no_gap(void **state)
{
	uint64_t from = 0;

	(void)state;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		const uint64_t end = histogram_bucket_end_ns(i);

		assert_true(end >= from);
		assert_int_equal(histogram_bucket(from), i);
		assert_int_equal(histogram_bucket(end), i);
		if (from >= HISTOGRAM_UNIT_NS * HISTOGRAM_SUBS)
			assert_true((end + 1 - from) * HISTOGRAM_SUBS <= from);
		from = end + 1;
	}
	assert_true(from > 100 * NS_PER_SEC);
	assert_int_equal(histogram_bucket(from), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* From a microsecond to 64 s, as many of each magnitude. */
static void fill(uint64_t *v, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned int exp = 10 + (unsigned int)rand_r(&seed) % 26;

		v[i] = (1ULL << exp) + (uint64_t)rand_r(&seed) % (1ULL << exp);
	}
}

static void assert_quantile(const uint64_t *sorted, size_t n, unsigned int per_mille,
			    uint64_t got)
{
	const uint64_t truth = sorted[DIV_ROUND_UP(n * per_mille, 1000) - 1];

	if (got < truth || got - truth > truth / HISTOGRAM_SUBS)
		fail_msg("of %zu, %u per mille: %llu, in truth %llu", n, per_mille,
			 (unsigned long long)got, (unsigned long long)truth);
}

static void quantiles_are_those_of_the_sorted_durations(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 10, 999, 1000, 1001, SAMPLES };
	uint64_t *v = calloc(SAMPLES, sizeof(*v));

	(void)state;
	assert_non_null(v);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const size_t n = sizes[i];
		struct histogram h = { 0 };
		struct histogram_summary s;
		uint64_t sum = 0;

		fill(v, n, (unsigned int)i);
		for (size_t k = 0; k < n; k++) {
			histogram_add(&h, v[k]);
			sum += v[k];
		}
		qsort(v, n, sizeof(*v), compare);
		s = histogram_summarize(&h);
		assert_int_equal(s.count, n);
		assert_int_equal(s.mean_ns, sum / n);
		assert_int_equal(s.max_ns, v[n - 1]);
		assert_quantile(v, n, 500, s.p50_ns);
		assert_quantile(v, n, 900, s.p90_ns);
		assert_quantile(v, n, 990, s.p99_ns);
		assert_quantile(v, n, 999, s.p999_ns);
		assert_true(s.p999_ns <= s.max_ns);
	}
	free(v);
}

static void an_empty_one_is_all_zero(void **state)
{
	const struct histogram h = { 0 };
	const struct histogram_summary s = histogram_summarize(&h), none = { 0 };

	(void)state;
	assert_memory_equal(&s, &none, sizeof(s));
}

static void parts_add_up(void **state)
{
	struct histogram whole = { 0 }, parts[3] = { 0 }, sum = { 0 };
	uint64_t v[3000];

	(void)state;
	fill(v, ARRAY_SIZE(v), 7);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		histogram_add(&whole, v[i]);
		histogram_add(&parts[i % 3], v[i]);
	}
	for (size_t i = 0; i < 3; i++)
		histogram_merge(&sum, &parts[i]);
	assert_memory_equal(&sum, &whole, sizeof(sum));
}

/* Longer than the last bucket: still counted, and the maximum is exact. */
static void what_is_too_long_is_counted(void **state)
{
	struct histogram h = { 0 };
	struct histogram_summary s;

	(void)state;
	histogram_add(&h, 1000 * NS_PER_SEC);
	s = histogram_summarize(&h);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.p50_ns, 1000 * NS_PER_SEC);
	assert_int_equal(s.max_ns, 1000 * NS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_leave_no_gap),
		cmocka_unit_test(quantiles_are_those_of_the_sorted_durations),
		cmocka_unit_test(an_empty_one_is_all_zero),
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(what_is_too_long_is_counted),
	};

	return cmocka_run_group_tests_name("base/histogram", tests, NULL, NULL);
}
