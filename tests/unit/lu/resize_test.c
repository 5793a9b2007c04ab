/* SPDX-License-Identifier: BSD-3-Clause */
/* A store that grows, shrinks, or is shown in part. */
#include <sys/stat.h>
#include "../scsi/gate.h"
#include "lu/resize.h"

#define MIB	(1024ULL * 1024)

struct resize_call {
	struct lu *lu;
	uint64_t bytes;
	int err;
	char why[256];
	unsigned int told;
	sem_t over;
};

static void on_resized(void *arg)
{
	struct resize_call *c = arg;

	c->told++;
}

static void resize_done(void *arg, int err, const char *why)
{
	struct resize_call *c = arg;

	c->err = err;
	snprintf(c->why, sizeof(c->why), "%s", why ? why : "");
	c->lu->resized = NULL;
	sem_post(&c->over);
}

static void resize_begin(void *arg)
{
	struct resize_call *c = arg;
	int err;

	c->lu->resized = on_resized;
	c->lu->resized_arg = c;
	err = lu_resize_start(c->lu, c->bytes, resize_done, c);
	assert_int_equal(err, 0);
}

static struct resize_call resize(struct lu *lu, uint64_t bytes)
{
	struct resize_call c = { .lu = lu, .bytes = bytes };

	sem_init(&c.over, 0, 0);
	call_on(test_daemon.control, resize_begin, &c);
	wait_for(&c.over, "a size");
	sem_destroy(&c.over);
	return c;
}

static void it_follows_the_store_up_to_what_is_wanted(void **state)
{
	char *path = temp_file(temp_dir(), MIB);
	struct lu *lu = disk_open("rdwr", path, NULL);
	struct resize_call c;

	(void)state;
	assert_int_equal(truncate(path, 3 * MIB), 0);
	c = resize(lu, 0);
	assert_int_equal(c.err, 0);
	assert_int_equal(c.told, 1);
	assert_int_equal(lu->geometry->nr_blocks, 3 * MIB / 512);
	assert_int_equal(resize(lu, 0).told, 0);
	c = resize(lu, 2 * MIB);
	assert_int_equal(c.told, 1);
	assert_int_equal(lu->geometry->nr_blocks, 2 * MIB / 512);
	c = resize(lu, 4 * MIB);
	assert_int_equal(c.err, -EINVAL);
	assert_non_null(strstr(c.why, "has only 3145728 bytes"));
	assert_int_equal(c.told, 0);
	assert_int_equal(resize(lu, 100).err, -EINVAL);
	/* A store that is smaller than what was wanted counts. */
	assert_int_equal(truncate(path, MIB), 0);
	assert_int_equal(resize(lu, 2 * MIB).err, -EINVAL);
	assert_int_equal(lu->geometry->nr_blocks, 2 * MIB / 512);
	assert_int_equal(resize(lu, 0).err, 0);
	assert_int_equal(lu->geometry->nr_blocks, MIB / 512);
	assert_int_equal(truncate(path, 511), 0);
	assert_int_equal(resize(lu, 0).err, -EINVAL);
	disk_close(lu);
	unlink(path);
	free(path);
}

static void a_store_that_cannot_be_looked_at(void **state)
{
	struct lu *lu = disk_open("null", "", "size=1M");

	(void)state;
	assert_int_equal(resize(lu, 0).err, -EOPNOTSUPP);
	assert_int_equal(resize(lu, MIB / 2).err, 0);
	assert_int_equal(lu->geometry->nr_blocks, MIB / 1024);
	assert_int_equal(resize(lu, 2 * MIB).err, -EINVAL);
	assert_int_equal(resize(lu, MIB).err, 0);
	assert_int_equal(lu->geometry->nr_blocks, MIB / 512);
	disk_close(lu);
}

/* Steps that have not begun do not write behind the new end. */
static void what_is_under_way_ends_at_the_new_end(void **state)
{
	struct lu *lu = disk_open("gate", "", NULL);
	struct client c = client_open(lu, 0);
	uint8_t pattern[512] = { 1 };
	struct iovec iov = { pattern, sizeof(pattern) };
	struct request r = { .io = { .op = LU_WRITE_SAME, .len_bytes = MIB, .iov = &iov,
				     .iovcnt = 1 } };

	(void)state;
	gate_close();
	request_submit(&c, &r);
	gate_wait_held(1);
	assert_int_equal(resize(lu, MIB / 2).err, 0);
	gate_open();
	assert_int_equal(request_wait(&r), -ERANGE);
	client_close(&c);
	disk_close(lu);
}

static int start(void **state)
{
	if (modules_up(state))
		return -1;
	gate_find();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_follows_the_store_up_to_what_is_wanted),
		cmocka_unit_test(a_store_that_cannot_be_looked_at),
		cmocka_unit_test(what_is_under_way_ends_at_the_new_end),
	};

	return cmocka_run_group_tests_name("lu/resize", tests, start, modules_down);
}
