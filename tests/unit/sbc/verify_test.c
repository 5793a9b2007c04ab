/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define BLOCK	512U
#define BLOCKS	65536U
#define N	300U		/* more than BYTCHK 11b repeats at a time */

static struct rig rig;
static uint8_t data[N * BLOCK], buf[N * BLOCK];

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

static void write_data(void)
{
	struct command w = { .cdb = CDB_10(0x2a, 0, 0, N) };

	assert_int_equal(run_out(rig.a, &w, data, sizeof(data)), SCSI_GOOD);
}

static const struct { uint8_t verify, write, lba_bytes, len_at, len_bytes; } sizes[] = {
	{ 0x2f, 0x2e, 4, 7, 2 }, { 0xaf, 0xae, 4, 6, 4 }, { 0x8f, 0x8e, 8, 10, 4 },
};

static struct command make(size_t i, bool write, uint8_t bytchk, uint64_t lba, uint32_t n)
{
	struct command c = { .cdb = { write ? sizes[i].write : sizes[i].verify,
				      (uint8_t)(bytchk << 1) } };

	be_store(c.cdb + 2, sizes[i].lba_bytes, lba);
	be_store(c.cdb + sizes[i].len_at, sizes[i].len_bytes, n);
	return c;
}

static void what_is_there_verifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct command none = make(i, false, 0, 0, N);
		struct command all = make(i, false, 1, 0, N);
		struct command one = make(i, false, 3, 0, N);
		struct command sent = make(i, false, 0, 0, N);

		fill(data, sizeof(data), i, 1);
		write_data();
		assert_int_equal(run_plain(rig.b, &none), SCSI_GOOD);
		assert_int_equal(run_out(rig.b, &all, data, sizeof(data)), SCSI_GOOD);
		/* Data that BYTCHK 00b does not want is not looked at. */
		sent.immediate = true;
		assert_int_equal(run_out(rig.b, &sent, buf, sizeof(buf)), SCSI_GOOD);
		for (unsigned int k = 0; k < N; k++)
			memset(data + k * BLOCK, 0xa0 + (int)i, BLOCK);
		write_data();
		assert_int_equal(run_out(rig.b, &one, data, BLOCK), SCSI_GOOD);
	}
}

static void what_differs_is_a_miscompare(void **state)
{
	static const size_t at[] = { 0, BLOCK, 128 * BLOCK - 1, 128 * BLOCK, N * BLOCK - 1 };

	(void)state;
	memset(data, 0x5a, sizeof(data));
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		struct command all = make(i % 3, false, 1, 0, N);
		struct command one = make(i % 3, false, 3, 0, N);

		data[at[i]] ^= 0x10;
		write_data();
		data[at[i]] ^= 0x10;
		run_out(rig.b, &all, data, sizeof(data));
		assert_sense(&all, 0xe, 0x1d, 0x00);
		run_out(rig.b, &one, data, BLOCK);
		assert_sense(&one, 0xe, 0x1d, 0x00);
	}
}

static void the_range_is_checked_before_the_data(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct command beyond = make(i, false, 1, BLOCKS, 1);
		struct command nothing = make(i, false, 1, BLOCKS, 0);
		struct command past = make(i, false, 1, BLOCKS + 1, 0);

		run_out(rig.a, &beyond, data, BLOCK);
		assert_sense(&beyond, 0x5, 0x21, 0x00);
		assert_int_equal(run_plain(rig.a, &nothing), SCSI_GOOD);
		run_plain(rig.a, &past);
		assert_sense(&past, 0x5, 0x21, 0x00);
	}
}

static void bytchk_10b_and_protection_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct command reserved = make(i, false, 2, 0, 1);
		struct command protect = make(i, false, 0, 0, 1);
		struct command written = make(i, true, 3, 0, 1);

		run_out(rig.a, &reserved, data, BLOCK);
		assert_field_in_cdb(&reserved, 1, 2);
		protect.cdb[1] = 0x20;
		run_plain(rig.a, &protect);
		assert_field_in_cdb(&protect, 1, 5);
		run_out(rig.a, &written, data, BLOCK);
		assert_field_in_cdb(&written, 1, 2);
	}
}

static void write_and_verify_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct command w = make(i, true, i & 1, 100, N);
		struct command r = { .cdb = CDB_10(0x28, 0, 100, N) };

		fill(data, sizeof(data), i, 9);
		assert_int_equal(run_out(rig.a, &w, data, sizeof(data)), SCSI_GOOD);
		assert_int_equal(run_in(rig.b, &r, buf, sizeof(buf)), SCSI_GOOD);
		assert_memory_equal(buf, data, sizeof(buf));
	}
}

#define verify_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		verify_test(what_is_there_verifies),
		verify_test(what_differs_is_a_miscompare),
		verify_test(the_range_is_checked_before_the_data),
		verify_test(bytchk_10b_and_protection_are_refused),
		verify_test(write_and_verify_writes),
	};

	return cmocka_run_group_tests_name("sbc/verify", tests, rig_start_daemon,
					   modules_down);
}
