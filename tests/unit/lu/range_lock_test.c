/* SPDX-License-Identifier: BSD-3-Clause */
#include "disk.h"
#include "lu/range_lock.h"

/* --- a lock, directly --- */

struct lock_call {
	struct client *c;
	uint64_t off, len;
	enum lu_range_excludes excludes;
	struct lu_range_lock *lock;
	sem_t granted;
	int err;
};

static void granted(void *arg, int err)
{
	struct lock_call *l = arg;

	l->err = err;
	sem_post(&l->granted);
}

static void acquire(void *arg)
{
	struct lock_call *l = arg;

	assert(!lu_range_lock_acquire(l->c->lu, l->off, l->len, l->excludes,
				      granted, l, &l->lock));
}

static void release(void *arg)
{
	const struct lock_call *l = arg;

	lu_range_lock_release(l->lock);
}

static struct lock_call *lock_start_of(struct client *c, uint64_t off, uint64_t len,
				       enum lu_range_excludes excludes)
{
	struct lock_call *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	*l = (struct lock_call){ .c = c, .off = off, .len = len,
				   .excludes = excludes };
	sem_init(&l->granted, 0, 0);
	call_on(c->reactor, acquire, l);
	return l;
}

static struct lock_call *lock_start(struct client *c, uint64_t off, uint64_t len)
{
	return lock_start_of(c, off, len, LU_RANGE_WRITERS);
}

static void lock_wait(struct lock_call *l)
{
	wait_for(&l->granted, "a range lock");
	assert_int_equal(l->err, 0);
}

static void lock_end(struct lock_call *l)
{
	call_on(l->c->reactor, release, l);
	sem_destroy(&l->granted);
	free(l);
}

static bool is_posted(sem_t *s)
{
	int n;

	sem_getvalue(s, &n);
	return n > 0;
}

/* A round trip through every thread: what could have come has come. */
static void nothing(void *arg)
{
	(void)arg;
}

static void settle(void)
{
	for (int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < reactor_group_size(); i++)
			call_on(reactor_group_get(i), nothing, NULL);
		call_on(test_daemon.control, nothing, NULL);
	}
}

static void write_start(struct client *c, struct request *r, struct iovec *iov,
				  uint64_t off)
{
	static uint8_t block[512];

	*iov = (struct iovec){ block, sizeof(block) };
	*r = (struct request){ .io = { .op = LU_WRITE, .off_bytes = off, .len_bytes = 512,
				       .iov = iov, .iovcnt = 1 } };
	request_submit(c, r);
}

static void writers_wait_for_the_lock_and_others_do_not(void **state)
{
	struct lu *lu = disk_open("ram", NULL, "");
	struct client a = client_open(lu, 0), b = client_open(lu, 1);
	struct lock_call *l = lock_start(&a, 4096, 1024);
	struct request mine, other, aside;
	struct iovec v[3];
	uint8_t buf[1024];

	(void)state;
	lock_wait(l);
	write_start(&a, &mine, &v[0], 4608);
	write_start(&b, &other, &v[1], 4096);
	write_start(&b, &aside, &v[2], 5120);
	assert_int_equal(request_wait(&aside), 0);
	assert_int_equal(do_read(&b, 4096, buf, sizeof(buf)), 0);
	settle();
	assert_false(is_posted(&mine.over));
	assert_false(is_posted(&other.over));
	assert_int_equal(do_io(&a, LU_WRITE, LU_IO_LOCKED, 4096, 1024, buf, 1024, NULL), 0);
	assert_false(is_posted(&mine.over));
	lock_end(l);
	assert_int_equal(request_wait(&mine), 0);
	assert_int_equal(request_wait(&other), 0);
	client_close(&a);
	client_close(&b);
	disk_close(lu);
}

static void cancel(void *arg)
{
	struct request *r = arg;

	lu_io_cancel(&r->io);
}

/* Its initiator was told that it has ended: it must not overwrite what comes later,
 * as the pattern of a SANITIZE that takes the next lock. */
static void a_cancelled_writer_does_not_start(void **state)
{
	struct lu *lu = disk_open("ram", NULL, "");
	struct client a = client_open(lu, 0), b = client_open(lu, 1);
	struct lock_call *first = lock_start(&a, 4096, 1024), *second;
	static const uint8_t zeroes[512];
	uint8_t ones[512], buf[512];
	const struct iovec iov = { ones, sizeof(ones) };
	struct request w = { .io = { .op = LU_WRITE, .off_bytes = 4096, .len_bytes = 512,
				     .iov = &iov, .iovcnt = 1 } };

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	lock_wait(first);
	request_submit(&b, &w);
	call_on(b.reactor, cancel, &w);
	second = lock_start(&a, 0, 1ULL << 20);
	lock_end(first);
	lock_wait(second);
	settle();
	lock_end(second);
	assert_int_equal(request_wait(&w), -ECANCELED);
	assert_int_equal(do_read(&b, 4096, buf, sizeof(buf)), 0);
	assert_memory_equal(buf, zeroes, sizeof(buf));
	client_close(&a);
	client_close(&b);
	disk_close(lu);
}

static void overlapping_locks_come_in_order(void **state)
{
	struct lu *lu = disk_open("ram", NULL, "");
	struct client a = client_open(lu, 0), b = client_open(lu, 1);
	struct lock_call *first = lock_start(&a, 0, 1024), *second, *third, *apart;

	(void)state;
	lock_wait(first);
	second = lock_start(&b, 512, 1024);
	third = lock_start(&a, 1024, 1024);	/* overlaps the second only */
	apart = lock_start(&b, 8192, 512);
	lock_wait(apart);
	settle();
	assert_false(is_posted(&second->granted));
	assert_false(is_posted(&third->granted));
	lock_end(first);
	lock_wait(second);
	settle();
	assert_false(is_posted(&third->granted));
	lock_end(second);
	lock_wait(third);
	lock_end(third);
	lock_end(apart);
	client_close(&a);
	client_close(&b);
	disk_close(lu);
}

static void who_waits_goes_before_the_next_lock(void **state)
{
	static const enum lu_range_excludes kinds[] = { LU_RANGE_WRITERS, LU_RANGE_EVERYBODY };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct lu *lu = disk_open("ram", NULL, "");
		struct client a = client_open(lu, 0), b = client_open(lu, 1);
		const enum lu_op op = kinds[i] == LU_RANGE_WRITERS ? LU_WRITE : LU_READ;
		struct lock_call *first = lock_start_of(&a, 4096, 1024, kinds[i]), *second;
		uint8_t block[512];
		const struct iovec iov = { block, sizeof(block) };
		struct request waits = { .io = { .op = op, .off_bytes = 4608, .len_bytes = 512,
						 .iov = &iov, .iovcnt = 1 } }, comes = waits;

		lock_wait(first);
		request_submit(&b, &waits);
		second = lock_start_of(&a, 4096, 1024, kinds[i]);
		settle();
		assert_false(is_posted(&waits.over));
		assert_false(is_posted(&second->granted));
		lock_end(first);
		/* Granted only when that one is done, and not taken away by it. */
		lock_wait(second);
		settle();		/* the store had it done; so says done(), then */
		assert_true(is_posted(&waits.over));
		assert_int_equal(request_wait(&waits), 0);
		request_submit(&b, &comes);
		settle();
		assert_false(is_posted(&comes.over));
		lock_end(second);
		assert_int_equal(request_wait(&comes), 0);
		client_close(&a);
		client_close(&b);
		disk_close(lu);
	}
}

/* --- a race --- */

#define ROUNDS	150

struct racer {
	struct client *c;
	unsigned int done, lost;
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* Block 0 counts; block 1 belongs to the plain writer and must survive. */
static void *exchanger(void *arg)
{
	struct racer *r = arg;
	uint8_t both[2048];

	while (r->done < ROUNDS) {
		int err;

		assert(!do_read(r->c, 0, both, 1024));
		memcpy(both + 1024, both, 1024);
		put32(both + 1024, get32(both) + 1);
		err = do_io(r->c, LU_COMPARE_AND_WRITE, 0, 0, 1024, both, 2048, NULL);
		assert(!err || err == -EILSEQ);
		if (!err)
			r->done++;
	}
	return NULL;
}

static void *plain_writer(void *arg)
{
	struct racer *r = arg;
	uint8_t block[512] = { 0 };

	for (; r->done < 4 * ROUNDS; r->done++) {
		put32(block, r->done + 1);
		assert(!do_write(r->c, 512, block, sizeof(block)));
		assert(!do_read(r->c, 512, block, sizeof(block)));
		r->lost += get32(block) != r->done + 1;
	}
	return NULL;
}

static void race(const char *bstype, const char *path, const char *bsopts)
{
	struct lu *lu = disk_open(bstype, path, bsopts);
	struct client a = client_open(lu, 0), b = client_open(lu, 1);
	struct client outside = { .reactor = test_daemon.control, .lu = lu };
	struct racer racers[] = { { &a, 0, 0 }, { &b, 0, 0 }, { &outside, 0, 0 }, { &b, 0, 0 } };
	pthread_t threads[ARRAY_SIZE(racers)];
	uint8_t block[512];

	call_on(outside.reactor, client_get, &outside);
	for (size_t i = 0; i < ARRAY_SIZE(racers); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < 3 ? exchanger : plain_writer, &racers[i]),
				 0);
	for (size_t i = 0; i < ARRAY_SIZE(racers); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(do_read(&a, 0, block, sizeof(block)), 0);
	assert_int_equal(get32(block), 3 * ROUNDS);
	assert_int_equal(racers[3].lost, 0);
	client_close(&a);
	client_close(&b);
	client_close(&outside);
	disk_close(lu);
}

static void exchanges_are_atomic_on_every_store(void **state)
{
	char *path = temp_file(temp_dir(), 1 << 20);

	(void)state;
	race("ram", NULL, "minimal");
	race("ram", NULL, "foreign");
	race("rdwr", path, NULL);
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writers_wait_for_the_lock_and_others_do_not),
		cmocka_unit_test(a_cancelled_writer_does_not_start),
		cmocka_unit_test(overlapping_locks_come_in_order),
		cmocka_unit_test(who_waits_goes_before_the_next_lock),
		cmocka_unit_test(exchanges_are_atomic_on_every_store),
	};

	return cmocka_run_group_tests_name("lu/range_lock", tests, modules_up, modules_down);
}
