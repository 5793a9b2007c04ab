/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static enum scsi_status simple(struct session *s, uint8_t opcode)
{
	struct command c = { .cdb = { opcode }, .lun = DEVICE_LUN };

	/* Allocation lengths, where there is one. */
	if (opcode == 0x12 || opcode == 0x1a || opcode == 0x03)
		c.cdb[4] = 96;
	if (opcode == 0x1a)
		c.cdb[2] = 0x3f;
	if (opcode == 0xa0)
		c.cdb[9] = 96;
	return command_run(s, &c);
}

static void a_reserved_unit_is_for_its_holder(void **state)
{
	static const struct { uint8_t opcode; enum scsi_status other; } cases[] = {
		{ 0x00, SCSI_RESERVATION_CONFLICT },	/* TEST UNIT READY */
		{ 0x03, SCSI_GOOD },			/* REQUEST SENSE */
		{ 0x12, SCSI_GOOD },			/* INQUIRY */
		{ 0xa0, SCSI_GOOD },			/* REPORT LUNS */
		{ 0x1a, SCSI_RESERVATION_CONFLICT },	/* MODE SENSE(6) */
		{ 0x16, SCSI_RESERVATION_CONFLICT },	/* RESERVE(6) */
		{ 0x56, SCSI_RESERVATION_CONFLICT },	/* RESERVE(10) */
		{ 0x17, SCSI_GOOD },			/* RELEASE(6): no effect */
		{ 0x57, SCSI_GOOD },			/* RELEASE(10) */
		{ 0x00, SCSI_RESERVATION_CONFLICT },
	};
	static const uint8_t take[] = { 0x16, 0x56 }, give[] = { 0x57, 0x17 };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(take); k++) {
		assert_int_equal(simple(rig.a, take[k]), SCSI_GOOD);
		assert_int_equal(simple(rig.a, take[k]), SCSI_GOOD);
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
			assert_int_equal(simple(rig.b, cases[i].opcode), cases[i].other);
		assert_int_equal(simple(rig.a, 0x00), SCSI_GOOD);
		assert_int_equal(simple(rig.a, give[k]), SCSI_GOOD);
		assert_int_equal(simple(rig.b, 0x00), SCSI_GOOD);
	}
	assert_int_equal(simple(rig.a, 0x17), SCSI_GOOD);
}

static void third_parties_and_extents_are_refused(void **state)
{
	struct command third = { .cdb = { 0x16, 0x12 }, .lun = DEVICE_LUN };
	struct command extent = { .cdb = { 0x16, 0x01 }, .lun = DEVICE_LUN };
	struct command list = { .cdb = { 0x56, [8] = 8 }, .lun = DEVICE_LUN };

	(void)state;
	command_run(rig.a, &third);
	assert_field_in_cdb(&third, 1, 4);
	command_run(rig.a, &extent);
	assert_field_in_cdb(&extent, 1, 0);
	command_run(rig.a, &list);
	assert_field_in_cdb(&list, 8, 3);
}

static void the_controller_cannot_be_reserved(void **state)
{
	struct command c = { .cdb = { 0x16 } };

	(void)state;
	clear_attention(rig.a, 0);
	command_run(rig.a, &c);
	assert_sense(&c, 0x5, 0x20, 0x00);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(a_reserved_unit_is_for_its_holder),
		rig_test(third_parties_and_extents_are_refused),
		rig_test(the_controller_cannot_be_reserved),
	};

	return rig_main("spc/reserve", tests);
}
