/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "disk.h"
#include "lu/copy.h"
#include "lu/latency.h"
#include "lu/qos.h"
#include "lu/watch.h"

#define MIB	(1U << 20)
#define SIZE	(8U * MIB)

static uint8_t have[SIZE], got[SIZE], want[SIZE];

struct copying {
	struct lu_copy copy;
	struct client *src, *dst;
	atomic_uint checks;
	unsigned int stop_at;		/* the check that says no; 0: none */
	int err;
	uint64_t progress;
	sem_t over;
};

static int checked(struct lu_copy *c)
{
	struct copying *k = container_of(c, struct copying, copy);

	return ++k->checks == k->stop_at ? -ESTALE : 0;
}

static void copied(struct lu_copy *c, int err)
{
	struct copying *k = container_of(c, struct copying, copy);

	k->err = err;
	k->progress = lu_copy_progress(c);
	lu_copy_fini(c);
	sem_post(&k->over);
}

static void start(void *arg)
{
	struct copying *k = arg;

	k->copy.src = k->src ? k->src->ch : NULL;
	k->copy.dst = k->dst->ch;
	k->copy.check = checked;
	k->copy.done = copied;
	assert(!lu_copy_init(&k->copy));
	lu_copy_start(&k->copy);
}

/* Both clients are of one reactor. */
static int run(struct copying *k, struct client *src, uint64_t from, struct client *dst,
	       uint64_t to, uint64_t len)
{
	k->src = src;
	k->dst = dst;
	k->copy.src_bytes = from;
	k->copy.dst_bytes = to;
	k->copy.len_bytes = len;
	k->copy.src_block = k->copy.dst_block = 512;
	sem_init(&k->over, 0, 0);
	call_on(dst->reactor, start, k);
	wait_for(&k->over, "a copy");
	sem_destroy(&k->over);
	return k->err;
}

static int copy(struct client *src, uint64_t from, struct client *dst, uint64_t to,
		uint64_t len)
{
	struct copying k = { 0 };
	const int err = run(&k, src, from, dst, to, len);

	if (!err)
		assert_int_equal(k.progress, len);
	return err;
}

struct pair {
	struct lu *lu[2];
	char *path[2];
	struct client c[2];
};

static void pair_open(struct pair *p, const char *bstype, const char *bsopts)
{
	const char *dir = temp_dir();

	for (int i = 0; i < 2; i++) {
		p->path[i] = strcmp(bstype, "rdwr") ? NULL : temp_file(dir, SIZE);
		p->lu[i] = disk_open(bstype, p->path[i], bsopts);
		p->c[i] = client_open(p->lu[i], 0);
	}
}

static void pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		client_close(&p->c[i]);
		disk_close(p->lu[i]);
		if (p->path[i])
			unlink(p->path[i]);
		free(p->path[i]);
	}
}

static const struct {
	const char *bstype, *bsopts;
} stores[] = {
	{ "rdwr", NULL },
	{ "ram", "size=8M" },
	{ "ram", "size=8M;minimal;foreign" },
	{ "ram", "size=8M;foreign;align=512" },
};

static void assert_disk(struct client *c)
{
	assert_int_equal(do_read(c, 0, got, SIZE / 2), 0);
	assert_int_equal(do_read(c, SIZE / 2, got + SIZE / 2, SIZE / 2), 0);
	assert_true(!memcmp(got, want, SIZE));
}

static void fresh(struct client *c, uint8_t round)
{
	fill(have, SIZE, 0, round);
	assert_int_equal(do_write(c, 0, have, SIZE / 2), 0);
	assert_int_equal(do_write(c, SIZE / 2, have + SIZE / 2, SIZE / 2), 0);
}

static void every_store_copies_every_size(void **state)
{
	static const struct { uint64_t from, to, len; } cases[] = {
		{ 0, 0, 512 }, { 512, 1024, 512 * 3 }, { 0, 0, SIZE },
		{ 4096, 512, 3 * MIB + 512 }, { SIZE - 512, 0, 512 },
		{ 0, SIZE - MIB, MIB }, { 1, 1, 0 },
	};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(stores); s++) {
		struct pair p;

		pair_open(&p, stores[s].bstype, stores[s].bsopts);
		fresh(&p.c[0], 1);
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			fresh(&p.c[1], 2);
			memcpy(want, have, SIZE);
			fill(have, SIZE, 0, 1);
			memcpy(want + cases[i].to, have + cases[i].from, cases[i].len);
			assert_int_equal(copy(&p.c[0], cases[i].from, &p.c[1],
					      cases[i].to, cases[i].len), 0);
			assert_disk(&p.c[1]);
		}
		pair_close(&p);
	}
}

static void overlapping_ranges_move(void **state)
{
	static const struct { uint64_t from, to, len; } cases[] = {
		{ 0, 512, SIZE - 512 }, { 512, 0, SIZE - 512 }, { 4096, 4096, MIB },
		{ 0, 300 * 512, 5 * MIB }, { MIB, 0, 7 * MIB }, { 0, 3 * MIB, 5 * MIB },
	};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(stores); s++)
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct pair p;

			pair_open(&p, stores[s].bstype, stores[s].bsopts);
			fresh(&p.c[0], 3);
			memcpy(want, have, SIZE);
			memmove(want + cases[i].to, want + cases[i].from, cases[i].len);
			assert_int_equal(copy(&p.c[0], cases[i].from, &p.c[0],
					      cases[i].to, cases[i].len), 0);
			assert_disk(&p.c[0]);
			pair_close(&p);
		}
}

/* A hole stays one, where the destination may unmap. */
static void holes_are_not_filled(void **state)
{
	struct copying k = { .copy.unmap = true };
	struct pair p;
	bool mapped;

	(void)state;
	pair_open(&p, "rdwr", NULL);
	fill(have, MIB, 0, 5);
	assert_int_equal(do_write(&p.c[0], MIB, have, MIB), 0);
	fill(have, SIZE, 0, 6);
	assert_int_equal(do_write(&p.c[1], 0, have, SIZE), 0);
	memset(want, 0, SIZE);
	fill(want + MIB, MIB, 0, 5);
	assert_int_equal(run(&k, &p.c[0], 0, &p.c[1], 0, SIZE), 0);
	assert_disk(&p.c[1]);
	assert_int_equal(do_status(&p.c[1], 0, SIZE, &mapped), MIB);
	assert_false(mapped);
	assert_int_equal(do_status(&p.c[1], 2 * MIB, SIZE - 2 * MIB, &mapped), 6 * MIB);
	assert_false(mapped);
	pair_close(&p);
}

static void zeroes_need_no_source(void **state)
{
	struct pair p;

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(stores); s++) {
		pair_open(&p, stores[s].bstype, stores[s].bsopts);
		fresh(&p.c[0], 7);
		memcpy(want, have, SIZE);
		memset(want + 512, 0, 3 * MIB);
		assert_int_equal(copy(NULL, 0, &p.c[0], 512, 3 * MIB), 0);
		assert_disk(&p.c[0]);
		pair_close(&p);
	}
}

static void limit(void *arg)
{
	static const struct lu_qos_limits much = { .bw_limit = 1ULL << 40 };

	assert(!lu_qos_set(arg, &much));
}

static uint64_t reads_of(struct lu *lu)
{
	struct histogram sum = { 0 };

	lu_latency_sum(lu, LU_LATENCY_READ, &sum);
	return histogram_summarize(&sum).count;
}

/* A store that copies by itself reads, too; with limits that is to be seen. */
static void limits_of_the_source_count(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, "rdwr", NULL);
	fresh(&p.c[0], 9);
	assert_int_equal(copy(&p.c[0], 0, &p.c[1], 0, SIZE / 2), 0);
	assert_int_equal(reads_of(p.lu[0]), 0);
	call_on(test_daemon.control, limit, p.lu[0]);
	assert_int_equal(copy(&p.c[0], 0, &p.c[1], 0, SIZE), 0);
	assert_true(reads_of(p.lu[0]) >= SIZE / LU_COPY_CHUNK_BYTES);
	memcpy(want, have, SIZE);
	assert_disk(&p.c[1]);
	pair_close(&p);
}

static void what_is_outside_is_refused(void **state)
{
	struct pair p;

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(stores); s++) {
		pair_open(&p, stores[s].bstype, stores[s].bsopts);
		assert_int_equal(copy(&p.c[0], SIZE - 512, &p.c[1], 0, 1024), -ERANGE);
		assert_int_equal(copy(&p.c[0], 0, &p.c[1], SIZE - 512, 1024), -ERANGE);
		atomic_store(&p.lu[1]->read_only, true);
		assert_int_equal(copy(&p.c[0], 0, &p.c[1], 0, 1024), -EROFS);
		pair_close(&p);
	}
}

/* Wherever it stops, what it says that it copied is there. */
static void a_check_stops_it(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(stores); s++)
		for (unsigned int n = 1; n < 12; n++) {
			struct copying k = { .stop_at = n };
			struct pair p;
			int err;

			pair_open(&p, stores[s].bstype, stores[s].bsopts);
			fresh(&p.c[0], 8);
			err = run(&k, &p.c[0], 0, &p.c[1], 0, SIZE);
			assert_int_equal(err, k.checks < n ? 0 : -ESTALE);
			assert_true(k.progress <= SIZE);
			if (k.progress)
				assert_int_equal(do_read(&p.c[1], 0, got, k.progress), 0);
			assert_true(!memcmp(got, have, k.progress));
			pair_close(&p);
		}
}

/* --- watches --- */

struct arming {
	struct lu_watch *w;
	int err;
	sem_t over;
};

static void armed(void *arg, int err)
{
	struct arming *a = arg;

	a->err = err;
	sem_post(&a->over);
}

static void arm(void *arg)
{
	struct arming *a = arg;

	assert(!lu_watch_arm(a->w, armed, a));
}

static struct lu_watch *watch(struct client *c, const struct lu_watch_range *r,
			      unsigned int n)
{
	struct arming a = { .w = lu_watch_new(c->lu, r, n) };

	assert_non_null(a.w);
	sem_init(&a.over, 0, 0);
	call_on(c->reactor, arm, &a);
	wait_for(&a.over, "a watch to be armed");
	sem_destroy(&a.over);
	assert_int_equal(a.err, 0);
	return a.w;
}

static void every_write_is_seen(void **state)
{
	static const struct lu_watch_range ranges[] = { { 4096, 4096 }, { 65536, 512 } };
	static const struct {
		enum lu_op op;
		uint64_t off, len;
		bool seen;
	} cases[] = {
		{ LU_READ, 4096, 512, false }, { LU_FLUSH, 0, 0, false },
		{ LU_VERIFY, 4096, 512, false },
		{ LU_WRITE, 3584, 512, false }, { LU_WRITE, 8192, 512, false },
		{ LU_WRITE, 66048, 512, false }, { LU_WRITE, 3584, 1024, true },
		{ LU_WRITE, 7680, 512, true }, { LU_WRITE, 65536, 512, true },
		{ LU_UNMAP, 0, MIB, true }, { LU_WRITE_ZEROES, 65024, 1024, true },
		{ LU_WRITE_SAME, 4096, 512, true }, { LU_COMPARE_AND_WRITE, 4096, 512, true },
	};

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		struct pair p;

		pair_open(&p, stores[s].bstype, stores[s].bsopts);
		memset(have, 0, MIB);
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct lu_watch *w = watch(&p.c[0], ranges, ARRAY_SIZE(ranges));
			const uint64_t n = cases[i].len;

			assert_false(lu_watch_changed(w));
			assert_int_equal(do_io(&p.c[0], cases[i].op, 0, cases[i].off, n, have,
					       cases[i].op == LU_COMPARE_AND_WRITE ? 2 * n : n,
					       NULL), 0);
			assert_int_equal(lu_watch_changed(w), cases[i].seen);
			lu_watch_free(w);
			assert_false(lu_watch_any(&p.lu[0]->watches));
		}
		pair_close(&p);
	}
}

static void a_watch_outlives_its_disk(void **state)
{
	static const struct lu_watch_range r = { 0, 512 };
	struct lu_watch *w;
	struct pair p;

	(void)state;
	pair_open(&p, "ram", "size=8M");
	w = watch(&p.c[0], &r, 1);
	assert_true(lu_watch_lu(w) == p.lu[0]);
	lu_put(p.lu[0]);
	pair_close(&p);
	assert_null(lu_watch_lu(w));
	assert_true(lu_watch_changed(w));
	lu_watch_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_store_copies_every_size),
		cmocka_unit_test(overlapping_ranges_move),
		cmocka_unit_test(holes_are_not_filled),
		cmocka_unit_test(zeroes_need_no_source),
		cmocka_unit_test(limits_of_the_source_count),
		cmocka_unit_test(what_is_outside_is_refused),
		cmocka_unit_test(a_check_stops_it),
		cmocka_unit_test(every_write_is_seen),
		cmocka_unit_test(a_watch_outlives_its_disk),
	};

	return cmocka_run_group_tests_name("lu/copy", tests, modules_up, modules_down);
}
