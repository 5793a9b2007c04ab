/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <stdatomic.h>
#include "disk.h"

#define KIB	1024U
#define MIB	(1024U * KIB)

/* What tests/modules/bs_ram.c exports. */
static const struct ram_counters {
	atomic_uint ops[BS_NR_OPS], fua, batches, groups, channels, devices;
	atomic_uint unmap_flags;
} *ram;

static unsigned int ram_ops(enum bs_op op)
{
	return atomic_load(&ram->ops[op]);
}

/* --- data --- */

struct store {
	const char *bstype, *dir, *bsopts;	/* dir NULL: no file */
	uint32_t flags;
};

static const struct store stores[] = {
	{ "rdwr", "", NULL, 0 },		/* "": $TMPDIR */
	{ "rdwr", "", NULL, BS_OPEN_SYNC },
	{ "rdwr", "/dev/shm", NULL, 0 },
	{ "rdwr", "", NULL, BS_OPEN_DIRECT },
	{ "aio", "", NULL, 0 },
	{ "aio", "", NULL, BS_OPEN_SYNC },
	{ "aio", "/dev/shm", NULL, 0 },
	{ "uring", "", NULL, 0 },
	{ "uring", "", NULL, BS_OPEN_SYNC },
	{ "uring", "", NULL, BS_OPEN_DIRECT },
	{ "uring", "", "sqpoll", BS_OPEN_DIRECT },
	{ "uring", "/dev/shm", NULL, 0 },
	{ "ram", NULL, "size=8M;minimal", 0 },
	{ "ram", NULL, "size=8M;foreign", 0 },
};

#define STORE_BYTES	(8U * MIB)

static struct lu *store_open(const struct store *s, char **ret_path)
{
	struct bs_open_spec spec = { .bstype = s->bstype, .bsopts = s->bsopts,
				     .flags = s->flags };
	char why[512];
	struct lu *lu;
	int err;

	*ret_path = NULL;
	if (s->dir)
		*ret_path = temp_file(*s->dir ? s->dir : temp_dir(), STORE_BYTES);
	spec.path = *ret_path;
	lu = disk_try_open(&spec, &err, why);
	if (!lu && !not_here(s->bstype, s->flags, why))
		fail_msg("%s %s: %s", s->bstype, *ret_path ? *ret_path : "", why);
	return lu;
}

static void store_close(struct lu *lu, char *path)
{
	if (lu)
		disk_close(lu);
	if (path)
		unlink(path);
	free(path);
}

static void assert_data(struct client *c, uint64_t off, const uint8_t *want, size_t len)
{
	uint8_t *got = malloc(len);

	assert_non_null(got);
	memset(got, 0x5a, len);
	assert_int_equal(do_read(c, off, got, len), 0);
	assert_memory_equal(got, want, len);
	free(got);
}

static void what_is_written_is_read(struct client *c)
{
	static const struct {
		uint64_t off;
		size_t len;
	} cases[] = {
		{ 0, 512 }, { 512, 4096 }, { 4096, 65536 }, { 3 * MIB - 512, 2 * MIB },
		{ STORE_BYTES - 512, 512 },
	};
	uint8_t *p = malloc(2 * MIB);

	assert_non_null(p);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fill(p, cases[i].len, cases[i].off, (uint8_t)i);
		assert_int_equal(do_write(c, cases[i].off, p, cases[i].len), 0);
		assert_data(c, cases[i].off, p, cases[i].len);
	}
	free(p);
}

static void zeroes_are_written(struct client *c)
{
	const size_t len = 3 * MIB;	/* more than a step of the emulation */
	uint8_t *p = malloc(len + 1024);

	assert_non_null(p);
	fill(p, len + 1024, 0, 1);
	assert_int_equal(do_write(c, 0, p, len + 1024), 0);
	assert_int_equal(do_io(c, LU_WRITE_ZEROES, 0, 512, len, NULL, 0, NULL), 0);
	memset(p + 512, 0, len);
	assert_data(c, 0, p, len + 1024);

	fill(p, MIB, 0, 2);
	assert_int_equal(do_write(c, 0, p, MIB), 0);
	assert_int_equal(do_io(c, LU_WRITE_ZEROES, LU_IO_UNMAP, 4096, 8192, NULL, 0, NULL), 0);
	memset(p + 4096, 0, 8192);
	assert_data(c, 0, p, MIB);
	free(p);
}

static void a_pattern_is_repeated(struct client *c)
{
	const size_t len = MIB + 512;	/* several steps, the last one short */
	uint8_t pattern[512], *p = malloc(len + 1024);

	assert_non_null(p);
	fill(p, len + 1024, 0, 3);
	assert_int_equal(do_write(c, MIB, p, len + 1024), 0);
	fill(pattern, sizeof(pattern), 77, 4);
	assert_int_equal(do_io(c, LU_WRITE_SAME, 0, MIB + 512, len, pattern, sizeof(pattern),
			       NULL), 0);
	for (size_t i = 512; i < 512 + len; i += sizeof(pattern))
		memcpy(p + i, pattern, sizeof(pattern));
	assert_data(c, MIB, p, len + 1024);

	memset(pattern, 0, sizeof(pattern));
	assert_int_equal(do_io(c, LU_WRITE_SAME, LU_IO_UNMAP, MIB + 512, len, pattern,
			       sizeof(pattern), NULL), 0);
	memset(p + 512, 0, len);
	assert_data(c, MIB, p, len + 1024);
	free(p);
}

static void verify_finds_the_first_difference(struct client *c)
{
	const size_t len = MIB;
	uint8_t *p = malloc(len);
	uint64_t at;

	assert_non_null(p);
	fill(p, len, 0, 5);
	assert_int_equal(do_write(c, 2 * MIB, p, len), 0);
	assert_int_equal(do_io(c, LU_VERIFY, 0, 2 * MIB, len, p, len, &at), 0);
	assert_int_equal(do_io(c, LU_VERIFY, 0, 2 * MIB, len, NULL, 0, &at), 0);
	p[700001] ^= 1;
	p[900000] ^= 1;
	assert_int_equal(do_io(c, LU_VERIFY, 0, 2 * MIB, len, p, len, &at), -EILSEQ);
	assert_int_equal(at, 700001);
	free(p);
}

static void compare_and_write_compares(struct client *c)
{
	uint8_t old[2048], both[4096], now[2048];
	uint64_t at;

	fill(old, sizeof(old), 0, 6);
	assert_int_equal(do_write(c, 4096, old, sizeof(old)), 0);
	memcpy(both, old, 2048);
	fill(both + 2048, 2048, 0, 7);
	memcpy(now, both + 2048, 2048);
	both[1500] ^= 0x80;
	assert_int_equal(do_io(c, LU_COMPARE_AND_WRITE, 0, 4096, 2048, both, 4096, &at),
			 -EILSEQ);
	assert_int_equal(at, 1500);
	assert_data(c, 4096, old, sizeof(old));
	both[1500] ^= 0x80;
	assert_int_equal(do_io(c, LU_COMPARE_AND_WRITE, LU_IO_FUA, 4096, 2048, both, 4096, &at),
			 0);
	assert_data(c, 4096, now, sizeof(now));
}

static void orwrite_adds_bits(struct client *c)
{
	const size_t len = 700000 / 512 * 512;
	uint8_t *p = malloc(len), *q = malloc(len);

	assert_non_null(p);
	assert_non_null(q);
	fill(p, len, 0, 9);
	fill(q, len, 0, 10);
	assert_int_equal(do_write(c, 1024, p, len), 0);
	for (size_t i = 0; i < len; i++)
		p[i] |= q[i];
	assert_int_equal(do_io(c, LU_ORWRITE, 0, 1024, len, q, len, NULL), 0);
	assert_memory_equal(p, q, len);
	assert_data(c, 1024, p, len);
	free(p);
	free(q);
}

static void prefetch_changes_nothing(struct client *c)
{
	const struct bs_dev_info *i = lu_store_info(c->lu);
	uint8_t p[4096];

	fill(p, sizeof(p), 0, 11);
	assert_int_equal(do_write(c, 0, p, sizeof(p)), 0);
	assert_int_equal(do_io(c, LU_PREFETCH, 0, 0, MIB, NULL, 0, NULL),
			 i->ops & BS_OP_BIT(BS_PREFETCH) ? 0 : -EOPNOTSUPP);
	assert_data(c, 0, p, sizeof(p));
}

static void unmapped_space_reads_zero_if_so_promised(struct client *c)
{
	const struct bs_dev_info *i = lu_store_info(c->lu);
	uint8_t *p = malloc(MIB);
	int err;

	assert_non_null(p);
	fill(p, MIB, 0, 8);
	assert_int_equal(do_write(c, 0, p, MIB), 0);
	err = do_io(c, LU_UNMAP, 0, 65536, 131072, NULL, 0, NULL);
	assert_int_equal(err, i->ops & BS_OP_BIT(BS_UNMAP) ? 0 : -EOPNOTSUPP);
	if (!err && i->reads_zero)
		memset(p + 65536, 0, 131072);
	if (err || i->reads_zero)
		assert_data(c, 0, p, MIB);
	free(p);
}

static void every_store_keeps_data(void **state)
{
	static void (*const checks[])(struct client *c) = {
		what_is_written_is_read,   zeroes_are_written,
		a_pattern_is_repeated,	   verify_finds_the_first_difference,
		compare_and_write_compares, unmapped_space_reads_zero_if_so_promised,
		orwrite_adds_bits,	   prefetch_changes_nothing,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
		char *path;
		struct lu *lu = store_open(&stores[i], &path);
		struct client c;

		if (!lu) {
			print_message("%s: not here\n", stores[i].bstype);
			store_close(lu, path);
			continue;
		}
		c = client_open(lu, i % 2);
		for (size_t k = 0; k < ARRAY_SIZE(checks); k++)
			checks[k](&c);
		assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
		client_close(&c);
		store_close(lu, path);
	}
}

static void a_store_without_a_map_has_everything(void **state)
{
	struct lu *lu = disk_open("ram", NULL, "minimal");
	struct client c = client_open(lu, 0);
	bool mapped;

	(void)state;
	assert_int_equal(do_status(&c, 512, 65536, &mapped), 65536);
	assert_true(mapped);
	client_close(&c);
	disk_close(lu);

	lu = disk_open("null", NULL, NULL);
	c = client_open(lu, 0);
	assert_int_equal(do_status(&c, 512, 65536, &mapped), 65536);
	assert_false(mapped);
	client_close(&c);
	disk_close(lu);
}

/* --- refusals --- */

static void what_cannot_be_is_refused(void **state)
{
	static uint8_t buf[4096];
	static const struct {
		const char *why;
		uint64_t off, len;
		size_t buf;
		enum lu_op op;
		int err;
	} cases[] = {
		{ "last block", MIB - 512, 512, 512, LU_READ, 0 },
		{ "nothing, at the end", MIB, 0, 0, LU_READ, 0 },
		{ "one past the end", MIB - 512, 1024, 1024, LU_READ, -ERANGE },
		{ "starts at the end", MIB, 512, 512, LU_WRITE, -ERANGE },
		{ "offset + length wraps", 512, UINT64_MAX - 511, 0, LU_WRITE_ZEROES, -ERANGE },
		{ "offset alone wraps", UINT64_MAX - 511, 512, 0, LU_UNMAP, -ERANGE },
		{ "buffer too short", 0, 1024, 512, LU_READ, -EINVAL },
		{ "buffer too long", 0, 512, 1024, LU_WRITE, -EINVAL },
		{ "half a compare and write", 0, 512, 512, LU_COMPARE_AND_WRITE, -EINVAL },
		{ "half an orwrite", 0, 1024, 512, LU_ORWRITE, -EINVAL },
		{ "no pattern", 0, 512, 0, LU_WRITE_SAME, -EINVAL },
		{ "pattern does not divide", 0, 1024, 1000, LU_WRITE_SAME, -EINVAL },
		{ "flush has no range", UINT64_MAX, 12, 0, LU_FLUSH, 0 },
	};
	struct lu *lu = disk_open("ram", NULL, "size=1M");
	struct client c = client_open(lu, 0);
	int err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		err = do_io(&c, cases[i].op, 0, cases[i].off, cases[i].len,
			    cases[i].buf ? buf : NULL, cases[i].buf, NULL);
		if (err != cases[i].err)
			fail_msg("%s: %d, not %d", cases[i].why, err, cases[i].err);
	}
	client_close(&c);
	disk_close(lu);
}

static void a_read_only_unit_is_not_written(void **state)
{
	static const enum lu_op writers[] = { LU_WRITE, LU_UNMAP, LU_WRITE_ZEROES,
					      LU_WRITE_SAME, LU_COMPARE_AND_WRITE,
					      LU_ORWRITE };
	static uint8_t buf[1024];
	struct lu *lu = disk_open("ram", NULL, "size=1M;read_only");
	struct client c = client_open(lu, 0);

	(void)state;
	assert_true(atomic_load(&lu->read_only));
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		assert_int_equal(do_io(&c, writers[i], 0, 0, 512, buf, 512, NULL), -EROFS);
	assert_int_equal(do_read(&c, 0, buf, sizeof(buf)), 0);
	client_close(&c);
	disk_close(lu);

	/* By the user's wish, on a store that could. */
	lu = disk_open("ram", NULL, "size=1M");
	c = client_open(lu, 0);
	assert_int_equal(do_write(&c, 0, buf, 512), 0);
	atomic_store(&lu->read_only, true);
	assert_int_equal(do_write(&c, 0, buf, 512), -EROFS);
	client_close(&c);
	disk_close(lu);
}

static void alignment_of_the_store_is_kept(void **state)
{
	static uint8_t buf[4096];
	struct bs_open_spec spec = { .bstype = "ram", .bsopts = "align=4096" };
	char why[512];
	struct client c;
	struct lu *lu;
	int err;

	(void)state;
	assert_null(disk_try_open(&spec, &err, why));	/* with blocks of 512 */
	assert_int_equal(err, -EINVAL);
	assert_non_null(strstr(why, "4096"));
	spec.block_bytes = 4096;
	lu = disk_try_open(&spec, &err, why);
	assert_non_null(lu);
	c = client_open(lu, 0);
	assert_int_equal(do_write(&c, 4096, buf, 4096), 0);
	assert_int_equal(do_write(&c, 512, buf, 512), -EINVAL);
	client_close(&c);
	disk_close(lu);
}

/* --- durability --- */

static unsigned int flushes(void)
{
	return ram_ops(BS_FLUSH);
}

static void good_means_durable_when_asked(void **state)
{
	static uint8_t buf[1024] = { 1 };
	static const struct {
		const char *why;
		const char *bsopts;
		bool cache;		/* the LU's switch */
		enum lu_op op;
		uint32_t flags;
		unsigned int fua, flushes;
	} cases[] = {
		{ "plain write", "", true, LU_WRITE, 0, 0, 0 },
		{ "write with FUA", "", true, LU_WRITE, LU_IO_FUA, 1, 0 },
		{ "cache off", "", false, LU_WRITE, 0, 1, 0 },
		{ "zeroes, cache off", "", false, LU_WRITE_ZEROES, 0, 0, 1 },
		{ "zeroes, cache on", "", true, LU_WRITE_ZEROES, 0, 0, 0 },
		{ "emulated zeroes, FUA", "minimal", true, LU_WRITE_ZEROES, LU_IO_FUA, 0, 1 },
		{ "pattern, cache off", "", false, LU_WRITE_SAME, 0, 0, 1 },
		{ "unmap, cache off", "", false, LU_UNMAP, 0, 0, 1 },
		{ "exchange, FUA", "", true, LU_COMPARE_AND_WRITE, LU_IO_FUA, 1, 0 },
		{ "orwrite, cache off", "", false, LU_ORWRITE, 0, 1, 0 },
		{ "read, cache off", "", false, LU_READ, 0, 0, 0 },
		{ "store without cache", "write_cache=no", false, LU_WRITE, LU_IO_FUA, 0, 0 },
		{ "flush", "", true, LU_FLUSH, 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lu *lu = disk_open("ram", NULL, cases[i].bsopts);
		struct client c = client_open(lu, 0);
		const size_t bytes = cases[i].op == LU_COMPARE_AND_WRITE ? 1024 : 512;
		unsigned int fua, flushed;
		int err;

		atomic_store(&lu->write_cache, cases[i].cache);
		memset(buf, 0, sizeof(buf));
		buf[bytes - 1] = 1;	/* compares equal, and is no pattern of zeroes */
		fua = atomic_load(&ram->fua);
		flushed = flushes();
		err = do_io(&c, cases[i].op, cases[i].flags, 0, 512, buf, bytes, NULL);
		if (err || atomic_load(&ram->fua) - fua != cases[i].fua ||
		    flushes() - flushed != cases[i].flushes)
			fail_msg("%s: err %d, %u with FUA, %u flushes", cases[i].why, err,
				 atomic_load(&ram->fua) - fua, flushes() - flushed);
		client_close(&c);
		disk_close(lu);
	}
}

static void zero_patterns_become_zeroes(void **state)
{
	static uint8_t zeroes[4096];
	struct lu *lu = disk_open("ram", NULL, "");
	struct client c = client_open(lu, 0);
	const unsigned int before = ram_ops(BS_WRITE_ZEROES), writes = ram_ops(BS_WRITE);
	const unsigned int unmaps = atomic_load(&ram->unmap_flags);

	(void)state;
	assert_int_equal(do_io(&c, LU_WRITE_SAME, LU_IO_UNMAP, 0, 65536, zeroes, 4096, NULL), 0);
	assert_int_equal(ram_ops(BS_WRITE_ZEROES), before + 1);
	assert_int_equal(ram_ops(BS_WRITE), writes);
	assert_int_equal(atomic_load(&ram->unmap_flags), unmaps + 1);
	client_close(&c);
	disk_close(lu);
}

/* --- life --- */

static void closing_waits_for_channels(void **state)
{
	struct lu *lu = disk_open("ram", NULL, "");
	struct client c = client_open(lu, 1), same = client_open(lu, 1);
	struct disk_close closing;
	uint8_t buf[512];
	sem_t over;

	(void)state;
	assert_ptr_equal(c.ch, same.ch);
	assert_int_equal(atomic_load(&ram->devices), 1);
	assert_int_equal(atomic_load(&ram->channels), 1);
	sem_init(&over, 0, 0);
	closing = (struct disk_close){ lu, &over };
	call_on(test_daemon.control, disk_close_start, &closing);
	client_close(&same);
	assert_int_equal(do_read(&c, 0, buf, sizeof(buf)), 0);
	assert_int_equal(sem_trywait(&over), -1);
	client_close(&c);
	wait_for(&over, "the store to close");
	sem_destroy(&over);
	assert_int_equal(atomic_load(&ram->devices), 0);
	assert_int_equal(atomic_load(&ram->channels), 0);
	assert_int_equal(atomic_load(&ram->groups), 0);
}

static void find_ram(void)
{
	void *so = dlopen(build_path("tests/modules/bs_ram.so"), RTLD_NOW | RTLD_NOLOAD);

	assert_non_null(so);
	ram = dlsym(so, "bs_ram_counters");
	assert_non_null(ram);
	dlclose(so);
}

static int setup(void **state)
{
	if (modules_up(state))
		return -1;
	find_ram();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_store_keeps_data),
		cmocka_unit_test(a_store_without_a_map_has_everything),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_read_only_unit_is_not_written),
		cmocka_unit_test(alignment_of_the_store_is_kept),
		cmocka_unit_test(good_means_durable_when_asked),
		cmocka_unit_test(zero_patterns_become_zeroes),
		cmocka_unit_test(closing_waits_for_channels),
	};

	return cmocka_run_group_tests_name("lu/io", tests, setup, modules_down);
}
