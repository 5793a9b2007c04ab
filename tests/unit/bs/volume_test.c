/* SPDX-License-Identifier: BSD-3-Clause */
/* bs/volume over the modules for files: what is broken off leaves no trace. */
#include "modules.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bs/volume.h"

#define MIB	(1ULL << 20)

static char dir[] = "/tmp/volume-test.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return !mkdtemp(dir) || chdir(dir) || bs_loader_scan(build_path("modules"));
}

static int tear_down(void **state)
{
	(void)state;
	bs_loader_unload();
	return chdir("/") || rmdir(dir);
}

static int at_once(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	(void)ctx, (void)done_bytes, (void)total_bytes;
	return 1;
}

static int at_the_end(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	(void)ctx;
	return done_bytes == total_bytes;
}

static int run(enum bs_volume_op op, uint64_t size_bytes, uint32_t flags,
	       int (*progress)(void *, uint64_t, uint64_t))
{
	const struct bs_volume_spec spec = {
		.bstype = "rdwr",
		.args = { .path = "v", .path2 = "copy", .size_bytes = size_bytes,
			  .flags = flags, .progress = progress },
	};
	char why[256] = "";
	const int err = bs_volume_run(op, &spec, why, sizeof(why));

	assert_true(!err == !*why);
	return err;
}

static void what_is_broken_off_leaves_no_trace(void **state)
{
	int (*const when[])(void *, uint64_t, uint64_t) = { at_once, at_the_end };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(when); i++) {
		assert_int_equal(run(BS_VOLUME_CREATE, MIB, BS_VOLUME_PREALLOCATE, when[i]),
				 -ECANCELED);
		assert_int_equal(access("v", F_OK), -1);
		assert_int_equal(run(BS_VOLUME_CREATE, MIB, 0, NULL), 0);
		assert_int_equal(run(BS_VOLUME_RESIZE, 2 * MIB, BS_VOLUME_PREALLOCATE, when[i]),
				 -ECANCELED);
		assert_int_equal(stat("v", &st), 0);
		assert_int_equal(st.st_size, MIB);
		assert_int_equal(run(BS_VOLUME_REMOVE, 0, 0, NULL), 0);
	}
}

static void a_copy_that_is_broken_off_is_gone(void **state)
{
	(void)state;
	assert_int_equal(run(BS_VOLUME_CREATE, MIB, 0, NULL), 0);
	/* A reflink cannot be broken off: it is done at once. */
	if (run(BS_VOLUME_CLONE, 0, 0, at_the_end) == 0)
		assert_int_equal(unlink("copy"), 0);
	assert_int_equal(access("copy", F_OK), -1);
	assert_int_equal(run(BS_VOLUME_REMOVE, 0, 0, NULL), 0);
}

static void what_a_module_lacks_is_said(void **state)
{
	const struct bs_volume_spec spec = { .bstype = "rdwr", .args = { .path = "v" } };
	char why[256];

	(void)state;
	assert_int_equal(bs_volume_run(BS_VOLUME_SNAPSHOT, &spec, why, sizeof(why)), -EOPNOTSUPP);
	assert_string_equal(why, "v: bstype rdwr does not have this operation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_broken_off_leaves_no_trace),
		cmocka_unit_test(a_copy_that_is_broken_off_is_gone),
		cmocka_unit_test(what_a_module_lacks_is_said),
	};

	return cmocka_run_group_tests_name("bs/volume", tests, set_up, tear_down);
}
