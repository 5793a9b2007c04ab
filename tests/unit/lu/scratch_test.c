/* SPDX-License-Identifier: BSD-3-Clause */
/* Emulated commands end even when the arena has nothing to give. */
#include "disk.h"
#include "lu/scratch.h"

#define HOGS	((32U << 20) / BUFFER_CHUNK_MAX)

static struct buffer hogs[HOGS];
static unsigned int nr_hogs;

static void hog(void *arg)
{
	(void)arg;
	while (nr_hogs < HOGS && !reactor_buffer_get(&hogs[nr_hogs], BUFFER_CHUNK_MAX))
		nr_hogs++;
}

static void unhog(void *arg)
{
	(void)arg;
	while (nr_hogs)
		reactor_buffer_put(&hogs[--nr_hogs]);
}

static void the_reserve_serves_one_after_the_other(void **state)
{
	struct lu *lu = disk_open("ram", NULL, "size=4M;minimal;foreign");
	struct client c = client_open(lu, 0);
	struct request r[4];
	static uint8_t pattern[4][512], got[1 << 20];
	struct iovec iov[4];

	(void)state;
	call_on(c.reactor, hog, NULL);
	assert_int_equal(nr_hogs, HOGS);
	for (size_t i = 0; i < 4; i++) {
		fill(pattern[i], 512, i, (uint8_t)i);
		iov[i] = (struct iovec){ pattern[i], 512 };
		r[i] = (struct request){ .io = { .op = LU_WRITE_SAME, .off_bytes = i << 20,
						 .len_bytes = 1 << 20, .iov = &iov[i],
						 .iovcnt = 1 } };
		request_submit(&c, &r[i]);
	}
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(request_wait(&r[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(do_read(&c, i << 20, got, sizeof(got)), 0);
		for (size_t k = 0; k < sizeof(got); k += 512)
			assert_memory_equal(got + k, pattern[i], 512);
	}
	call_on(c.reactor, unhog, NULL);
	client_close(&c);
	disk_close(lu);
}

/* One that waits for the reserve is served by the arena if that is earlier. */
struct waiter {
	struct lu_scratch s;
	sem_t ready;
};

static void ready(struct lu_scratch *s)
{
	sem_post(&container_of(s, struct waiter, s)->ready);
}

static void get(void *arg)
{
	struct waiter *w = arg;

	assert(!lu_scratch_get(&w->s, LU_SCRATCH_MAX, ready));
}

static void put(void *arg)
{
	struct waiter *w = arg;

	lu_scratch_put(&w->s);
}

static void put_one_hog(void *arg)
{
	(void)arg;
	reactor_buffer_put(&hogs[--nr_hogs]);
}

static void the_arena_may_be_earlier(void **state)
{
	struct reactor *r = reactor_group_get(1);
	struct waiter a = { 0 }, b = { 0 };
	int n;

	(void)state;
	sem_init(&a.ready, 0, 0);
	sem_init(&b.ready, 0, 0);
	call_on(r, hog, NULL);
	call_on(r, get, &a);
	call_on(r, get, &b);
	wait_for(&a.ready, "the reserve");
	assert_int_equal(a.s.b.iov[0].iov_len, LU_SCRATCH_RESERVE);
	sem_getvalue(&b.ready, &n);
	assert_int_equal(n, 0);
	call_on(r, put_one_hog, NULL);
	wait_for(&b.ready, "the arena");
	assert_int_equal(b.s.b.iov[0].iov_len, LU_SCRATCH_MAX);
	call_on(r, put, &a);
	call_on(r, put, &b);
	call_on(r, unhog, NULL);
	sem_destroy(&a.ready);
	sem_destroy(&b.ready);
}

static int setup(void **state)
{
	(void)state;
	load_modules("tests/modules");
	reactor_buffer_set_cap(0);	/* the least there is */
	daemon_start(2, 2);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reserve_serves_one_after_the_other),
		cmocka_unit_test(the_arena_may_be_earlier),
	};

	return cmocka_run_group_tests_name("lu/scratch", tests, setup, modules_down);
}
