/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static void a_task_that_is_not_in_the_store_ends_at_once(void **state)
{
	struct command w = WRITE_COMMAND;

	(void)state;
	w.withhold = true;
	command_submit(rig.a, &w);
	wait_for(&w.collected, "collect()");
	assert_int_equal(manage(rig.a, SCSI_TMF_ABORT_TASK, DISK_LUN, &w),
			 SCSI_TMF_COMPLETE);
	command_wait(&w);
	assert_true(w.aborted);
	command_released(&w);
	assert_ready(rig.a);
}

static void a_write_in_the_store_is_waited_for(void **state)
{
	struct command w = WRITE_COMMAND, r = READ_COMMAND;
	struct management m;
	int pending;

	(void)state;
	gate_close();
	command_submit(rig.a, &w);
	gate_wait_held(1);
	manage_submit(rig.a, &m, SCSI_TMF_ABORT_TASK, DISK_LUN, &w);
	command_wait(&w);
	assert_true(w.aborted);
	/* Meanwhile others are served. */
	command_submit(rig.a, &r);
	gate_wait_held(2);
	sem_getvalue(&m.over, &pending);
	assert_int_equal(pending, 0);
	gate_open();
	assert_int_equal(manage_wait(&m), SCSI_TMF_COMPLETE);
	command_released(&w);
	command_wait(&r);
	assert_int_equal(r.status, SCSI_GOOD);
	command_released(&r);
}

static void a_read_in_the_store_is_not(void **state)
{
	struct command r = READ_COMMAND;

	(void)state;
	gate_close();
	command_submit(rig.a, &r);
	gate_wait_held(1);
	assert_int_equal(manage(rig.a, SCSI_TMF_ABORT_TASK, DISK_LUN, &r),
			 SCSI_TMF_COMPLETE);
	command_wait(&r);
	assert_true(r.aborted);
	gate_open();
	command_released(&r);
}

/* The store does not come back in time: what is said is the truth. */
static void a_store_that_hangs_makes_it_rejected(void **state)
{
	static const enum scsi_tmf_function fns[] = {
		SCSI_TMF_ABORT_TASK, SCSI_TMF_ABORT_TASK_SET, SCSI_TMF_CLEAR_TASK_SET,
		SCSI_TMF_LUN_RESET, SCSI_TMF_TARGET_RESET,
	};
	struct command w[ARRAY_SIZE(fns)];
	struct management m[ARRAY_SIZE(fns)];

	(void)state;
	gate_close();
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		w[i] = (struct command)WRITE_COMMAND;
		w[i].cdb[5] = (uint8_t)i;	/* not behind the one before */
		command_submit(rig.a, &w[i]);
		gate_wait_held((unsigned int)i + 1);
		manage_submit(rig.a, &m[i], fns[i], DISK_LUN, &w[i]);
		command_wait(&w[i]);
		assert_true(w[i].aborted);
		if (fns[i] == SCSI_TMF_LUN_RESET)
			assert_attention(rig.a, 0x29, 0x03);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++)
		assert_int_equal(manage_wait(&m[i]), SCSI_TMF_REJECTED);
	gate_open();
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++)
		command_released(&w[i]);
}

static void a_task_set_is_that_of_one_nexus_and_one_unit(void **state)
{
	static const enum scsi_tmf_function fns[] = { SCSI_TMF_ABORT_TASK_SET,
						      SCSI_TMF_CLEAR_TASK_SET };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		struct command mine[2] = { READ_COMMAND, WRITE_COMMAND };
		struct command theirs = READ_COMMAND;

		gate_close();
		mine[1].withhold = true;
		command_submit(rig.a, &mine[0]);
		command_submit(rig.a, &mine[1]);
		command_submit(rig.b, &theirs);
		gate_wait_held(2);
		assert_int_equal(manage(rig.a, fns[i], DISK_LUN, NULL), SCSI_TMF_COMPLETE);
		for (unsigned int k = 0; k < 2; k++) {
			command_wait(&mine[k]);
			assert_true(mine[k].aborted);
		}
		gate_open();
		command_wait(&theirs);
		assert_int_equal(theirs.status, SCSI_GOOD);
		command_released(&theirs);
		command_released(&mine[0]);
		command_released(&mine[1]);
		assert_ready(rig.a);	/* no unit attention */
		assert_ready(rig.b);
	}
}

static void a_reset_reaches_every_nexus(void **state)
{
	static const enum scsi_tmf_function fns[] = { SCSI_TMF_LUN_RESET,
						      SCSI_TMF_TARGET_RESET };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		struct command mine = READ_COMMAND, theirs = READ_COMMAND;
		struct command collecting = WRITE_COMMAND;
		struct command reserve = { .cdb = { RESERVE }, .lun = DISK_LUN };

		gate_close();
		collecting.withhold = true;
		command_submit(rig.a, &mine);
		command_submit(rig.b, &theirs);
		command_submit(rig.b, &collecting);
		gate_wait_held(2);
		assert_int_equal(command_run(rig.b, &reserve), SCSI_GOOD);
		atomic_store(&rig.disk->stopped, true);

		assert_int_equal(manage(rig.a, fns[i], DISK_LUN, NULL), SCSI_TMF_COMPLETE);
		command_wait(&mine);
		assert_true(mine.aborted);
		/* TAS=1: the others are told. */
		command_wait(&theirs);
		assert_int_equal(theirs.status, SCSI_TASK_ABORTED);
		command_wait(&collecting);
		assert_int_equal(collecting.status, SCSI_TASK_ABORTED);
		gate_open();
		command_released(&mine);
		command_released(&theirs);
		command_released(&collecting);

		assert_attention(rig.a, 0x29, 0x03);
		assert_attention(rig.b, 0x29, 0x03);
		assert_ready(rig.a);	/* reservation and stop are gone */
		assert_ready(rig.b);
	}
}

static void a_missing_unit_is_said(void **state)
{
	(void)state;
	assert_int_equal(manage(rig.a, SCSI_TMF_LUN_RESET, 9, NULL), SCSI_TMF_NO_SUCH_LUN);
	assert_int_equal(manage(rig.a, SCSI_TMF_ABORT_TASK_SET, 9, NULL),
			 SCSI_TMF_NO_SUCH_LUN);
}

/* The nexus goes while its function waits for the store: it is answered. */
static void a_nexus_that_closes_is_answered(void **state)
{
	struct command w = WRITE_COMMAND;
	struct management m;

	(void)state;
	gate_close();
	command_submit(rig.a, &w);
	gate_wait_held(1);
	manage_submit(rig.a, &m, SCSI_TMF_LUN_RESET, DISK_LUN, NULL);
	command_wait(&w);
	session_lose(rig.a);
	gate_open();
	assert_int_equal(manage_wait(&m), SCSI_TMF_COMPLETE);
	command_released(&w);
	session_free(rig.a);
	rig.a = NULL;
}

/* Several functions on one task, the answer on its way. */
static void aborts_are_idempotent(void **state)
{
	struct command w = WRITE_COMMAND;
	struct management m[3];

	(void)state;
	gate_close();
	command_submit(rig.a, &w);
	gate_wait_held(1);
	for (unsigned int i = 0; i < 3; i++)
		manage_submit(rig.a, &m[i], i ? SCSI_TMF_LUN_RESET : SCSI_TMF_ABORT_TASK_SET,
			      DISK_LUN, NULL);
	gate_open();
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(manage_wait(&m[i]), SCSI_TMF_COMPLETE);
	command_wait(&w);
	assert_true(w.aborted);
	command_released(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(a_task_that_is_not_in_the_store_ends_at_once),
		rig_test(a_write_in_the_store_is_waited_for),
		rig_test(a_read_in_the_store_is_not),
		rig_test(a_store_that_hangs_makes_it_rejected),
		rig_test(a_task_set_is_that_of_one_nexus_and_one_unit),
		rig_test(a_reset_reaches_every_nexus),
		rig_test(a_missing_unit_is_said),
		rig_test(a_nexus_that_closes_is_answered),
		rig_test(aborts_are_idempotent),
	};

	return cmocka_run_group_tests_name("scsi/tmf", tests, rig_start_daemon,
					   rig_stop_daemon);
}
