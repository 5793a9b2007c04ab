/* SPDX-License-Identifier: BSD-3-Clause */
/* Somebody presses the drive's button. */
#include "rig.h"
#include "scsi/medium.h"

struct exchange {
	const char *path;		/* of what comes; "": nothing */
	struct scsi_medium_change *held;
	struct lu_medium *m;
	int err;
	sem_t opened, done, over;
};

static void hold(void *arg)
{
	struct exchange *x = arg;

	x->err = scsi_medium_hold(rig.disk, &x->held);
}

static void release(void *arg)
{
	struct exchange *x = arg;

	scsi_medium_release(x->held);
}

static void opened(void *arg, struct lu_medium *m, int err, const char *why)
{
	struct exchange *x = arg;

	(void)why;
	x->m = m;
	x->err = err;
	sem_post(&x->opened);
}

static void open_begin(void *arg)
{
	struct exchange *x = arg;
	char why[256];

	x->err = lu_medium_open(rig.lu, x->path, 0, why, sizeof(why), opened, x);
	assert_int_equal(x->err, 0);
}

static void done(void *arg)
{
	sem_post(&((struct exchange *)arg)->done);
}

static void over(void *arg, int err)
{
	assert_int_equal(err, 0);
	sem_post(&((struct exchange *)arg)->over);
}

static void change(void *arg)
{
	struct exchange *x = arg;

	scsi_medium_change(x->held, x->m, done, over, x);
}

static struct exchange exchange_new(const char *path)
{
	struct exchange x = { .path = path };

	sem_init(&x.opened, 0, 0);
	sem_init(&x.done, 0, 0);
	sem_init(&x.over, 0, 0);
	return x;
}

static void bring(struct exchange *x)
{
	call_on(test_daemon.control, open_begin, x);
	wait_for(&x->opened, "a medium to open");
	assert_int_equal(x->err, 0);
	call_on(test_daemon.control, hold, x);
	assert_int_equal(x->err, 0);
	call_on(test_daemon.control, change, x);
	wait_for(&x->done, "a medium to change");
}

static void assert_not_ready(struct session *s)
{
	struct command c = READY_COMMAND;

	command_run(s, &c);
	assert_sense(&c, 0x2, 0x3a, 0x00);
}

/* --- cases --- */

static void what_is_locked_in_stays(void **state)
{
	struct exchange x = exchange_new("");

	(void)state;
	atomic_store(&rig.disk->prevent_removal, 1);
	call_on(test_daemon.control, hold, &x);
	assert_int_equal(x.err, -EBUSY);
	atomic_store(&rig.disk->prevent_removal, 0);
	atomic_store(&rig.disk->background.state, SCSI_BACKGROUND_FORMAT);
	call_on(test_daemon.control, hold, &x);
	assert_int_equal(x.err, -EINPROGRESS);
	atomic_store(&rig.disk->background.state, SCSI_BACKGROUND_NONE);
	assert_ready(rig.a);		/* and nothing has happened */
	assert_ready(rig.b);
}

static void nobody_gets_to_what_is_held(void **state)
{
	struct exchange x = exchange_new("");
	struct command hello = { .cdb = { HELLO, [4] = 5 }, .lun = DISK_LUN, .in_max = 5 };
	uint8_t in[5];

	(void)state;
	hello.in = in;
	call_on(test_daemon.control, hold, &x);
	assert_int_equal(x.err, 0);
	assert_not_ready(rig.a);
	assert_not_ready(rig.b);
	assert_int_equal(command_run(rig.a, &hello), SCSI_GOOD);
	call_on(test_daemon.control, release, &x);
	assert_ready(rig.a);
	assert_ready(rig.b);
}

/* Told of the old medium no more; of the new one by a unit attention. */
static void tasks_end_and_everybody_is_told(void **state)
{
	struct exchange out = exchange_new(""), in = exchange_new("another");
	struct command w = WRITE_COMMAND, r = READ_COMMAND;
	uint8_t data[BLOCK];

	(void)state;
	r.in = data;
	gate_close();
	command_submit(rig.a, &w);
	command_submit(rig.b, &r);
	gate_wait_held(2);
	bring(&out);
	command_wait(&w);
	command_wait(&r);
	assert_sense(&w, 0x2, 0x3a, 0x00);
	assert_sense(&r, 0x2, 0x3a, 0x00);
	assert_not_ready(rig.a);
	assert_not_ready(rig.b);
	assert_int_equal(sem_trywait(&out.over), -1);	/* what it has, it has */
	gate_open();
	command_released(&w);
	command_released(&r);
	wait_for(&out.over, "the old medium to be closed");
	bring(&in);
	wait_for(&in.over, "nothing to be closed");
	assert_attention(rig.a, 0x28, 0x00);
	assert_ready(rig.a);
	assert_attention(rig.b, 0x28, 0x00);
	assert_ready(rig.b);
}

/* What was wrong with the old medium is past. */
static void a_new_medium_is_a_new_beginning(void **state)
{
	struct exchange x = exchange_new("another");

	(void)state;
	atomic_store(&rig.disk->stopped, true);
	atomic_store(&rig.disk->background.state, SCSI_BACKGROUND_FORMAT_FAILED);
	bring(&x);
	wait_for(&x.over, "the old medium to be closed");
	assert_attention(rig.a, 0x28, 0x00);
	assert_ready(rig.a);
	assert_string_equal(rig.lu->path, "another");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(what_is_locked_in_stays),
		rig_test(nobody_gets_to_what_is_held),
		rig_test(tasks_end_and_everybody_is_told),
		rig_test(a_new_medium_is_a_new_beginning),
	};

	return cmocka_run_group_tests_name("scsi/medium", tests, rig_start_daemon,
					   rig_stop_daemon);
}
