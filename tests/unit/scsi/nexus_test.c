/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static void ids_are_never_used_again(void **state)
{
	uint64_t last = MAX(rig.a->nexus.id, rig.b->nexus.id);

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		struct session *s = session_open(rig.target, i & 1);

		assert_true(s->nexus.id > last);
		last = s->nexus.id;
		session_close(s);
	}
}

/* Tasks in every state are aborted; the nexus is given up with the last. */
static void nexus_loss_ends_every_task(void **state)
{
	struct command r = READ_COMMAND, collecting = WRITE_COMMAND, blocked = READ_COMMAND;
	struct command *all[] = { &r, &collecting, &blocked };
	int closed;

	(void)state;
	gate_close();
	collecting.withhold = true;
	blocked.attr = SCSI_ATTR_ORDERED;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		command_submit(rig.a, all[i]);
	gate_wait_held(1);
	session_lose(rig.a);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		command_wait(all[i]);
		assert_true(all[i]->aborted);
	}
	command_released(&collecting);
	command_released(&blocked);
	sem_getvalue(&rig.a->closed, &closed);
	assert_int_equal(closed, 0);	/* r is in the store */
	gate_open();
	command_released(&r);
	session_free(rig.a);
	rig.a = NULL;
}

static void nexus_loss_gives_up_reservations(void **state)
{
	struct command mine = { .cdb = { RESERVE }, .lun = DISK_LUN }, theirs = mine;

	(void)state;
	assert_int_equal(command_run(rig.a, &mine), SCSI_GOOD);
	assert_int_equal(command_run(rig.b, &theirs), SCSI_RESERVATION_CONFLICT);
	session_close(rig.a);
	rig.a = NULL;
	assert_ready(rig.b);
}

/* Several at once, all told "power on" first. */
static void a_new_nexus_is_told_power_on_for_each_unit(void **state)
{
	struct session *s = session_open(rig.target, 0);
	struct command hello = { .cdb = { HELLO, [4] = 5 }, .lun = DISK_LUN };

	(void)state;
	assert_int_equal(command_run(s, &hello), SCSI_GOOD);	/* does not take it */
	clear_attention(s, DISK_LUN);
	assert_ready(s);
	session_close(s);
}

static void count_itl(struct scsi_itl *itl, void *arg)
{
	struct lu_stats *sum = arg;

	lu_stats_sum(sum, &itl->stats);
}

static void sum_stats(void *arg)
{
	scsi_nexus_each_itl(&rig.a->nexus, count_itl, arg);
}

static void commands_are_counted(void **state)
{
	struct command r = READ_COMMAND, w = WRITE_COMMAND, bad = READ_COMMAND;
	struct lu_stats s = { 0 };

	(void)state;
	command_run(rig.a, &r);
	command_run(rig.a, &w);
	bad.cdb[2] = 0xff;
	command_run(rig.a, &bad);
	call_on(rig.a->reactor, sum_stats, &s);
	assert_int_equal(s.rd_subm_cmds, 1);
	assert_int_equal(s.rd_done_cmds, 1);
	assert_int_equal(s.rd_done_bytes, BLOCK);
	assert_int_equal(s.wr_subm_bytes, BLOCK);
	assert_int_equal(s.wr_done_cmds, 1);
	assert_int_equal(s.errs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(ids_are_never_used_again),
		rig_test(nexus_loss_ends_every_task),
		rig_test(nexus_loss_gives_up_reservations),
		rig_test(a_new_nexus_is_told_power_on_for_each_unit),
		rig_test(commands_are_counted),
	};

	return cmocka_run_group_tests_name("scsi/nexus", tests, rig_start_daemon,
					   rig_stop_daemon);
}
