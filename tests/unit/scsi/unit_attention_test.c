/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static void resets_come_first_and_nothing_twice(void **state)
{
	static const enum scsi_sense_code in[] = {
		SCSI_SENSE_MODE_PARAMETERS_CHANGED, SCSI_SENSE_BUS_DEVICE_RESET,
		SCSI_SENSE_MODE_PARAMETERS_CHANGED, SCSI_SENSE_POWER_ON_OR_RESET,
		SCSI_SENSE_CAPACITY_DATA_HAS_CHANGED, SCSI_SENSE_BUS_DEVICE_RESET,
	};
	static const enum scsi_sense_code want[] = {
		SCSI_SENSE_POWER_ON_OR_RESET, SCSI_SENSE_BUS_DEVICE_RESET,
		SCSI_SENSE_MODE_PARAMETERS_CHANGED, SCSI_SENSE_CAPACITY_DATA_HAS_CHANGED,
	};
	struct scsi_itl itl = { 0 };
	enum scsi_sense_code code;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		scsi_unit_attention_add(&itl, in[i]);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(scsi_unit_attention_take(&itl, &code));
		assert_int_equal(code, want[i]);
	}
	assert_false(scsi_unit_attention_take(&itl, &code));
}

static void a_queue_that_overflows_says_power_on(void **state)
{
	struct scsi_itl itl = { 0 };
	enum scsi_sense_code code;

	(void)state;
	for (unsigned int i = 0; i < SCSI_UA_MAX + 1; i++)
		scsi_unit_attention_add(&itl, i);
	assert_int_equal(itl.ua.n, 1);
	assert_true(scsi_unit_attention_take(&itl, &code));
	assert_int_equal(code, SCSI_SENSE_POWER_ON_OR_RESET);
}

static void raise_but_for_a(void *arg)
{
	(void)arg;
	assert_int_equal(scsi_unit_attention_raise(rig.disk,
						   SCSI_SENSE_CAPACITY_DATA_HAS_CHANGED,
						   rig.a->nexus.id), 0);
}

static void the_one_who_caused_it_need_not_be_told(void **state)
{
	(void)state;
	call_on(test_daemon.control, raise_but_for_a, NULL);
	assert_attention(rig.b, 0x2a, 0x09);
	assert_ready(rig.b);
	assert_ready(rig.a);
}

static void clear(void *arg)
{
	scsi_unit_attention_clear(arg, SCSI_SENSE_REPORTED_LUNS_DATA_HAS_CHANGED);
}

static void what_was_reported_otherwise_is_not_pending(void **state)
{
	(void)state;
	assert_int_equal(add_lun(rig.target, 4, rig.disk), 0);
	call_on(rig.a->reactor, clear, &rig.a->nexus);
	assert_ready(rig.a);
	assert_attention(rig.b, 0x3f, 0x0e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resets_come_first_and_nothing_twice),
		cmocka_unit_test(a_queue_that_overflows_says_power_on),
		rig_test(the_one_who_caused_it_need_not_be_told),
		rig_test(what_was_reported_otherwise_is_not_pending),
	};

	return cmocka_run_group_tests_name("scsi/unit_attention", tests, rig_start_daemon,
					   rig_stop_daemon);
}
