/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/ over a unit with a limit: a command that waits for it ends as if it were not
 * in the store.  The limit is one byte a second: nothing ends by time.
 */
#include "rig.h"
#include "lu/qos.h"

static void crawl_call(void *arg)
{
	static const struct lu_qos_limits crawl = { .bw_limit = 1, .bw_burst = 1 };

	assert_int_equal(lu_qos_set(arg, &crawl), 0);
}

static void none_call(void *arg)
{
	static const struct lu_qos_limits none;

	assert_int_equal(lu_qos_set(arg, &none), 0);
}

/* The first one takes the bucket, all others wait. */
static int stand(void **state)
{
	struct command r = READ_COMMAND;

	rig_stand(state);
	call_on(test_daemon.control, crawl_call, rig.lu);
	assert_int_equal(command_run(rig.a, &r), SCSI_GOOD);
	return 0;
}

static void assert_waits(const struct command *c)
{
	assert_false(c->answered || c->aborted);
}

static void task_management_is_answered(void **state)
{
	static const enum scsi_tmf_function fns[] = {
		SCSI_TMF_ABORT_TASK, SCSI_TMF_ABORT_TASK_SET, SCSI_TMF_CLEAR_TASK_SET,
		SCSI_TMF_LUN_RESET, SCSI_TMF_TARGET_RESET,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		struct command w = WRITE_COMMAND;

		command_submit(rig.a, &w);
		assert_ready(rig.a);
		assert_waits(&w);
		/* Not "rejected": it cannot land any more. */
		assert_int_equal(manage(rig.a, fns[i], DISK_LUN, &w), SCSI_TMF_COMPLETE);
		command_wait(&w);
		assert_true(w.aborted);
		command_released(&w);
		if (fns[i] >= SCSI_TMF_LUN_RESET)
			assert_attention(rig.a, 0x29, 0x03);
	}
}

static void a_reset_ends_those_of_others(void **state)
{
	struct command theirs[3] = { WRITE_COMMAND, READ_COMMAND, WRITE_COMMAND };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++)
		command_submit(rig.b, &theirs[i]);
	assert_ready(rig.b);
	assert_int_equal(manage(rig.a, SCSI_TMF_LUN_RESET, DISK_LUN, NULL),
			 SCSI_TMF_COMPLETE);
	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++) {
		command_wait(&theirs[i]);
		assert_int_equal(theirs[i].status, SCSI_TASK_ABORTED);
		command_released(&theirs[i]);
	}
	assert_attention(rig.a, 0x29, 0x03);
	assert_attention(rig.b, 0x29, 0x03);
}

static void nexus_loss_does_not_wait(void **state)
{
	struct command w[3] = { WRITE_COMMAND, READ_COMMAND, WRITE_COMMAND };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		command_submit(rig.b, &w[i]);
	session_close(rig.b);
	rig.b = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		command_released(&w[i]);
}

static void removal_does_not_wait(void **state)
{
	struct command w = WRITE_COMMAND, r = READ_COMMAND;

	(void)state;
	command_submit(rig.a, &w);
	command_submit(rig.b, &r);
	assert_int_equal(remove_lun(rig.target, DISK_LUN), 0);
	command_wait(&w);
	assert_sense(&w, 0x5, 0x25, 0x00);
	command_released(&w);
	command_wait(&r);
	assert_sense(&r, 0x5, 0x25, 0x00);
	command_released(&r);
}

/* More than the unit may hold in memory waits, and all of it ends well. */
static void a_change_lets_all_go(void **state)
{
	static struct command all[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = i & 1 ? (struct command)READ_COMMAND :
				 (struct command)WRITE_COMMAND;
		command_submit(i & 2 ? rig.a : rig.b, &all[i]);
	}
	assert_ready(rig.a);
	assert_ready(rig.b);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_waits(&all[i]);
	call_on(test_daemon.control, none_call, rig.lu);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		command_wait(&all[i]);
		assert_int_equal(all[i].status, SCSI_GOOD);
		command_released(&all[i]);
	}
}

#define qos_test(f)	cmocka_unit_test_setup_teardown(f, stand, rig_fall)

int main(void)
{
	const struct CMUnitTest tests[] = {
		qos_test(task_management_is_answered),
		qos_test(a_reset_ends_those_of_others),
		qos_test(nexus_loss_does_not_wait),
		qos_test(removal_does_not_wait),
		qos_test(a_change_lets_all_go),
	};

	return cmocka_run_group_tests_name("scsi/qos", tests, rig_start_daemon,
					   rig_stop_daemon);
}
