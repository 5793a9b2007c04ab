/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/qos: limits hold over reactors, waiting ends by a change or a cancel, and only
 * what counts waits.  A limit of one byte a second makes anything wait for minutes:
 * what ends in time was not timed.
 */
#include "base/clock.h"
#include "disk.h"
#include "lu/latency.h"

#define READS	64U

struct set {
	struct lu *lu;
	struct lu_qos_limits limits;
	int err;
};

static void set_call(void *arg)
{
	struct set *s = arg;

	s->err = lu_qos_set(s->lu, &s->limits);
}

static void set_limits(struct lu *lu, struct lu_qos_limits limits)
{
	struct set s = { .lu = lu, .limits = limits };

	call_on(test_daemon.control, set_call, &s);
	assert_int_equal(s.err, 0);
}

static void settled(void *arg)
{
	(void)arg;
}

/* Whatever was sent to the reactors has arrived. */
static void settle(void)
{
	for (unsigned int i = 0; i < reactor_group_size(); i++)
		call_on(reactor_group_get(i), settled, NULL);
}

static const struct lu_qos_limits none, crawl = { .bw_limit = 1, .bw_burst = 1 };

static uint8_t buffer[65536];
static const struct iovec whole = { buffer, 512 };

static struct request request_of(enum lu_op op)
{
	return (struct request){ .io = { .op = op, .len_bytes = 512, .iov = &whole,
					 .iovcnt = 1 } };
}

static bool is_over(struct request *r)
{
	int n;

	sem_getvalue(&r->over, &n);
	return n > 0;
}

struct fixture {
	struct lu *lu;
	struct client a, b;
};

static struct fixture f;

static int stand(void **state)
{
	(void)state;
	f.lu = disk_open("ram", NULL, "size=8M");
	f.a = client_open(f.lu, 0);
	f.b = client_open(f.lu, 1);
	return 0;
}

static int fall(void **state)
{
	(void)state;
	client_close(&f.a);
	client_close(&f.b);
	disk_close(f.lu);
	return 0;
}

static struct histogram_summary latency(enum lu_latency_kind kind)
{
	struct histogram sum = { 0 };

	lu_latency_sum(f.lu, kind, &sum);
	return histogram_summarize(&sum);
}

/* However long it takes: never more than the burst and what the time has made. */
static void a_limit_holds_over_reactors(void **state)
{
	static const unsigned int rate = 200, burst = 10;
	struct request r[2 * READS];
	uint64_t begin_ns;
	unsigned int over = 0;

	(void)state;
	begin_ns = clock_now_ns();
	set_limits(f.lu, (struct lu_qos_limits){ .iops_limit = rate, .iops_burst = burst });
	settle();
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		r[i] = request_of(LU_READ);
		request_submit(i & 1 ? &f.a : &f.b, &r[i]);
	}
	while (over < ARRAY_SIZE(r)) {
		const struct timespec pause = { .tv_nsec = 200000 };
		double s;

		over = 0;
		for (size_t i = 0; i < ARRAY_SIZE(r); i++)
			over += is_over(&r[i]);
		s = (double)(clock_now_ns() - begin_ns) / 1e9;
		if (over > burst + rate * s + 0.01)
			fail_msg("%u in %f s", over, s);
		nanosleep(&pause, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		assert_int_equal(request_wait(&r[i]), 0);
}

static void a_change_frees_what_waits(void **state)
{
	static const struct lu_qos_limits wide = { .bw_limit = 1ULL << 40,
						   .iops_limit = 1000000 };
	const struct lu_qos_limits *const news[] = { &none, &wide };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(news); n++) {
		struct request first = request_of(LU_READ), r[READS];

		set_limits(f.lu, crawl);
		settle();
		request_submit(&f.a, &first);	/* takes the burst, if there is any */
		for (size_t i = 0; i < READS; i++) {
			r[i] = request_of(i & 2 ? LU_READ : LU_WRITE);
			request_submit(i & 1 ? &f.a : &f.b, &r[i]);
		}
		settle();
		for (size_t i = 0; i < READS; i++)
			assert_false(is_over(&r[i]));
		set_limits(f.lu, *news[n]);
		assert_int_equal(request_wait(&first), 0);
		for (size_t i = 0; i < READS; i++)
			assert_int_equal(request_wait(&r[i]), 0);
	}
}

/* The last write of a block wins, also after waiting. */
static void order_is_kept(void **state)
{
	struct request first = request_of(LU_READ), r[16];
	static uint8_t data[16][512];
	struct iovec iov[16];
	uint8_t got[512];

	(void)state;
	set_limits(f.lu, crawl);
	settle();
	request_submit(&f.a, &first);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		memset(data[i], (int)i + 1, sizeof(data[i]));
		iov[i] = (struct iovec){ data[i], sizeof(data[i]) };
		r[i] = request_of(LU_WRITE);
		r[i].io.iov = &iov[i];
		request_submit(&f.a, &r[i]);
	}
	set_limits(f.lu, none);
	request_wait(&first);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		assert_int_equal(request_wait(&r[i]), 0);
	assert_int_equal(do_read(&f.a, 0, got, sizeof(got)), 0);
	assert_memory_equal(got, data[15], sizeof(got));
}

static void cancel_call(void *arg)
{
	struct request *r = arg;

	lu_io_cancel(&r->io);
}

static void what_waits_can_be_cancelled(void **state)
{
	struct request first = request_of(LU_READ), r[READS];
	uint64_t full_at_ns;

	(void)state;
	set_limits(f.lu, crawl);
	settle();
	request_submit(&f.a, &first);
	assert_int_equal(request_wait(&first), 0);
	full_at_ns = atomic_load(&f.lu->qos.bw.full_at_ns);
	for (size_t i = 0; i < READS; i++) {
		r[i] = request_of(LU_WRITE);
		request_submit(&f.a, &r[i]);
	}
	/* From the middle, the front, the end. */
	for (size_t i = 0; i < READS; i++) {
		struct request *victim = &r[(i + READS / 2) % READS];

		call_on(f.a.reactor, cancel_call, victim);
		assert_int_equal(request_wait(victim), -ECANCELED);
	}
	/* What they had paid is there again. */
	assert_int_equal(atomic_load(&f.lu->qos.bw.full_at_ns), full_at_ns);
}

static void only_what_counts_waits(void **state)
{
	static const enum lu_op waits[] = { LU_READ, LU_WRITE, LU_WRITE_ZEROES, LU_WRITE_SAME,
					    LU_VERIFY };
	struct request first = request_of(LU_READ), r[ARRAY_SIZE(waits)];
	bool mapped;

	(void)state;
	set_limits(f.lu, crawl);
	settle();
	request_submit(&f.a, &first);
	assert_int_equal(request_wait(&first), 0);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		r[i] = request_of(waits[i]);
		request_submit(i & 1 ? &f.a : &f.b, &r[i]);
	}
	/* Past them, and on both reactors. */
	assert_int_equal(do_io(&f.a, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	assert_int_equal(do_io(&f.b, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	do_status(&f.a, 0, 4096, &mapped);
	/* What is wrong need not wait to be told. */
	assert_int_equal(do_read(&f.a, 1ULL << 40, buffer, 512), -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		assert_false(is_over(&r[i]));
	set_limits(f.lu, none);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		assert_int_equal(request_wait(&r[i]), 0);
}

/* Else a host that has the store copy would know no limit. */
static void copies_by_the_store_wait(void **state)
{
	struct request first = request_of(LU_READ), copy = request_of(LU_COPY);

	(void)state;
	copy.io.src = f.a.ch;
	copy.io.src_bytes = 4096;
	set_limits(f.lu, crawl);
	settle();
	request_submit(&f.a, &first);
	assert_int_equal(request_wait(&first), 0);
	request_submit(&f.a, &copy);
	assert_int_equal(do_io(&f.a, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	assert_false(is_over(&copy));
	set_limits(f.lu, none);
	assert_int_equal(request_wait(&copy), -EOPNOTSUPP);	/* this store does not */
	assert_int_equal(latency(LU_LATENCY_READ).count, 1);
	assert_int_equal(latency(LU_LATENCY_OTHER).count, 1);
}

static void another_unit_does_not_wait(void **state)
{
	struct lu *other = disk_open("ram", NULL, "size=8M");
	struct client c = client_open(other, 0);
	struct request first = request_of(LU_READ), r = request_of(LU_READ);

	(void)state;
	set_limits(f.lu, crawl);
	settle();
	request_submit(&f.a, &first);
	request_submit(&f.a, &r);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(do_read(&c, 0, buffer, 4096), 0);
	assert_false(is_over(&r));
	set_limits(f.lu, none);
	request_wait(&first);
	request_wait(&r);
	client_close(&c);
	disk_close(other);
}

/* A channel that comes later knows the limits too. */
static void a_new_channel_is_limited(void **state)
{
	struct request first = request_of(LU_READ), r = request_of(LU_READ);

	(void)state;
	client_close(&f.a);
	set_limits(f.lu, crawl);
	f.a = client_open(f.lu, 0);
	request_submit(&f.a, &first);
	assert_int_equal(request_wait(&first), 0);
	request_submit(&f.a, &r);
	settle();
	assert_false(is_over(&r));
	set_limits(f.lu, none);
	assert_int_equal(request_wait(&r), 0);
}

/* --- latency --- */

/* On every reactor, of every kind, and after the channels are gone. */
static void operations_are_counted_by_kind(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(do_read(&f.a, 0, buffer, 512), 0);
	assert_int_equal(do_read(&f.b, 0, buffer, 512), 0);
	assert_int_equal(do_write(&f.b, 0, buffer, 512), 0);
	assert_int_equal(do_io(&f.a, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	assert_int_equal(do_io(&f.a, LU_UNMAP, 0, 0, 4096, NULL, 0, NULL), 0);
	assert_int_equal(do_io(&f.a, LU_WRITE_ZEROES, 0, 0, 4096, NULL, 0, NULL), 0);
	client_close(&f.a);
	assert_int_equal(latency(LU_LATENCY_READ).count, 4);
	assert_int_equal(latency(LU_LATENCY_WRITE).count, 1);
	assert_int_equal(latency(LU_LATENCY_FLUSH).count, 1);
	assert_int_equal(latency(LU_LATENCY_UNMAP).count, 1);
	assert_int_equal(latency(LU_LATENCY_OTHER).count, 1);
	f.a = client_open(f.lu, 0);
	assert_int_equal(do_read(&f.a, 0, buffer, 512), 0);
	assert_int_equal(latency(LU_LATENCY_READ).count, 5);
}

/* The wait for a limit is part of it; what was cancelled is not counted. */
static void waiting_is_measured(void **state)
{
	struct request first = request_of(LU_READ), r = request_of(LU_WRITE),
		       cancelled = request_of(LU_WRITE);
	uint64_t waits_ns;

	(void)state;
	set_limits(f.lu, crawl);
	settle();
	request_submit(&f.a, &first);
	assert_int_equal(request_wait(&first), 0);
	request_submit(&f.a, &r);
	waits_ns = clock_now_ns();
	request_submit(&f.a, &cancelled);
	call_on(f.a.reactor, cancel_call, &cancelled);
	assert_int_equal(request_wait(&cancelled), -ECANCELED);
	waits_ns = clock_now_ns() - waits_ns;
	set_limits(f.lu, none);
	assert_int_equal(request_wait(&r), 0);
	assert_int_equal(latency(LU_LATENCY_WRITE).count, 1);
	assert_true(latency(LU_LATENCY_WRITE).max_ns >= waits_ns);
}

#define qos_test(t)	cmocka_unit_test_setup_teardown(t, stand, fall)

int main(void)
{
	const struct CMUnitTest tests[] = {
		qos_test(a_limit_holds_over_reactors),
		qos_test(a_change_frees_what_waits),
		qos_test(order_is_kept),
		qos_test(what_waits_can_be_cancelled),
		qos_test(only_what_counts_waits),
		qos_test(copies_by_the_store_wait),
		qos_test(another_unit_does_not_wait),
		qos_test(a_new_channel_is_limited),
		qos_test(operations_are_counted_by_kind),
		qos_test(waiting_is_measured),
	};

	return cmocka_run_group_tests_name("lu/qos", tests, modules_up, modules_down);
}
