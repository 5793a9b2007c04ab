/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define BLOCK	512U
#define MIB	(1U << 20)

static struct rig rig;
static uint8_t buf[MIB], want[MIB];

static int setup(void **state)
{
	(void)state;
	rig_stand(&rig, "ram", "", "size=32M", &scsi_device_default);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_fall(&rig);
	return 0;
}

/* The CDB of one of the four lengths. */
static void make_cdb(uint8_t *cdb, uint8_t op, uint64_t lba, uint32_t n)
{
	memset(cdb, 0, SCSI_CDB_MAX);
	cdb[0] = op;
	switch (op >> 5) {
	case 0:
		be_store(cdb + 1, 3, lba);
		cdb[4] = (uint8_t)n;
		break;
	case 1:
		be_store(cdb + 2, 4, lba);
		be_store(cdb + 7, 2, n);
		break;
	case 4:
		be_store(cdb + 2, 8, lba);
		be_store(cdb + 10, 4, n);
		break;
	default:
		be_store(cdb + 2, 4, lba);
		be_store(cdb + 6, 4, n);
		break;
	}
}

static const uint8_t reads[] = { 0x08, 0x28, 0xa8, 0x88 };
static const uint8_t writes[] = { 0x0a, 0x2a, 0xaa, 0x8a };

static void what_is_written_is_read(void **state)
{
	static const struct { uint64_t lba; uint32_t n; } ranges[] = {
		{ 0, 1 }, { 7, 8 }, { 65535, 1 }, { 1000, 255 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		for (size_t k = 0; k < ARRAY_SIZE(ranges); k++) {
			const size_t bytes = ranges[k].n * BLOCK;
			struct command w = { .immediate = k & 1 }, r = { 0 };

			make_cdb(w.cdb, writes[i], ranges[k].lba, ranges[k].n);
			make_cdb(r.cdb, reads[i], ranges[k].lba, ranges[k].n);
			fill(want, bytes, ranges[k].lba, (uint8_t)(i * 16 + k));
			assert_int_equal(run_out(rig.a, &w, want, bytes), SCSI_GOOD);
			assert_int_equal(w.want_bytes, bytes);
			memset(buf, 0, bytes);
			assert_int_equal(run_in(rig.b, &r, buf, bytes), SCSI_GOOD);
			assert_int_equal(r.in_bytes, bytes);
			assert_memory_equal(buf, want, bytes);
		}
}

static void length_0_is_256_blocks_in_6_byte_commands_only(void **state)
{
	struct command six = { .cdb = { 0x08, 0, 0, 0, 0 } }, ten = { .cdb = { 0x28 } };

	(void)state;
	assert_int_equal(run_in(rig.a, &six, buf, MIB), SCSI_GOOD);
	assert_int_equal(six.in_bytes, 256 * BLOCK);
	assert_int_equal(run_in(rig.a, &ten, buf, MIB), SCSI_GOOD);
	assert_int_equal(ten.in_bytes, 0);
}

static void the_end_is_the_end(void **state)
{
	static const struct { uint8_t op; uint64_t lba; uint32_t n; uint64_t info; } cases[] = {
		{ 0x28, 65535, 2, 65536 },
		{ 0x28, 65537, 0, 65537 },
		{ 0x2a, 65536, 1, 65536 },
		{ 0xa8, 0xffffffff, 1, 0xffffffff },
		{ 0x88, UINT64_MAX, 1, 0 },
		{ 0x8a, UINT64_MAX, 0xffffffff, 0 },
		{ 0x88, 65530, 0xffffffff, 65536 },
	};
	struct command empty = { 0 };

	(void)state;
	make_cdb(empty.cdb, 0x28, 65536, 0);
	assert_int_equal(run_plain(rig.a, &empty), SCSI_GOOD);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c = { 0 };

		make_cdb(c.cdb, cases[i].op, cases[i].lba, cases[i].n);
		run_out(rig.a, &c, want, MIB);
		assert_sense(&c, 0x5, 0x21, 0x00);
		assert_int_equal(be_load(c.sense + 3, 4), cases[i].info);
		assert_int_equal(c.sense[0] >> 7, cases[i].info != 0);
	}
}

static void a_transfer_has_a_limit(void **state)
{
	struct command c = { 0 }, w = { 0 };

	(void)state;
	make_cdb(c.cdb, 0x88, 0, (uint32_t)(BUFFER_BYTES_MAX / BLOCK));
	assert_int_equal(run_plain(rig.a, &c), SCSI_GOOD);
	assert_int_equal(c.in_bytes, BUFFER_BYTES_MAX);
	make_cdb(w.cdb, 0x8a, 0, (uint32_t)(BUFFER_BYTES_MAX / BLOCK) + 1);
	run_out(rig.a, &w, want, MIB);
	assert_field_in_cdb(&w, 10, -1);
}

/* RDPROTECT, WRPROTECT, reserved bits, NACA. */
static void bits_that_mean_nothing_to_us_are_refused(void **state)
{
	static const struct { uint8_t at, bit; } cases[] = {
		{ 1, 7 }, { 1, 5 }, { 1, 2 }, { 1, 0 }, { 6, 7 }, { 6, 5 }, { 9, 2 }, { 9, 7 },
	};
	struct command advice = { .cdb = { 0x28, 0x1a, [6] = 0x1f, [8] = 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c = { 0 };

		make_cdb(c.cdb, 0x28, 0, 1);
		c.cdb[cases[i].at] |= (uint8_t)(1U << cases[i].bit);
		run_in(rig.a, &c, buf, BLOCK);
		assert_field_in_cdb(&c, cases[i].at, cases[i].bit);
	}
	assert_int_equal(run_in(rig.a, &advice, buf, BLOCK), SCSI_GOOD);
}

/* Expected Data Transfer Length against the CDB. */
static void data_that_does_not_come_is_not_written(void **state)
{
	struct command two = { 0 }, part = { 0 }, none = { 0 }, read = { 0 };

	(void)state;
	memset(want, 'a', 4 * BLOCK);
	make_cdb(two.cdb, 0x2a, 0, 4);
	assert_int_equal(run_out(rig.a, &two, want, 4 * BLOCK), SCSI_GOOD);

	memset(want, 'b', 4 * BLOCK);
	two = (struct command){ 0 };
	make_cdb(two.cdb, 0x2a, 0, 2);
	assert_int_equal(run_out(rig.a, &two, want, BLOCK), SCSI_GOOD);
	assert_int_equal(two.want_bytes, 2 * BLOCK);

	make_cdb(part.cdb, 0x2a, 2, 1);
	run_out(rig.a, &part, want, 200);
	assert_sense(&part, 0x5, 0x0e, 0x03);
	assert_int_equal(part.want_bytes, BLOCK);

	make_cdb(none.cdb, 0x2a, 2, 1);
	assert_int_equal(run_out(rig.a, &none, want, 0), SCSI_GOOD);

	make_cdb(read.cdb, 0x28, 0, 4);
	assert_int_equal(run_in(rig.a, &read, buf, 4 * BLOCK), SCSI_GOOD);
	memset(want + BLOCK, 'a', 3 * BLOCK);
	assert_memory_equal(buf, want, 4 * BLOCK);
}

static void data_beyond_the_cdb_is_not_written(void **state)
{
	struct command w = { .immediate = true }, r = { 0 }, odd = { .immediate = true };

	(void)state;
	memset(want, 0, 2 * BLOCK);
	make_cdb(w.cdb, 0x2a, 10, 2);
	assert_int_equal(run_out(rig.a, &w, want, 2 * BLOCK), SCSI_GOOD);
	memset(want, 'c', MIB);
	make_cdb(odd.cdb, 0x2a, 10, 1);
	assert_int_equal(run_out(rig.a, &odd, want, 10000), SCSI_GOOD);
	make_cdb(r.cdb, 0x28, 10, 2);
	assert_int_equal(run_in(rig.a, &r, buf, 2 * BLOCK), SCSI_GOOD);
	memset(want + BLOCK, 0, BLOCK);
	assert_memory_equal(buf, want, 2 * BLOCK);
}

/* A read whose initiator also sends data: that is dropped. */
static void data_sent_with_a_read_is_dropped(void **state)
{
	struct command c = { .immediate = true, .out = want, .out_bytes = BLOCK,
			     .cdb = CDB_10(0x28, 0, 0, 1) };

	(void)state;
	assert_int_equal(run_in(rig.a, &c, buf, BLOCK), SCSI_GOOD);
	assert_int_equal(c.in_bytes, BLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(length_0_is_256_blocks_in_6_byte_commands_only,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_is_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_transfer_has_a_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(bits_that_mean_nothing_to_us_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(data_that_does_not_come_is_not_written,
						setup, teardown),
		cmocka_unit_test_setup_teardown(data_beyond_the_cdb_is_not_written,
						setup, teardown),
		cmocka_unit_test_setup_teardown(data_sent_with_a_read_is_dropped,
						setup, teardown),
	};

	return cmocka_run_group_tests_name("sbc/rw", tests, rig_start_daemon,
					   modules_down);
}
