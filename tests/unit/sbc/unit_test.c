/* SPDX-License-Identifier: BSD-3-Clause */
#include "ram.h"

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_stand(&rig, "ram", "", "size=1M", &scsi_device_default);
	return 0;
}

static int setup_removable(void **state)
{
	struct scsi_device_config config = scsi_device_default;

	(void)state;
	config.removable = true;
	rig_stand(&rig, "ram", "", "size=1M", &config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_fall(&rig);
	return 0;
}

#define START_STOP(flags)	{ .cdb = { 0x1b, [4] = (flags) } }
#define PREVENT(how)		{ .cdb = { 0x1e, [4] = (how) } }
#define STOP	0x00
#define START	0x01
#define EJECT	0x02
#define LOAD	0x03

#define do_good(s, ...) do {						\
	struct command c_ = __VA_ARGS__;				\
	assert_int_equal(run_plain(s, &c_), SCSI_GOOD);			\
} while (0)

#define do_bad(s, key, asc, ascq, ...) do {				\
	struct command c_ = __VA_ARGS__;				\
	run_plain(s, &c_);						\
	assert_sense(&c_, key, asc, ascq);				\
} while (0)

#define READY	{ .cdb = { 0x00 } }

static void a_stopped_disk_refuses_the_medium_until_it_is_started(void **state)
{
	const unsigned int before = atomic_load(&ram->ops[BS_FLUSH]);

	(void)state;
	do_good(rig.a, START_STOP(STOP));
	assert_int_equal(atomic_load(&ram->ops[BS_FLUSH]), before + 1);
	do_bad(rig.a, 0x2, 0x04, 0x02, READY);
	do_bad(rig.b, 0x2, 0x04, 0x02, { .cdb = CDB_10(0x28, 0, 0, 1) });
	do_good(rig.b, { .cdb = { 0x12, [4] = 36 } });
	do_good(rig.b, START_STOP(START));
	do_good(rig.a, READY);
}

static void a_fixed_disk_cannot_be_ejected(void **state)
{
	struct command c = START_STOP(EJECT);

	(void)state;
	run_plain(rig.a, &c);
	assert_field_in_cdb(&c, 4, 1);
	do_good(rig.a, READY);
}

static void power_conditions_change_nothing(void **state)
{
	(void)state;
	for (unsigned int pc = 1; pc < 16; pc++) {
		do_good(rig.a, START_STOP((uint8_t)(pc << 4 | STOP)));
		do_good(rig.a, START_STOP((uint8_t)(pc << 4 | EJECT)));
		do_good(rig.a, READY);
	}
}

static void an_ejected_medium_is_not_present(void **state)
{
	(void)state;
	do_good(rig.a, START_STOP(EJECT));
	do_bad(rig.a, 0x2, 0x3a, 0x00, READY);
	do_bad(rig.a, 0x2, 0x3a, 0x00, { .cdb = { 0x25 } });
	do_good(rig.a, START_STOP(LOAD));
	do_good(rig.a, READY);
	/* The other nexus is told that it may be another one. */
	do_bad(rig.b, 0x6, 0x28, 0x00, READY);
	do_good(rig.b, READY);
}

static void a_removable_disk_starts_by_itself(void **state)
{
	(void)state;
	do_good(rig.a, START_STOP(STOP));
	do_good(rig.a, READY);
}

static void removal_can_be_prevented(void **state)
{
	(void)state;
	do_good(rig.a, PREVENT(1));
	do_good(rig.b, PREVENT(1));
	do_good(rig.b, PREVENT(1));
	do_bad(rig.a, 0x5, 0x53, 0x02, START_STOP(EJECT));
	do_good(rig.a, PREVENT(0));
	do_bad(rig.a, 0x5, 0x53, 0x02, START_STOP(EJECT));
	do_good(rig.b, PREVENT(0));
	do_good(rig.a, START_STOP(EJECT));
	do_good(rig.a, PREVENT(1));
	do_bad(rig.a, 0x5, 0x53, 0x02, START_STOP(LOAD));
	do_good(rig.a, PREVENT(0));
	do_good(rig.a, START_STOP(LOAD));
	do_bad(rig.a, 0x5, 0x24, 0x00, PREVENT(2));
}

static void prevention_ends_with_nexus_loss_and_reset(void **state)
{
	struct command tur = READY;

	(void)state;
	do_good(rig.b, PREVENT(1));
	session_close(rig.b);
	do_good(rig.a, START_STOP(EJECT));
	do_good(rig.a, START_STOP(LOAD));
	do_good(rig.a, PREVENT(1));
	assert_int_equal(manage(rig.a, SCSI_TMF_LUN_RESET, DISK_LUN, NULL),
			 SCSI_TMF_COMPLETE);
	run_plain(rig.a, &tur);
	assert_sense(&tur, 0x6, 0x29, 0x03);
	do_good(rig.a, START_STOP(EJECT));
	rig.b = session_open(rig.target, 1);
}

#define fixed_test(f)		cmocka_unit_test_setup_teardown(f, setup, teardown)
#define removable_test(f)	cmocka_unit_test_setup_teardown(f, setup_removable, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixed_test(a_stopped_disk_refuses_the_medium_until_it_is_started),
		fixed_test(a_fixed_disk_cannot_be_ejected),
		fixed_test(power_conditions_change_nothing),
		removable_test(power_conditions_change_nothing),
		removable_test(an_ejected_medium_is_not_present),
		removable_test(a_removable_disk_starts_by_itself),
		removable_test(removal_can_be_prevented),
		removable_test(prevention_ends_with_nexus_loss_and_reset),
	};

	return cmocka_run_group_tests_name("sbc/unit", tests, ram_start, modules_down);
}
