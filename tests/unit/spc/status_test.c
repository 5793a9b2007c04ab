/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define REQUEST_SENSE(desc)	{ .cdb = { 0x03, (desc), [4] = 252 } }

static void request_sense_takes_the_unit_attention(void **state)
{
	struct command first = REQUEST_SENSE(0), second = REQUEST_SENSE(0);
	struct session *s = session_open(rig.target, 0);
	uint8_t d[252];

	(void)state;
	assert_int_equal(run_in(s, &first, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(first.in_bytes, 18);
	assert_int_equal(d[0], 0x70);
	assert_int_equal(d[2], 0x06);
	assert_int_equal(be_load(d + 12, 2), 0x2900);
	assert_int_equal(run_in(s, &second, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(d[2], 0x00);
	assert_int_equal(be_load(d + 12, 2), 0x0000);
	session_close(s);
}

static void the_format_is_the_one_asked_for(void **state)
{
	struct command c = REQUEST_SENSE(1), cut = { .cdb = { 0x03, 0x00, [4] = 4 } };
	uint8_t d[252];

	(void)state;
	assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 8);
	assert_int_equal(d[0], 0x72);
	assert_int_equal(run_in(rig.a, &cut, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(cut.in_bytes, 4);
}

static void it_says_why_a_unit_is_not_ready(void **state)
{
	static const struct { uint64_t lun; bool offline, ejected, stopped;
			      uint8_t key; uint16_t code; } cases[] = {
		{ 50, false, false, false, 0x5, 0x2500 },
		{ DEVICE_LUN, true, true, true, 0x2, 0x0412 },
		{ DEVICE_LUN, false, true, true, 0x2, 0x3a00 },
		{ DEVICE_LUN, false, false, true, 0x2, 0x0402 },
		{ DEVICE_LUN, false, false, false, 0x0, 0x0000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c = REQUEST_SENSE(0), tur = { .cdb = { 0x00 },
							     .lun = cases[i].lun };
		uint8_t d[18];

		atomic_store(&rig.target->offline, cases[i].offline);
		atomic_store(&rig.dev->ejected, cases[i].ejected);
		atomic_store(&rig.dev->stopped, cases[i].stopped);
		assert_int_equal(run_in(rig.a, &c, cases[i].lun, d, sizeof(d)), SCSI_GOOD);
		assert_int_equal(d[2], cases[i].key);
		assert_int_equal(be_load(d + 12, 2), cases[i].code);
		/* TEST UNIT READY says the same. */
		command_run(rig.a, &tur);
		if (cases[i].key)
			assert_sense(&tur, cases[i].key, cases[i].code >> 8,
				     cases[i].code & 0xff);
		else
			assert_int_equal(tur.status, SCSI_GOOD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(request_sense_takes_the_unit_attention),
		rig_test(the_format_is_the_one_asked_for),
		rig_test(it_says_why_a_unit_is_not_ready),
	};

	return rig_main("spc/status", tests);
}
