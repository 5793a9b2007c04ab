/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stress_test.c - tasks in every state meet aborts, resets, removal and nexus
 * loss; each ends exactly once (initiator.h asserts it) and all memory comes
 * back.
 */
#include "rig.h"

#define ROUNDS	150U
#define COMMANDS 24U

static uint64_t seed = 0x9e3779b97f4a7c15ULL;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void make(struct command *c)
{
	static const enum scsi_attr attrs[] = { SCSI_ATTR_SIMPLE, SCSI_ATTR_SIMPLE,
						SCSI_ATTR_ORDERED, SCSI_ATTR_HEAD_OF_QUEUE };
	const struct command kinds[] = { READ_COMMAND, WRITE_COMMAND, WRITE_COMMAND,
					 READY_COMMAND };
	const uint64_t r = rnd();

	*c = kinds[r % ARRAY_SIZE(kinds)];
	c->attr = attrs[(r >> 8) % ARRAY_SIZE(attrs)];
	c->withhold = c->out_bytes && (r >> 16) % 3 == 0;
	c->immediate = c->out_bytes && !c->withhold && (r >> 20) % 2;
}

/* On the command's reactor: the data it waited for, if it still waits. */
static void feed(void *arg)
{
	struct command *c = arg;

	if (c->collecting && !c->answered && !c->aborted &&
	    c->task.state == SCSI_TASK_COLLECT)
		bring_data(c);
}

/* On its reactor, where it cannot end meanwhile. */
static void abort_if_there(void *arg)
{
	struct command *c = arg;

	if (!c->answered && !c->aborted)
		scsi_task_abort(&c->task);
}

enum trouble { ABORTS, LUN_RESET, TARGET_RESET, ABORT_SET, REMOVAL, LOSS, NR_TROUBLES };

static void cause(enum trouble what, struct command *c)
{
	struct management m;

	switch (what) {
	case ABORTS:
		for (unsigned int i = 0; i < COMMANDS; i += 3)
			call_on(c[i].session->reactor, abort_if_there, &c[i]);
		break;
	case REMOVAL:
		assert_int_equal(remove_lun(rig.target, DISK_LUN), 0);
		break;
	case LOSS:
		session_lose(rig.a);
		break;
	default:
		manage_submit(rnd() & 1 ? rig.a : rig.b, &m,
			      what == LUN_RESET ? SCSI_TMF_LUN_RESET :
			      what == TARGET_RESET ? SCSI_TMF_TARGET_RESET :
						     SCSI_TMF_ABORT_TASK_SET,
			      DISK_LUN, NULL);
		/* Only now and then is the store too late for the answer. */
		if (rnd() % 16)
			gate_open();
		manage_wait(&m);
	}
}

static void recover(enum trouble what)
{
	if (what == REMOVAL)
		assert_int_equal(add_lun(rig.target, DISK_LUN, rig.disk), 0);
	if (what == LOSS) {
		session_free(rig.a);
		rig.a = session_open(rig.target, 0);
	}
}

/* Until nothing is to be told. */
static void calm(struct session *s)
{
	struct command c = READY_COMMAND;

	for (unsigned int i = 0; command_run(s, &c) != SCSI_GOOD; i++)
		assert_true(i < SCSI_UA_MAX);
}

static void in_use(void *arg)
{
	*(uint64_t *)arg = reactor_buffer_in_use();
}

static void every_task_ends_once(void **state)
{
	static struct command c[COMMANDS];
	uint64_t bytes;

	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		const enum trouble what = rnd() % NR_TROUBLES;

		calm(rig.a);
		calm(rig.b);
		gate_close();
		for (unsigned int i = 0; i < COMMANDS; i++) {
			make(&c[i]);
			command_submit(rnd() & 1 ? rig.a : rig.b, &c[i]);
		}
		cause(what, c);
		gate_open();
		for (unsigned int i = 0; i < COMMANDS; i++)
			if (c[i].withhold)
				call_on(c[i].session->reactor, feed, &c[i]);
		for (unsigned int i = 0; i < COMMANDS; i++) {
			command_wait(&c[i]);
			assert_true(c[i].answered != c[i].aborted);
			command_released(&c[i]);
		}
		recover(what);
	}
	for (unsigned int i = 0; i < 2; i++) {
		call_on(reactor_group_get(i), in_use, &bytes);
		assert_int_equal(bytes, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(every_task_ends_once),
	};

	return cmocka_run_group_tests_name("scsi/stress", tests, rig_start_daemon,
					   rig_stop_daemon);
}
