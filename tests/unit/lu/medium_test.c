/* SPDX-License-Identifier: BSD-3-Clause */
/* Another store for a logical unit, with I/O under way, on two reactors. */
#include "../scsi/gate.h"
#include "lu/medium.h"

#define MIB	(1024ULL * 1024)

static const char *dir;
static uint8_t buf[4096], want[4096];

struct swap {
	/* Opening. */
	struct lu *lu;
	const char *path;
	struct lu_medium *m;
	int err;
	char why[512];
	sem_t over;

	/* Swapping: who has a channel on each reactor changes over. */
	struct client *clients;
	unsigned int nr_clients;
	atomic_uint moves;
	uint64_t blocks_while_moving;
	bool has_changed;
	int flush_err;
	sem_t changed, closed;
};

/* --- opening --- */

static void opened(void *arg, struct lu_medium *m, int err, const char *why)
{
	struct swap *s = arg;

	s->m = m;
	s->err = err;
	snprintf(s->why, sizeof(s->why), "%s", why ? why : "");
	sem_post(&s->over);
}

static void open_begin(void *arg)
{
	struct swap *s = arg;
	const int err = lu_medium_open(s->lu, s->path, 0, s->why, sizeof(s->why), opened, s);

	if (err)
		opened(s, NULL, err, strdupa(s->why));
}

static int open_medium(struct swap *s, struct lu *lu, const char *path)
{
	*s = (struct swap){ .lu = lu, .path = path };
	sem_init(&s->over, 0, 0);
	sem_init(&s->changed, 0, 0);
	sem_init(&s->closed, 0, 0);
	call_on(test_daemon.control, open_begin, s);
	wait_for(&s->over, "a medium to open");
	return s->err;
}

/* --- swapping --- */

static void move(void *arg)
{
	struct swap *s = arg;

	atomic_fetch_add(&s->moves, 1);
	s->blocks_while_moving = lu_geometry(s->lu)->nr_blocks;
	for (unsigned int i = 0; i < s->nr_clients; i++) {
		struct client *c = &s->clients[i];

		if (c->reactor != reactor_current())
			continue;
		client_put(c);
		client_get(c);
	}
}

static void changed(void *arg)
{
	struct swap *s = arg;

	s->has_changed = true;
	sem_post(&s->changed);
}

static void closed(void *arg, int err)
{
	struct swap *s = arg;

	s->flush_err = err;
	sem_post(&s->closed);
}

static void swap_begin(void *arg)
{
	static const struct lu_medium_ops ops = { move, changed, closed };
	struct swap *s = arg;

	lu_medium_swap(s->m, &ops, s);
}

static void swap(struct swap *s, struct client *clients, unsigned int n)
{
	s->clients = clients;
	s->nr_clients = n;
	call_on(test_daemon.control, swap_begin, s);
	wait_for(&s->changed, "a medium to change");
}

static void swapped(struct swap *s)
{
	wait_for(&s->closed, "the old medium to be closed");
	assert_int_equal(s->flush_err, 0);
}

static void drop_begin(void *arg)
{
	struct swap *s = arg;

	lu_medium_drop(s->m, changed, s);
}

static void file_holds(const char *path, uint64_t off, const void *p, size_t bytes)
{
	uint8_t got[4096];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fseek(f, (long)off, SEEK_SET), 0);
	assert_int_equal(fread(got, 1, bytes, f), bytes);
	assert_memory_equal(got, p, bytes);
	fclose(f);
}

/* --- cases --- */

static void the_new_store_is_the_disk_from_then_on(void **state)
{
	char *first = temp_file(dir, MIB), *second = temp_file(dir, 3 * MIB);
	struct lu *lu = disk_open("rdwr", first, NULL);
	struct client c[] = { client_open(lu, 0), client_open(lu, 1), client_open(lu, 1) };
	struct swap s;

	(void)state;
	fill(want, sizeof(want), 0, 1);
	assert_int_equal(do_write(&c[0], 0, want, sizeof(want)), 0);
	assert_int_equal(open_medium(&s, lu, second), 0);
	assert_true(lu_medium_is_there(s.m));
	/* Nothing has changed yet. */
	assert_int_equal(do_read(&c[1], 0, buf, sizeof(buf)), 0);
	assert_memory_equal(buf, want, sizeof(want));
	/* The third keeps the old channel: only to flush. */
	swap(&s, c, 2);
	assert_true(atomic_load(&s.moves) >= 2);
	assert_int_equal(s.blocks_while_moving, MIB / 512);
	assert_int_equal(lu->geometry->nr_blocks, 3 * MIB / 512);
	assert_string_equal(lu->path, second);
	assert_int_equal(do_write(&c[2], 0, want, sizeof(want)), -ENOMEDIUM);
	assert_int_equal(do_io(&c[2], LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	for (unsigned int i = 0; i < 2; i++) {
		fill(want, sizeof(want), 2 * MIB, (uint8_t)(2 + i));
		assert_int_equal(do_write(&c[i], 2 * MIB, want, sizeof(want)), 0);
		assert_int_equal(do_read(&c[1 - i], 2 * MIB, buf, sizeof(buf)), 0);
		assert_memory_equal(buf, want, sizeof(want));
	}
	file_holds(second, 2 * MIB, want, sizeof(want));
	fill(want, sizeof(want), 0, 1);
	file_holds(first, 0, want, sizeof(want));
	client_close(&c[2]);		/* the last that holds the old store */
	swapped(&s);
	client_close(&c[0]);
	client_close(&c[1]);
	disk_close(lu);
	unlink(first);
	unlink(second);
	free(first);
	free(second);
}

static void without_a_store_there_is_no_medium(void **state)
{
	char *path = temp_file(dir, MIB);
	struct lu *lu = disk_open("rdwr", path, NULL);
	struct client c = client_open(lu, 0);
	struct swap s;

	(void)state;
	assert_int_equal(open_medium(&s, lu, ""), 0);
	assert_false(lu_medium_is_there(s.m));
	swap(&s, &c, 1);
	swapped(&s);
	assert_int_equal(lu->geometry->nr_blocks, 0);
	assert_int_equal(lu->geometry->block_bytes, 512);
	assert_int_equal(do_read(&c, 0, buf, 512), -ENOMEDIUM);
	assert_int_equal(do_io(&c, LU_FLUSH, 0, 0, 0, NULL, 0, NULL), 0);
	assert_int_equal(open_medium(&s, lu, path), 0);
	swap(&s, &c, 1);
	swapped(&s);			/* there was nothing to be closed */
	assert_int_equal(lu->geometry->nr_blocks, MIB / 512);
	assert_int_equal(do_read(&c, MIB - 512, buf, 512), 0);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	free(path);
}

static void one_that_cannot_be_opened_changes_nothing(void **state)
{
	char *path = temp_file(dir, MIB), *small = temp_file(dir, 100);
	struct lu *lu = disk_open("rdwr", path, NULL);
	struct client c = client_open(lu, 0);
	struct swap s;

	(void)state;
	assert_int_equal(open_medium(&s, lu, "/nowhere/at/all"), -ENOENT);
	assert_int_equal(open_medium(&s, lu, small), -EINVAL);
	assert_non_null(strstr(s.why, "less than one block"));
	assert_int_equal(do_read(&c, 0, buf, 512), 0);
	assert_string_equal(lu->path, path);
	assert_false(lu->changing);
	client_close(&c);
	disk_close(lu);
	unlink(path);
	unlink(small);
	free(path);
	free(small);
}

static void one_change_at_a_time_and_it_can_be_given_up(void **state)
{
	char *path = temp_file(dir, MIB), *second = temp_file(dir, MIB);
	struct lu *lu = disk_open("rdwr", path, NULL);
	struct swap s, other;

	(void)state;
	assert_int_equal(open_medium(&s, lu, second), 0);
	assert_int_equal(open_medium(&other, lu, second), -EBUSY);
	call_on(test_daemon.control, drop_begin, &s);
	wait_for(&s.changed, "a medium to be dropped");
	assert_false(lu->changing);
	assert_string_equal(lu->path, path);
	assert_int_equal(open_medium(&s, lu, ""), 0);
	call_on(test_daemon.control, drop_begin, &s);
	wait_for(&s.changed, "no medium to be dropped");
	disk_close(lu);
	unlink(path);
	unlink(second);
	free(path);
	free(second);
}

/* It ends on the old one, and that is closed after it. */
static void what_the_store_has_ends_there(void **state)
{
	struct lu *lu = disk_open("gate", "", NULL);
	struct client c = client_open(lu, 0);
	struct iovec iov = { want, 512 };
	struct request r = { .io = { .op = LU_WRITE, .len_bytes = 512, .iov = &iov,
				     .iovcnt = 1 } };
	struct swap s;

	(void)state;
	assert_int_equal(open_medium(&s, lu, ""), 0);
	gate_close();
	request_submit(&c, &r);
	gate_wait_held(1);
	swap(&s, &c, 1);
	assert_int_equal(sem_trywait(&s.closed), -1);
	gate_open();
	assert_int_equal(request_wait(&r), 0);
	swapped(&s);
	client_close(&c);
	disk_close(lu);
}

static int start(void **state)
{
	if (modules_up(state))
		return -1;
	dir = temp_dir();
	gate_find();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_new_store_is_the_disk_from_then_on),
		cmocka_unit_test(without_a_store_there_is_no_medium),
		cmocka_unit_test(one_that_cannot_be_opened_changes_nothing),
		cmocka_unit_test(one_change_at_a_time_and_it_can_be_given_up),
		cmocka_unit_test(what_the_store_has_ends_there),
	};

	return cmocka_run_group_tests_name("lu/medium", tests, start, modules_down);
}
