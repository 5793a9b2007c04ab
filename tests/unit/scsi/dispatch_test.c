/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"
#include "scsi/alua.h"

static void raise_attention(void *arg)
{
	(void)arg;
	assert_int_equal(scsi_unit_attention_raise(
				 rig.disk, SCSI_SENSE_CAPACITY_DATA_HAS_CHANGED, 0), 0);
}

static struct command bad_write(uint64_t lun)
{
	/* A reserved bit, and blocks that are not there. */
	return (struct command){ .cdb = { WRITE, 0x01, [3] = 0x10, [8] = 1 }, .lun = lun,
				 .out = rig_data, .out_bytes = BLOCK };
}

#define assert_write(lun, key, asc, ascq) do {			\
	struct command c_ = bad_write(lun);			\
	command_run(rig.a, &c_);				\
	assert_sense(&c_, key, asc, ascq);			\
} while (0)

static struct scsi_itl *itl_of(struct session *s)
{
	return scsi_nexus_itl(&s->nexus, DISK_LUN);
}

static void add_reset(void *arg)
{
	scsi_unit_attention_add(itl_of(arg), SCSI_SENSE_BUS_DEVICE_RESET);
}

static void stand_by(void *arg)
{
	itl_of(arg)->access_state = SCSI_ALUA_STANDBY;
}

static void stand_up(void *arg)
{
	itl_of(arg)->access_state = SCSI_ALUA_OPTIMIZED;
}

/* Everything is wrong; what is mended step by step uncovers the next check. */
static void checks_come_in_the_order_of_sam(void **state)
{
	struct scsi_device_config c = scsi_device_default;
	struct command reserve = { .cdb = { RESERVE }, .lun = DISK_LUN };
	struct command conflict = bad_write(DISK_LUN), range = bad_write(DISK_LUN);

	(void)state;
	assert_int_equal(command_run(rig.b, &reserve), SCSI_GOOD);
	call_on(test_daemon.control, raise_attention, NULL);
	atomic_store(&rig.target->offline, true);
	atomic_store(&rig.disk->stopped, true);
	atomic_store(&rig.disk->ejected, true);
	c.online = false;
	c.readonly = true;
	set_config(rig.disk, &c);

	assert_write(7, 0x5, 0x25, 0x00);
	call_on(rig.a->reactor, add_reset, rig.a);
	assert_write(DISK_LUN, 0x6, 0x29, 0x03);
	assert_int_equal(command_run(rig.a, &conflict), SCSI_RESERVATION_CONFLICT);
	assert_int_equal(conflict.sense_bytes, 0);
	lu_reserve_clear(lu_reserve(rig.lu));
	assert_write(DISK_LUN, 0x6, 0x2a, 0x09);
	call_on(rig.a->reactor, stand_by, rig.a);
	assert_write(DISK_LUN, 0x2, 0x04, 0x12);
	atomic_store(&rig.target->offline, false);
	assert_write(DISK_LUN, 0x2, 0x04, 0x0b);
	call_on(rig.a->reactor, stand_up, rig.a);
	assert_write(DISK_LUN, 0x5, 0x24, 0x00);

	range.cdb[1] = 0;
	for (unsigned int step = 0; step < 4; step++) {
		static const uint8_t sense[][3] = { { 0x2, 0x04, 0x12 }, { 0x2, 0x3a, 0x00 },
						    { 0x2, 0x04, 0x02 }, { 0x7, 0x27, 0x00 } };
		struct command w = range;

		command_run(rig.a, &w);
		assert_sense(&w, sense[step][0], sense[step][1], sense[step][2]);
		switch (step) {
		case 0:
			c.online = true;
			set_config(rig.disk, &c);
			break;
		case 1:
			atomic_store(&rig.disk->ejected, false);
			break;
		case 2:
			atomic_store(&rig.disk->stopped, false);
			break;
		default:
			c.readonly = false;
			set_config(rig.disk, &c);
		}
	}
	command_run(rig.a, &range);
	assert_sense(&range, 0x5, 0x21, 0x00);
	assert_int_equal(be_load(range.sense + 3, 4), 0x100000);
}

static void an_unknown_opcode_and_an_unknown_service_action_differ(void **state)
{
	struct command opcode = { .cdb = { 0xee }, .lun = DISK_LUN };
	struct command sa = { .cdb = { MANY, 0x11 }, .lun = DISK_LUN };

	(void)state;
	command_run(rig.a, &opcode);
	assert_sense(&opcode, 0x5, 0x20, 0x00);
	command_run(rig.a, &sa);
	assert_field_in_cdb(&sa, 1, 4);
}

static void each_reserved_bit_is_pointed_at(void **state)
{
	(void)state;
	for (unsigned int i = 1; i < 10; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			struct command c = READ_COMMAND;

			if (rig_commands[3].usage[i] >> bit & 1)
				continue;
			c.cdb[i] |= (uint8_t)(1U << bit);
			command_run(rig.a, &c);
			assert_field_in_cdb(&c, i, (int)bit);
		}
}

/* What lies behind the CDB in its 16 bytes does not matter. */
static void bytes_behind_the_cdb_are_ignored(void **state)
{
	struct command c = READ_COMMAND;

	(void)state;
	memset(c.cdb + 10, 0xff, 6);
	assert_int_equal(command_run(rig.a, &c), SCSI_GOOD);
}

static void some_commands_answer_without_a_logical_unit(void **state)
{
	uint8_t in[8] = { 0 };
	struct command c = { .cdb = { HELLO, [4] = 8 }, .lun = 300, .in = in, .in_max = 8 };
	struct command bad = { .cdb = { HELLO, 0x80, [4] = 8 }, .lun = 300 };
	struct command other = { .cdb = { READY }, .lun = 300 };

	(void)state;
	assert_int_equal(command_run(rig.a, &c), SCSI_GOOD);
	assert_string_equal((char *)in, "hello");
	command_run(rig.a, &bad);
	assert_field_in_cdb(&bad, 1, 7);
	command_run(rig.a, &other);
	assert_sense(&other, 0x5, 0x25, 0x00);
}

static void parameter_data_is_clipped_to_the_allocation_length(void **state)
{
	uint8_t in[8] = { 0 };
	struct command c = { .cdb = { HELLO, [4] = 2 }, .lun = DISK_LUN, .in = in, .in_max = 8 };
	struct command none = { .cdb = { HELLO }, .lun = DISK_LUN };

	(void)state;
	assert_int_equal(command_run(rig.a, &c), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 2);
	assert_memory_equal(in, "he\0\0", 4);
	assert_int_equal(command_run(rig.a, &none), SCSI_GOOD);
	assert_int_equal(none.in_bytes, 0);
}

static void a_command_for_thin_units_needs_one(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command thick = { .cdb = { THIN }, .lun = DISK_LUN }, thin = thick;

	(void)state;
	command_run(rig.a, &thick);
	assert_sense(&thick, 0x5, 0x20, 0x00);
	config.thin_provisioning = true;
	set_config(rig.disk, &config);
	assert_int_equal(command_run(rig.a, &thin), SCSI_GOOD);
}

static void sense_comes_in_the_format_that_d_sense_says(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command c = { .cdb = { 0xee }, .lun = DISK_LUN };

	(void)state;
	config.sense_descriptor = true;
	set_config(rig.disk, &config);
	command_run(rig.a, &c);
	assert_int_equal(c.sense[0], 0x72);
	assert_sense(&c, 0x5, 0x20, 0x00);
}

static void fail_collecting(void *arg)
{
	struct scsi_task *t = &((struct command *)arg)->task;

	scsi_task_complete(t, scsi_task_fail(t, SCSI_SENSE_PROTOCOL_CRC_ERROR));
	/* Too late. */
	scsi_dispatch_data_ready(t);
}

static void a_transport_may_fail_a_command_that_it_collects_for(void **state)
{
	struct command c = WRITE_COMMAND;

	(void)state;
	c.withhold = true;
	command_submit(rig.a, &c);
	wait_for(&c.collected, "collect()");
	call_on(rig.a->reactor, fail_collecting, &c);
	command_wait(&c);
	assert_sense(&c, 0xb, 0x47, 0x05);
	command_released(&c);
}

/* --- memory --- */

#define SESSIONS	10U
#define EACH		5U		/* commands of 1 MiB */
#define SHARE		4U		/* of them, what a session may have at once */
#define ARENA		32U		/* MiB, the least there is */
#define PART		16U		/* of it, what tasks of one device may hold */

static uint8_t one_mib[1U << 20];

static struct command big_write(void)
{
	return (struct command){ .cdb = { WRITE, [7] = 0x08 }, .lun = DISK_LUN,
				 .out = one_mib, .out_bytes = sizeof(one_mib) };
}

/* Commands of one nexus beyond its share wait for each other, not the others. */
static void a_nexus_has_its_share_of_memory(void **state)
{
	static struct command c[3 * EACH];
	struct command theirs = READ_COMMAND;
	const unsigned int n = ARRAY_SIZE(c);

	(void)state;
	gate_close();
	for (unsigned int i = 0; i < n; i++) {
		c[i] = big_write();
		command_submit(rig.a, &c[i]);
	}
	gate_wait_held(SHARE);
	command_submit(rig.b, &theirs);
	gate_wait_held(SHARE + 1);
	/* One in the middle of those that wait, and the last, can be aborted. */
	for (unsigned int i = n / 2; i < n; i += n - 1 - n / 2) {
		command_abort(&c[i]);
		command_wait(&c[i]);
		assert_true(c[i].aborted);
		command_released(&c[i]);
	}
	gate_open();
	for (unsigned int i = 0, last = 0; i < n; i++) {
		if (i == n / 2 || i == n - 1)
			continue;
		command_wait(&c[i]);
		assert_int_equal(c[i].status, SCSI_GOOD);
		/* Those that waited come in order; one may overtake those that still
		 * leave the gate, one by one, from another thread. */
		assert_true(i <= SHARE || c[i].order > c[last].order);
		last = i;
		command_released(&c[i]);
	}
	command_wait(&theirs);
	command_released(&theirs);
}

/* All shares together are more than there is, and than one device may have. */
static void nexuses_wait_for_memory_and_all_are_served(void **state)
{
	static struct command c[SESSIONS * EACH];
	struct session *s[SESSIONS];

	(void)state;
	for (unsigned int i = 0; i < SESSIONS; i++) {
		s[i] = session_open(rig.target, 0);
		clear_attention(s[i], DISK_LUN);
	}
	gate_close();
	for (unsigned int i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = big_write();
		command_submit(s[i % SESSIONS], &c[i]);
	}
	gate_wait_held(PART);
	/* One leaves while its commands wait. */
	session_lose(s[SESSIONS - 1]);
	gate_open();
	for (unsigned int i = 0; i < ARRAY_SIZE(c); i++) {
		command_wait(&c[i]);
		if (i % SESSIONS == SESSIONS - 1)
			assert_true(c[i].aborted);
		else
			assert_int_equal(c[i].status, SCSI_GOOD);
		command_released(&c[i]);
	}
	for (unsigned int i = 0; i < SESSIONS - 1; i++)
		session_close(s[i]);
	session_free(s[SESSIONS - 1]);
}

static int start_with_little_memory(void **state)
{
	reactor_buffer_set_cap(1);	/* ARENA */
	return rig_start_daemon(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(checks_come_in_the_order_of_sam),
		rig_test(an_unknown_opcode_and_an_unknown_service_action_differ),
		rig_test(each_reserved_bit_is_pointed_at),
		rig_test(bytes_behind_the_cdb_are_ignored),
		rig_test(some_commands_answer_without_a_logical_unit),
		rig_test(parameter_data_is_clipped_to_the_allocation_length),
		rig_test(a_command_for_thin_units_needs_one),
		rig_test(sense_comes_in_the_format_that_d_sense_says),
		rig_test(a_transport_may_fail_a_command_that_it_collects_for),
		rig_test(a_nexus_has_its_share_of_memory),
		rig_test(nexuses_wait_for_memory_and_all_are_served),
	};

	return cmocka_run_group_tests_name("scsi/dispatch", tests,
					   start_with_little_memory, rig_stop_daemon);
}
