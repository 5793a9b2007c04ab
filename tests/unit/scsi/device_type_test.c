/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static void collect(const struct scsi_command *cmd, void *arg)
{
	const struct scsi_command ***at = arg;

	*(*at)++ = cmd;
}

static void rows_are_found_by_opcode_and_service_action(void **state)
{
	const struct scsi_command *seen[16], **at = seen;
	bool known;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rig_commands); i++) {
		const uint8_t cdb[SCSI_CDB_MAX] = { rig_commands[i].opcode,
						    (uint8_t)(0xe0 | rig_commands[i].sa) };

		assert_ptr_equal(scsi_device_type_command(&rig_type, cdb, &known),
				 &rig_commands[i]);
		assert_true(known);
	}
	scsi_device_type_each_command(&rig_type, collect, &at);
	assert_int_equal(at - seen, ARRAY_SIZE(rig_commands));
	for (const struct scsi_command **c = seen + 1; c < at; c++)
		assert_true(c[-1]->opcode < c[0]->opcode ||
			    (c[-1]->opcode == c[0]->opcode && c[-1]->sa < c[0]->sa));
}

static void an_unknown_service_action_is_not_an_unknown_opcode(void **state)
{
	const uint8_t sa[SCSI_CDB_MAX] = { MANY, 0x06 }, opcode[SCSI_CDB_MAX] = { 0xff };
	bool known;

	(void)state;
	assert_null(scsi_device_type_command(&rig_type, sa, &known));
	assert_true(known);
	assert_null(scsi_device_type_command(&rig_type, opcode, &known));
	assert_false(known);
}

/* Variable-length CDBs have it in bytes 8 and 9. */
static void service_actions_may_have_16_bits(void **state)
{
	static const struct scsi_command rows[] = {
		{ .opcode = 0x7f, .has_sa = true, .sa = 0x0009, .cdb_bytes = 32 },
		{ .opcode = 0x7f, .has_sa = true, .sa = 0x0109, .cdb_bytes = 32 },
	};
	static const struct scsi_command *const tables[] = { rows, NULL };
	static const size_t n[] = { 2 };
	static const struct scsi_device_type type = { .commands = tables, .nr_commands = n };
	const uint8_t cdb[SCSI_CDB_MAX] = { 0x7f, 0x1f, [8] = 0x01, 0x09 };
	bool known;

	(void)state;
	assert_int_equal(scsi_device_type_register(&type), 0);
	assert_ptr_equal(scsi_device_type_command(&type, cdb, &known), &rows[1]);
}

static void rows_that_clash_are_refused(void **state)
{
	static const struct scsi_command rows[][2] = {
		{ { .opcode = 1 }, { .opcode = 1 } },
		{ { .opcode = 1, .has_sa = true, .sa = 2 },
		  { .opcode = 1, .has_sa = true, .sa = 2 } },
		{ { .opcode = 1 }, { .opcode = 1, .has_sa = true, .sa = 2 } },
	};
	static const size_t n[] = { 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct scsi_command *const tables[] = { rows[i], NULL };
		const struct scsi_device_type type = { .commands = tables, .nr_commands = n };

		assert_int_equal(scsi_device_type_register(&type), -EINVAL);
	}
}

static void types_are_found_by_option(void **state)
{
	(void)state;
	assert_ptr_equal(scsi_device_type_find("test"), &rig_type);
	assert_null(scsi_device_type_find("tape"));
	assert_ptr_equal(scsi_device_type_nth(0), &rig_type);
	assert_null(scsi_device_type_nth(100));
}

static int setup(void **state)
{
	(void)state;
	return scsi_device_type_register(&rig_type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_by_opcode_and_service_action),
		cmocka_unit_test(an_unknown_service_action_is_not_an_unknown_opcode),
		cmocka_unit_test(service_actions_may_have_16_bits),
		cmocka_unit_test(rows_that_clash_are_refused),
		cmocka_unit_test(types_are_found_by_option),
	};

	return cmocka_run_group_tests_name("scsi/device_type", tests, setup, NULL);
}
