/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define SIMPLE	SCSI_ATTR_SIMPLE
#define ORDERED	SCSI_ATTR_ORDERED
#define HEAD	SCSI_ATTR_HEAD_OF_QUEUE

/* Which of a row of commands reach the store while none has ended. */
static void who_may_start(void **state)
{
	static const struct {
		const char *why;
		enum scsi_attr attr[5];
		bool starts[5];
	} cases[] = {
		{ "simple ones do not wait for each other",
		  { SIMPLE, SIMPLE, SIMPLE, SIMPLE, SIMPLE }, { 1, 1, 1, 1, 1 } },
		{ "ordered waits for what is older, and holds what is younger",
		  { SIMPLE, SIMPLE, ORDERED, SIMPLE, ORDERED }, { 1, 1, 0, 0, 0 } },
		{ "ordered at the front starts",
		  { ORDERED, SIMPLE, SIMPLE, SIMPLE, SIMPLE }, { 1, 0, 0, 0, 0 } },
		{ "head of queue waits for nobody",
		  { ORDERED, SIMPLE, HEAD, SIMPLE, HEAD }, { 1, 0, 1, 0, 1 } },
		{ "what comes after head of queue waits for it",
		  { SIMPLE, HEAD, SIMPLE, ORDERED, SIMPLE }, { 1, 1, 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c[5];
		unsigned int n = 0;

		gate_close();
		for (unsigned int k = 0; k < 5; k++) {
			c[k] = (struct command)READ_COMMAND;
			c[k].attr = cases[i].attr[k];
			command_submit(rig.a, &c[k]);
		}
		for (unsigned int k = 0; k < 5; k++) {
			n += cases[i].starts[k];
			if ((c[k].task.state == SCSI_TASK_RUNNING) != cases[i].starts[k])
				fail_msg("%s: command %u", cases[i].why, k);
		}
		gate_wait_held(n);
		gate_open();
		for (unsigned int k = 0; k < 5; k++) {
			command_wait(&c[k]);
			assert_int_equal(c[k].status, SCSI_GOOD);
		}
		/* Those that waited ended after those that they waited for. */
		for (unsigned int k = 1; k < 5; k++)
			if (cases[i].attr[k] == ORDERED)
				for (unsigned int older = 0; older < k; older++)
					assert_true(c[k].order > c[older].order);
		for (unsigned int k = 0; k < 5; k++)
			command_released(&c[k]);
	}
}

/* A write that still collects its data is older all the same. */
static void order_is_that_of_arrival(void **state)
{
	struct command w = WRITE_COMMAND, o = READ_COMMAND;

	(void)state;
	w.withhold = true;
	o.attr = ORDERED;
	command_submit(rig.a, &w);
	wait_for(&w.collected, "collect()");
	command_submit(rig.a, &o);
	assert_int_equal(o.task.state, SCSI_TASK_BLOCKED);
	command_bring_data(&w);
	command_wait(&o);
	command_wait(&w);
	assert_true(o.order > w.order);
	command_released(&w);
	command_released(&o);
}

static void aborting_the_one_in_front_lets_the_others_go(void **state)
{
	struct command w = WRITE_COMMAND, s = READ_COMMAND;

	(void)state;
	w.withhold = true;
	w.attr = ORDERED;
	command_submit(rig.a, &w);
	wait_for(&w.collected, "collect()");
	command_submit(rig.a, &s);
	assert_int_equal(s.task.state, SCSI_TASK_BLOCKED);
	command_abort(&w);
	command_wait(&s);
	assert_int_equal(s.status, SCSI_GOOD);
	assert_true(w.aborted);
	command_released(&s);
	command_released(&w);
}

/* TST=001b: a task set for each nexus. */
static void nexuses_do_not_wait_for_each_other(void **state)
{
	struct command mine = READ_COMMAND, theirs = READ_COMMAND;

	(void)state;
	gate_close();
	mine.attr = ORDERED;
	command_submit(rig.a, &mine);
	command_submit(rig.b, &theirs);
	gate_wait_held(2);
	gate_open();
	command_wait(&mine);
	command_wait(&theirs);
	command_released(&mine);
	command_released(&theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(who_may_start),
		rig_test(order_is_that_of_arrival),
		rig_test(aborting_the_one_in_front_lets_the_others_go),
		rig_test(nexuses_do_not_wait_for_each_other),
	};

	return cmocka_run_group_tests_name("scsi/task_set", tests, rig_start_daemon,
					   rig_stop_daemon);
}
