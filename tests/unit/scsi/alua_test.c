/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"
#include "scsi/alua.h"
#include "scsi/port.h"
#include "scsi/unit_attention.h"

/* rig's nexuses come through port 1. */
#define GROUP(n, st)	{ .id = (n), .tpgs = SCSI_ALUA_EXPLICIT, \
			  .access = { .state = (st) }, .nr_ports = 1, .port = { (n) } }

struct publishing {
	struct scsi_alua_group groups[2];
	struct scsi_alua_change change;
	sem_t done;
};

static void published(void *arg)
{
	sem_post(&((struct publishing *)arg)->done);
}

static void publish_call(void *arg)
{
	struct publishing *p = arg;
	struct scsi_alua *a = scsi_alua_copy(rig.target);

	assert_non_null(a);
	a->nr_groups = 0;
	for (size_t i = 0; i < ARRAY_SIZE(p->groups); i++)
		assert_int_equal(scsi_alua_add(a, &p->groups[i]), 0);
	assert_int_equal(scsi_alua_publish(rig.target, a, &p->change, published, p), 0);
}

/* Group 1 in @state, and what the nexuses are told; returns when they are. */
static void set_state(enum scsi_alua_state state, struct scsi_alua_change change)
{
	struct publishing p = { .groups = { GROUP(1, state), GROUP(2, SCSI_ALUA_OPTIMIZED) },
				.change = change };

	sem_init(&p.done, 0, 0);
	call_on(test_daemon.control, publish_call, &p);
	wait_for(&p.done, "the groups to be taken over");
	sem_destroy(&p.done);
}

static const struct scsi_alua_change quietly = { .code = SCSI_SENSE_NO_SENSE };

#define assert_refused(s, cmd_, ascq) do {				\
	struct command c_ = cmd_;					\
									\
	command_run(s, &c_);						\
	assert_sense(&c_, 0x2, 0x04, ascq);				\
} while (0)

static void each_state_has_its_sense(void **state)
{
	static const struct { enum scsi_alua_state state; uint8_t ascq; } cases[] = {
		{ SCSI_ALUA_STANDBY, 0x0b }, { SCSI_ALUA_UNAVAILABLE, 0x0c },
		{ SCSI_ALUA_OFFLINE, 0x12 }, { SCSI_ALUA_TRANSITIONING, 0x0a },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command hello = { .cdb = { HELLO, [4] = 5 }, .lun = DISK_LUN,
					 .in_max = 5 };

		set_state(cases[i].state, quietly);
		assert_refused(rig.a, (struct command)WRITE_COMMAND, cases[i].ascq);
		assert_refused(rig.b, (struct command)READY_COMMAND, cases[i].ascq);
		assert_int_equal(command_run(rig.a, &hello), SCSI_GOOD);
	}
	set_state(SCSI_ALUA_NON_OPTIMIZED, quietly);
	assert_ready(rig.a);
	assert_ready(rig.b);
}

static void everyone_is_told_but_who_asked(void **state)
{
	(void)state;
	set_state(SCSI_ALUA_NON_OPTIMIZED, (struct scsi_alua_change){
		.code = SCSI_SENSE_ACCESS_STATE_CHANGED, .inquiry = true,
		.except = rig.a->nexus.id });
	assert_ready(rig.a);
	assert_attention(rig.b, 0x3f, 0x03);
	assert_attention(rig.b, 0x2a, 0x06);
	assert_ready(rig.b);
	/* Of another logical unit. */
	set_state(SCSI_ALUA_OPTIMIZED, (struct scsi_alua_change){
		.code = SCSI_SENSE_ACCESS_STATE_CHANGED, .one_lun = true, .lun = 9 });
	assert_ready(rig.b);
}

static void a_new_nexus_has_the_state(void **state)
{
	struct session *s;

	(void)state;
	set_state(SCSI_ALUA_STANDBY, quietly);
	s = session_open(rig.target, 1);
	clear_attention(s, DISK_LUN);
	assert_refused(s, (struct command)READY_COMMAND, 0x0b);
	session_close(s);
}

/* What was accepted before ends as if there had been no change. */
static void a_command_in_the_store_is_left_alone(void **state)
{
	struct command c = WRITE_COMMAND;

	(void)state;
	gate_close();
	command_submit(rig.a, &c);
	gate_wait_held(1);
	set_state(SCSI_ALUA_UNAVAILABLE, quietly);
	gate_open();
	command_wait(&c);
	command_released(&c);
	assert_int_equal(c.status, SCSI_GOOD);
	assert_refused(rig.a, (struct command)WRITE_COMMAND, 0x0c);
}

static void an_unknown_command_is_still_unknown(void **state)
{
	struct command c = { .cdb = { 0xfe }, .lun = DISK_LUN };

	(void)state;
	set_state(SCSI_ALUA_STANDBY, quietly);
	command_run(rig.a, &c);
	assert_sense(&c, 0x5, 0x20, 0x00);
}

struct going {
	struct command *c;
	sem_t removed;
};

static void on_removed(void *arg)
{
	sem_post(&((struct going *)arg)->removed);
}

/* The wish is in control's mailbox when the logical unit goes. */
static void ask_and_remove(void *arg)
{
	struct going *g = arg;

	command_submit(rig.a, g->c);
	assert_int_equal(scsi_target_remove_lun(rig.target, DISK_LUN, on_removed, g), 0);
}

static void count_exceptions(void *arg)
{
	*(unsigned int *)arg = scsi_alua_of(rig.target)->nr_exceptions;
}

static void a_lun_that_is_gone_has_no_state(void **state)
{
	struct command c = { .cdb = { ASK }, .lun = DISK_LUN };
	struct going g = { .c = &c };
	unsigned int n = 1;

	(void)state;
	set_state(SCSI_ALUA_OPTIMIZED, quietly);
	sem_init(&g.removed, 0, 0);
	call_on(test_daemon.control, ask_and_remove, &g);
	wait_for(&g.removed, "the logical unit to go");
	sem_destroy(&g.removed);
	command_wait(&c);
	command_released(&c);
	assert_sense(&c, 0x5, 0x25, 0x00);
	call_on(test_daemon.control, count_exceptions, &n);
	assert_int_equal(n, 0);
}

static void exceptions_are_kept_in_order(void **state)
{
	const struct scsi_alua_group g1 = GROUP(1, SCSI_ALUA_OPTIMIZED);
	const struct scsi_alua_group g2 = GROUP(2, SCSI_ALUA_STANDBY);
	const struct scsi_alua_access other = { SCSI_ALUA_UNAVAILABLE,
						SCSI_ALUA_BY_INITIATOR };
	struct scsi_target t = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		struct scsi_alua *a = scsi_alua_copy(&t);

		assert_non_null(a);
		if (!i) {
			assert_int_equal(scsi_alua_add(a, &g2), 0);
			assert_int_equal(scsi_alua_add(a, &g1), 0);
			assert_int_equal(scsi_alua_add(a, &g1), -EEXIST);
		}
		scsi_alua_set_lun(a, i % 3 ? &g1 : &g2, i * 37 % 300, other);
		free(t.alua);
		t.alua = a;
	}
	for (uint64_t i = 0; i < 300; i++) {
		const struct scsi_alua_group *g = i % 3 ? &g1 : &g2, *no = i % 3 ? &g2 : &g1;
		const uint64_t lun = i * 37 % 300;

		assert_int_equal(scsi_alua_access(t.alua, g, lun).state, other.state);
		assert_int_equal(scsi_alua_access(t.alua, no, lun).state, no->access.state);
	}
	scsi_alua_set(t.alua, &t.alua->group[0], other);
	assert_int_equal(t.alua->nr_exceptions, 100);
	scsi_alua_remove(t.alua, &t.alua->group[1]);
	assert_int_equal(t.alua->nr_exceptions, 0);
	assert_int_equal(t.alua->nr_groups, 1);
	assert_null(scsi_alua_find(t.alua, 2));
	assert_null(scsi_alua_find_port(t.alua, 2));
	free(t.alua);
}

static void ports_call(void *arg)
{
	static const uint16_t ids[] = { 9, 2, 9, 700, 2, 1 };
	const struct scsi_ports *p;

	(void)arg;
	assert_int_equal(scsi_port_publish(ids, ARRAY_SIZE(ids)), 0);
	p = scsi_port_list();
	assert_int_equal(p->n, 4);
	assert_int_equal(p->id[0], 1);
	assert_int_equal(p->id[1], 2);
	assert_int_equal(p->id[2], 9);
	assert_int_equal(p->id[3], 700);
	assert_int_equal(scsi_port_publish(NULL, 0), 0);
	assert_null(scsi_port_list());
}

static void ports_are_listed_once(void **state)
{
	(void)state;
	call_on(test_daemon.control, ports_call, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(each_state_has_its_sense),
		rig_test(everyone_is_told_but_who_asked),
		rig_test(a_new_nexus_has_the_state),
		rig_test(a_command_in_the_store_is_left_alone),
		rig_test(an_unknown_command_is_still_unknown),
		rig_test(a_lun_that_is_gone_has_no_state),
		cmocka_unit_test(exceptions_are_kept_in_order),
		rig_test(ports_are_listed_once),
	};

	return cmocka_run_group_tests_name("scsi/alua", tests, rig_start_daemon,
					   rig_stop_daemon);
}
