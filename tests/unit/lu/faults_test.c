/* SPDX-License-Identifier: BSD-3-Clause */
/* Stores that fail by rule (bs_error), seen through lu/io. */
#include "base/clock.h"
#include "disk.h"

#define DISK	"opts=size=1M,write_cache=yes"

static uint8_t buf[8192];

struct step {
	enum lu_op op;
	uint64_t off, len;
	int err;
};

static void rules_hit_what_they_name(void **state)
{
	static const struct {
		const char *bsopts;
		struct step steps[6];
	} cases[] = {
		{ DISK ";op=write;error=EIO",
		  { { LU_READ, 0, 512, 0 }, { LU_WRITE, 0, 512, -EIO },
		    { LU_FLUSH, 0, 0, 0 }, { LU_WRITE, 0, 512, -EIO } } },
		{ DISK ";op=read+flush;error=ENODATA",
		  { { LU_READ, 0, 512, -ENODATA }, { LU_WRITE, 0, 512, 0 },
		    { LU_FLUSH, 0, 0, -ENODATA } } },
		{ DISK ";after=1;count=2;error=ENOSPC",
		  { { LU_WRITE, 0, 512, 0 }, { LU_WRITE, 0, 512, -ENOSPC },
		    { LU_READ, 0, 512, -ENOSPC }, { LU_WRITE, 0, 512, 0 } } },
		{ DISK ";at=4096;len=512;error=EIO",
		  { { LU_READ, 0, 4096, 0 }, { LU_READ, 4096, 512, -EIO },
		    { LU_READ, 4608, 512, 0 }, { LU_READ, 3584, 1024, -EIO },
		    { LU_FLUSH, 0, 0, 0 } } },
		{ DISK ";op=read;at=0;error=EIO;op2=read;error2=ETIMEDOUT;op3=write;error3=EROFS",
		  { { LU_READ, 0, 512, -EIO }, { LU_READ, 512, 512, -ETIMEDOUT },
		    { LU_WRITE, 0, 512, -EROFS } } },
		{ DISK ";op=flush;error=EIO",
		  { { LU_WRITE_ZEROES, 0, 512, 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lu *lu = disk_open("error", "ram:", cases[i].bsopts);
		struct client c = client_open(lu, 0);

		for (size_t k = 0; k < 6; k++) {
			const struct step *s = &cases[i].steps[k];
			const int err = do_io(&c, s->op, 0, s->off, s->len,
					      s->len ? buf : NULL, s->len, NULL);

			if (err != s->err)
				fail_msg("%s, step %zu: %d, not %d", cases[i].bsopts, k, err,
					 s->err);
		}
		client_close(&c);
		disk_close(lu);
	}
}

static void a_failed_flush_fails_the_write_that_needed_it(void **state)
{
	struct lu *lu = disk_open("error", "ram:", DISK ";op=flush;error=EIO");
	struct client c = client_open(lu, 0);

	(void)state;
	assert_int_equal(do_io(&c, LU_WRITE_ZEROES, LU_IO_FUA, 0, 512, NULL, 0, NULL), -EIO);
	atomic_store(&lu->write_cache, false);
	assert_int_equal(do_io(&c, LU_UNMAP, 0, 0, 512, NULL, 0, NULL), -EIO);
	client_close(&c);
	disk_close(lu);
}

static void short_io_does_the_first_half(void **state)
{
	struct lu *lu = disk_open("error", "ram:",
				  DISK ";op=write;after=1;count=1;short=yes;error=ENOSPC");
	struct client c = client_open(lu, 0);
	uint8_t got[4096], want[4096];

	(void)state;
	memset(buf, 'a', 4096);
	assert_int_equal(do_write(&c, 0, buf, 4096), 0);
	memset(buf, 'b', 4096);
	assert_int_equal(do_write(&c, 0, buf, 4096), -ENOSPC);
	memset(want, 'b', 2048);
	memset(want + 2048, 'a', 2048);
	assert_int_equal(do_read(&c, 0, got, 4096), 0);
	assert_memory_equal(got, want, 4096);
	client_close(&c);
	disk_close(lu);
}

static void a_delay_is_at_least_so_long(void **state)
{
	struct lu *lu = disk_open("error", "ram:", DISK ";op=read;delay=60");
	struct client c = client_open(lu, 1);
	uint64_t start = clock_now_ns();

	(void)state;
	assert_int_equal(do_read(&c, 0, buf, 512), 0);
	assert_true(clock_now_ns() - start >= 60 * NS_PER_MS);
	client_close(&c);
	disk_close(lu);
}

static bool is_over(struct request *r)
{
	int n;

	sem_getvalue(&r->over, &n);
	return n > 0;
}

static void what_hangs_goes_on_when_released(void **state)
{
	char *control = temp_file(temp_dir(), 0);
	struct request held[3] = { 0 };
	struct iovec iov = { buf, 512 };
	char bsopts[256];
	struct client c, d;
	struct lu *lu, *other;

	(void)state;
	snprintf(bsopts, sizeof(bsopts), DISK ";op=write;hang=yes;control=%s", control);
	lu = disk_open("error", "ram:", bsopts);
	other = disk_open("ram", NULL, NULL);
	c = client_open(lu, 0);
	d = client_open(other, 0);
	for (size_t i = 0; i < 3; i++) {
		held[i].io = (struct lu_io){ .op = LU_WRITE, .off_bytes = 512 * i,
					     .len_bytes = 512, .iov = &iov, .iovcnt = 1 };
		request_submit(&c, &held[i]);
	}
	/* The rest of the world does not notice. */
	assert_int_equal(do_read(&c, 0, buf, 512), 0);
	assert_int_equal(do_write(&d, 0, buf, 512), 0);
	for (size_t i = 0; i < 3; i++)
		assert_false(is_over(&held[i]));
	assert_int_equal(unlink(control), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(request_wait(&held[i]), 0);
	assert_int_equal(do_write(&c, 0, buf, 512), 0);	/* no longer armed */
	client_close(&c);
	client_close(&d);
	disk_close(lu);
	disk_close(other);
	free(control);
}

static void cancel_call(void *arg)
{
	struct request *r = arg;

	lu_io_cancel(&r->io);
}

struct look {
	const struct request *r;
	bool in_store;
};

static void look_call(void *arg)
{
	struct look *l = arg;

	l->in_store = l->r->io.bs.ch;
}

/* What needs the range to itself gets there in a later turn. */
static void wait_until_in_store(const struct client *c, const struct request *r)
{
	const uint64_t until_ns = clock_now_ns() + 10000 * NS_PER_MS;
	struct look l = { .r = r };

	do
		call_on(c->reactor, look_call, &l);
	while (!l.in_store && clock_now_ns() < until_ns);
	assert_true(l.in_store);
}

/* An abort waits for one write, not for as many as the range has. */
static void what_is_cancelled_takes_no_further_step(void **state)
{
	static const struct {
		enum lu_op op;
		const char *hangs;
		uint64_t iov_bytes, untouched;	/* from there on */
	} cases[] = {
		{ LU_WRITE_SAME, "write", 512, LU_SCRATCH_MAX },
		{ LU_COMPARE_AND_WRITE, "read", sizeof(buf), 0 },
		{ LU_ORWRITE, "read", sizeof(buf) / 2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *control = temp_file(temp_dir(), 0);
		const uint64_t len = cases[i].op == LU_WRITE_SAME ? 1U << 20 : sizeof(buf) / 2;
		uint64_t at = cases[i].untouched;
		struct iovec iov = { buf, cases[i].iov_bytes };
		struct request r = { .io = { .op = cases[i].op, .len_bytes = len, .iov = &iov,
					     .iovcnt = 1 } };
		uint8_t got[512];
		char bsopts[256];
		struct client c;
		struct lu *lu;

		snprintf(bsopts, sizeof(bsopts), DISK ";op=%s;hang=yes;control=%s",
			 cases[i].hangs, control);
		lu = disk_open("error", "ram:", bsopts);
		c = client_open(lu, 0);
		memset(buf, 0, sizeof(buf) / 2);
		memset(buf + sizeof(buf) / 2, 0x55, sizeof(buf) / 2);
		if (cases[i].op != LU_COMPARE_AND_WRITE)
			memset(buf, 0x55, sizeof(buf));
		request_submit(&c, &r);
		wait_until_in_store(&c, &r);
		call_on(c.reactor, cancel_call, &r);
		assert_false(is_over(&r));
		assert_int_equal(unlink(control), 0);
		assert_int_equal(request_wait(&r), -ECANCELED);
		for (; at < len; at += sizeof(got)) {
			assert_int_equal(do_read(&c, at, got, sizeof(got)), 0);
			for (size_t k = 0; k < sizeof(got); k++)
				assert_int_equal(got[k], 0);
		}
		client_close(&c);
		disk_close(lu);
		free(control);
	}
}

static void bad_rules_are_refused_in_words(void **state)
{
	static const struct {
		const char *path, *bsopts, *word;
		int err;
	} cases[] = {
		{ "ram:", "op=wriet", "wriet", -EINVAL },
		{ "ram:", "error=EPERM", "EPERM", -EINVAL },
		{ "ram:", "hang=yes", "control", -EINVAL },
		{ "ram:", "delay=never", "delay", -EINVAL },
		{ "ram", "", "bstype:path", -EINVAL },
		{ "nosuch:x", "", "nosuch", -ENOENT },
		{ "ram:", "opts=fail=the disk is on fire", "the disk is on fire", -EIO },
		{ "rdwr:/nonexistent/x", "", "No such file", -ENOENT },
	};
	char why[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct bs_open_spec spec = { .bstype = "error", .path = cases[i].path,
						   .bsopts = cases[i].bsopts };
		int err;

		assert_null(disk_try_open(&spec, &err, why));
		if (err != cases[i].err || !strstr(why, cases[i].word))
			fail_msg("%s %s: %d '%s'", cases[i].path, cases[i].bsopts, err, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_hit_what_they_name),
		cmocka_unit_test(a_failed_flush_fails_the_write_that_needed_it),
		cmocka_unit_test(short_io_does_the_first_half),
		cmocka_unit_test(a_delay_is_at_least_so_long),
		cmocka_unit_test(what_hangs_goes_on_when_released),
		cmocka_unit_test(what_is_cancelled_takes_no_further_step),
		cmocka_unit_test(bad_rules_are_refused_in_words),
	};

	return cmocka_run_group_tests_name("lu/faults", tests, modules_up, modules_down);
}
