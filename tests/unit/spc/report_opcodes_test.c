/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"
#include "lu/state_dir.h"
#include "scsi/alua.h"

static uint8_t d[4096];

static struct command ask(uint8_t options, uint8_t opcode, uint16_t sa)
{
	struct command c = { .cdb = { 0xa3, 0x0c, options, opcode } };

	be_store(c.cdb + 4, 2, sa);
	be_store(c.cdb + 6, 4, sizeof(d));
	return c;
}

#define ask_good(options, opcode, sa) do {					\
	struct command c_ = ask(options, opcode, sa);				\
	memset(d, 0xee, sizeof(d));						\
	assert_int_equal(run_in(rig.a, &c_, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD); \
} while (0)

static const struct scsi_command *row(size_t i)
{
	return i < spc_nr_commands ? &spc_commands[i] :
				     &spc_medium_commands[i - spc_nr_commands];
}

static void have_everything(void)
{
	atomic_store(&rig.dev->tpgs, SCSI_ALUA_EXPLICIT);
	assert_int_equal(lu_state_dir_set("/tmp"), 0);
}

static void every_command_is_listed(void **state)
{
	const size_t n = spc_nr_commands + spc_nr_medium_commands;

	(void)state;
	/* Without target port groups the two commands for them are not there; nor the
	 * two for identifying information where it cannot be kept. */
	ask_good(0, 0, 0);
	assert_int_equal(be_load(d, 4), (n - 4) * 8);
	have_everything();
	for (unsigned int rctd = 0; rctd < 2; rctd++) {
		const size_t bytes = rctd ? 20 : 8;
		unsigned int last = 0;

		ask_good(rctd ? 0x80 : 0, 0, 0);
		assert_int_equal(be_load(d, 4), n * bytes);
		for (size_t i = 0; i < n; i++) {
			const uint8_t *p = d + 4 + i * bytes;
			const unsigned int key = p[0] << 16 | (unsigned int)be_load(p + 2, 2);

			assert_true(!i || key > last);
			last = key;
			assert_int_equal(p[5] & 0x02, rctd ? 0x02 : 0);
			if (rctd) {
				assert_int_equal(be_load(p + 8, 2), 0x0a);
				assert_true(be_load(p + 12, 4) > 0);
			}
		}
	}
}

static void each_command_is_described_by_its_row(void **state)
{
	(void)state;
	have_everything();
	for (size_t i = 0; i < spc_nr_commands + spc_nr_medium_commands; i++) {
		const struct scsi_command *cmd = row(i);
		const uint8_t right = cmd->has_sa ? 2 : 1, wrong = cmd->has_sa ? 1 : 2;
		struct command bad = ask(wrong, cmd->opcode, cmd->sa);

		for (uint8_t options = right; options <= 3; options += 3 - right) {
			ask_good(options, cmd->opcode, cmd->sa);
			assert_int_equal(d[1], 0x03);
			assert_int_equal(be_load(d + 2, 2), cmd->cdb_bytes);
			assert_memory_equal(d + 4, cmd->usage, cmd->cdb_bytes);
			if (options == 3)
				break;
		}
		ask_good((uint8_t)(0x80 | right), cmd->opcode, cmd->sa);
		assert_int_equal(d[1], 0x83);
		assert_int_equal(be_load(d + 4 + cmd->cdb_bytes, 2), 0x0a);
		run_in(rig.a, &bad, DEVICE_LUN, d, sizeof(d));
		assert_field_in_cdb(&bad, 2, 2);
	}
}

static void what_there_is_not_is_said(void **state)
{
	static const struct { uint8_t options, opcode; uint16_t sa; } cases[] = {
		{ 1, 0xee, 0 }, { 3, 0xee, 0 }, { 2, 0xa3, 0x1f }, { 3, 0xa3, 0x1f },
		{ 3, 0x12, 1 }, { 2, 0xa3, 0x010c }, { 2, 0xa3, 0x05 }, { 3, 0xa4, 0x06 },
	};
	struct command bad = ask(4, 0, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask_good(cases[i].options, cases[i].opcode, cases[i].sa);
		assert_int_equal(d[1], 0x01);
	}
	run_in(rig.a, &bad, DEVICE_LUN, d, sizeof(d));
	assert_field_in_cdb(&bad, 2, 2);
}

static void task_management_functions_are_reported(void **state)
{
	struct command c = { .cdb = { 0xa3, 0x0d, [9] = 16 } };
	struct command extended = { .cdb = { 0xa3, 0x0d, 0x80, [9] = 16 } };
	struct command small = { .cdb = { 0xa3, 0x0d, [9] = 3 } };

	(void)state;
	assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, 16), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 4);
	assert_int_equal(be_load(d, 4), 0xda000000);
	assert_int_equal(run_in(rig.a, &extended, DEVICE_LUN, d, 16), SCSI_GOOD);
	assert_int_equal(extended.in_bytes, 16);
	assert_int_equal(be_load(d, 8), 0xda00000c01000000);
	assert_int_equal(be_load(d + 8, 4), 18);	/* 1.8 s */
	assert_int_equal(be_load(d + 12, 4), 18);
	run_in(rig.a, &small, DEVICE_LUN, d, 16);
	assert_field_in_cdb(&small, 6, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(every_command_is_listed),
		rig_test(each_command_is_described_by_its_row),
		rig_test(what_there_is_not_is_said),
		rig_test(task_management_functions_are_reported),
	};

	return rig_main("spc/report_opcodes", tests);
}
