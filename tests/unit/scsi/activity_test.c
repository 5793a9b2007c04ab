/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"
#include "scsi/activity.h"

struct question {
	bool active;
	sem_t over;
};

static void answer(void *arg, bool active)
{
	struct question *q = arg;

	q->active = active;
	sem_post(&q->over);
}

static void ask(void *arg)
{
	assert_int_equal(scsi_activity_ask(rig.disk, answer, arg), 0);
}

static bool active(void)
{
	struct question q = { 0 };

	sem_init(&q.over, 0, 0);
	call_on(test_daemon.control, ask, &q);
	wait_for(&q.over, "an answer about activity");
	sem_destroy(&q.over);
	return q.active;
}

static void a_session_that_is_idle_is_none(void **state)
{
	struct command c = { .cdb = { READY }, .lun = DISK_LUN };

	(void)state;
	assert_int_equal(command_run(rig.a, &c), SCSI_GOOD);
	assert_int_equal(command_run(rig.b, &c), SCSI_GOOD);
	assert_false(active());
}

static void a_command_in_the_store_is(void **state)
{
	struct command r = READ_COMMAND;

	(void)state;
	gate_close();
	command_submit(rig.b, &r);
	gate_wait_held(1);
	assert_true(active());
	gate_open();
	command_wait(&r);
	command_released(&r);
	assert_false(active());
}

static void a_command_that_waits_for_its_data_is(void **state)
{
	struct command w = WRITE_COMMAND;

	(void)state;
	w.withhold = true;
	command_submit(rig.a, &w);
	wait_for(&w.collected, "a call for data");
	assert_true(active());
	session_close(rig.a);		/* which takes the command with it */
	rig.a = NULL;
	assert_false(active());
}

/* It may still land: the LUN has not come to rest. */
static void a_write_whose_session_has_gone_is(void **state)
{
	struct command w = WRITE_COMMAND;

	(void)state;
	gate_close();
	command_submit(rig.a, &w);
	gate_wait_held(1);
	session_lose(rig.a);
	assert_true(active());
	gate_open();
	session_free(rig.a);
	rig.a = NULL;
	assert_false(active());
}

static void a_command_to_another_lun_is_none(void **state)
{
	struct command other = { .cdb = { HELLO, 0, 0, 0, 5 }, .lun = 0 };

	(void)state;
	command_run(rig.a, &other);
	assert_false(active());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(a_session_that_is_idle_is_none),
		rig_test(a_command_in_the_store_is),
		rig_test(a_command_that_waits_for_its_data_is),
		rig_test(a_write_whose_session_has_gone_is),
		rig_test(a_command_to_another_lun_is_none),
	};

	return cmocka_run_group_tests_name("scsi/activity", tests, rig_start_daemon,
					   rig_stop_daemon);
}
