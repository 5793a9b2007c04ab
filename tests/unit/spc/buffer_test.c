/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define CAPACITY	4096U

static uint8_t d[CAPACITY + 8];

static struct command read_10(uint8_t mode, uint8_t id, uint32_t off, uint32_t bytes)
{
	struct command c = { .cdb = { 0x3c, mode, id } };

	be_store(c.cdb + 3, 3, off);
	be_store(c.cdb + 6, 3, bytes);
	return c;
}

static struct command write_10(uint8_t mode, uint8_t id, uint32_t off, uint32_t bytes)
{
	struct command c = read_10(mode, id, off, bytes);

	c.cdb[0] = 0x3b;
	return c;
}

static void the_data_buffer_keeps_what_was_written(void **state)
{
	struct command c = read_10(0x03, 0, 0, 4), w = write_10(0x02, 0, 4090, 6);

	(void)state;
	assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, 4), SCSI_GOOD);
	assert_int_equal(be_load(d, 4), CAPACITY);
	c = read_10(0x03, 1, 0, 4);		/* there is no such buffer */
	assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, 4), SCSI_GOOD);
	assert_int_equal(be_load(d, 4), 0);
	assert_int_equal(run_out(rig.a, &w, (const uint8_t *)"abcdef", 6), SCSI_GOOD);
	c = read_10(0x02, 0, 4088, sizeof(d));
	assert_int_equal(run_in(rig.b, &c, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 8);
	assert_memory_equal(d, "\0\0abcdef", 8);
	/* READ BUFFER(16) */
	c = (struct command){ .cdb = { 0x9b, 0x02 } };
	be_store(c.cdb + 2, 8, 4092);
	be_store(c.cdb + 10, 4, 3);
	assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, 3), SCSI_GOOD);
	assert_memory_equal(d, "cde", 3);
}

static void what_does_not_fit_is_refused(void **state)
{
	static const struct { uint8_t mode, id; uint32_t off, bytes; unsigned int byte; int bit; }
	writes[] = {
		{ 0x02, 1, 0, 4, 2, -1 },
		{ 0x02, 0, 4097, 0, 3, -1 },
		{ 0x02, 0, 4093, 4, 6, -1 },
		{ 0x02, 0, 0, 4097, 6, -1 },
		{ 0x0a, 0, 0, 4097, 6, -1 },
		{ 0x04, 0, 0, 4, 1, 4 },	/* microcode, in all its modes */
		{ 0x05, 0, 0, 4, 1, 4 },
		{ 0x06, 0, 0, 4, 1, 4 },
		{ 0x07, 0, 0, 4, 1, 4 },
		{ 0x0d, 0, 0, 4, 1, 4 },
		{ 0x0e, 0, 0, 4, 1, 4 },
		{ 0x0f, 0, 0, 0, 1, 4 },
		{ 0x00, 0, 0, 4, 1, 4 },
	}, reads[] = {
		{ 0x02, 1, 0, 4, 2, -1 },
		{ 0x02, 0, 4097, 4, 3, -1 },
		{ 0x00, 0, 0, 4, 1, 4 },
		{ 0x1c, 0, 0, 4, 1, 4 },	/* error history */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		struct command c = write_10(writes[i].mode, writes[i].id, writes[i].off,
					    writes[i].bytes);

		run_out(rig.a, &c, d, writes[i].bytes);
		assert_field_in_cdb(&c, writes[i].byte, writes[i].bit);
	}
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		struct command c = read_10(reads[i].mode, reads[i].id, reads[i].off,
					   reads[i].bytes);

		run_in(rig.a, &c, DEVICE_LUN, d, 4);
		assert_field_in_cdb(&c, reads[i].byte, reads[i].bit);
	}
}

static void an_echo_is_for_who_wrote_it(void **state)
{
	struct command r = read_10(0x0a, 0, 0, CAPACITY), w = write_10(0x0a, 0, 0, 5);

	(void)state;
	run_in(rig.a, &r, DEVICE_LUN, d, sizeof(d));
	assert_sense(&r, 0x5, 0x2c, 0x00);
	assert_int_equal(run_out(rig.a, &w, (const uint8_t *)"hello", 5), SCSI_GOOD);
	r = read_10(0x0a, 0, 0, CAPACITY);
	assert_int_equal(run_in(rig.a, &r, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
	assert_int_equal(r.in_bytes, 5);
	assert_memory_equal(d, "hello", 5);
	w = write_10(0x0a, 0, 0, 3);
	assert_int_equal(run_out(rig.b, &w, (const uint8_t *)"bye", 3), SCSI_GOOD);
	r = read_10(0x0a, 0, 0, CAPACITY);
	run_in(rig.a, &r, DEVICE_LUN, d, sizeof(d));
	assert_sense(&r, 0xb, 0x3f, 0x0f);
	r = read_10(0x0b, 0, 0, 4);
	assert_int_equal(run_in(rig.a, &r, DEVICE_LUN, d, 4), SCSI_GOOD);
	assert_int_equal(be_load(d, 4), 0x01001000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(the_data_buffer_keeps_what_was_written),
		rig_test(what_does_not_fit_is_refused),
		rig_test(an_echo_is_for_who_wrote_it),
	};

	return rig_main("spc/buffer", tests);
}
