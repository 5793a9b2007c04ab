/* SPDX-License-Identifier: BSD-3-Clause */
#include "ram.h"

#define BLOCK	512U
#define BLOCKS	65536U

static struct rig rig;
static uint8_t pattern[2 * BLOCK], buf[64 * BLOCK], want[64 * BLOCK];

static int setup(void **state)
{
	struct scsi_device_config config = scsi_device_default;

	(void)state;
	config.thin_provisioning = true;
	rig_stand(&rig, "ram", "", "size=32M", &config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_fall(&rig);
	return 0;
}

static void fill_disk(void)
{
	struct command w = { .cdb = CDB_10(0x2a, 0, 0, 64) };

	fill(want, sizeof(want), 0, 1);
	assert_int_equal(run_out(rig.a, &w, want, sizeof(want)), SCSI_GOOD);
}

static void assert_disk(void)
{
	struct command r = { .cdb = CDB_10(0x28, 0, 0, 64) };

	assert_int_equal(run_in(rig.b, &r, buf, sizeof(buf)), SCSI_GOOD);
	assert_memory_equal(buf, want, sizeof(buf));
}

static void a_block_is_written_over_the_range(void **state)
{
	struct command ten = { .cdb = CDB_10(0x41, 0, 3, 20) };
	struct command sixteen = { .cdb = { 0x93, [9] = 30, [13] = 10 } };

	(void)state;
	fill_disk();
	fill(pattern, BLOCK, 77, 2);
	assert_int_equal(run_out(rig.a, &ten, pattern, BLOCK), SCSI_GOOD);
	for (unsigned int i = 3; i < 23; i++)
		memcpy(want + i * BLOCK, pattern, BLOCK);
	fill(pattern, BLOCK, 99, 3);
	assert_int_equal(run_out(rig.a, &sixteen, pattern, BLOCK), SCSI_GOOD);
	for (unsigned int i = 30; i < 40; i++)
		memcpy(want + i * BLOCK, pattern, BLOCK);
	assert_disk();
}

static void zeroes_may_be_unmapped_other_data_may_not(void **state)
{
	struct command zero = { .cdb = CDB_10(0x41, 0x08, 0, 8) };
	struct command other = { .cdb = CDB_10(0x41, 0x08, 8, 8) };
	struct command kept = { .cdb = CDB_10(0x41, 0x00, 16, 8) };
	unsigned int flags = atomic_load(&ram->unmap_flags);

	(void)state;
	fill_disk();
	memset(pattern, 0, sizeof(pattern));
	assert_int_equal(run_out(rig.a, &zero, pattern, BLOCK), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->unmap_flags), ++flags);
	assert_int_equal(run_out(rig.a, &kept, pattern, BLOCK), SCSI_GOOD);
	pattern[BLOCK - 1] = 1;
	assert_int_equal(run_out(rig.a, &other, pattern, BLOCK), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->unmap_flags), flags);
	memset(want, 0, 24 * BLOCK);
	for (unsigned int i = 8; i < 16; i++)
		want[(i + 1) * BLOCK - 1] = 1;
	assert_disk();
}

static void ndob_needs_no_data(void **state)
{
	struct command c = { .cdb = { 0x93, 0x01, [9] = 5, [13] = 5 } };
	struct command u = { .cdb = { 0x93, 0x09, [9] = 20, [13] = 5 } };
	struct command ten = { .cdb = CDB_10(0x41, 0x01, 0, 1) };

	(void)state;
	fill_disk();
	assert_int_equal(run_plain(rig.a, &c), SCSI_GOOD);
	assert_int_equal(run_plain(rig.a, &u), SCSI_GOOD);
	memset(want + 5 * BLOCK, 0, 5 * BLOCK);
	memset(want + 20 * BLOCK, 0, 5 * BLOCK);
	assert_disk();
	run_plain(rig.a, &ten);
	assert_field_in_cdb(&ten, 1, 0);
}

static void length_0_is_up_to_the_end(void **state)
{
	struct command ten = { .cdb = CDB_10(0x41, 0, 3, 0) };
	struct command sixteen = { .cdb = { 0x93, 0x09, [9] = 20 } };
	struct command all = { .cdb = CDB_10(0x41, 0, 0, 0) };	/* one more than the limit */
	struct command beyond = { .cdb = CDB_10(0x41, 0, BLOCKS, 0) };
	struct command last = { .cdb = CDB_10(0x28, 0, BLOCKS - 1, 1) };

	(void)state;
	fill_disk();
	memset(pattern, 0x66, BLOCK);
	run_out(rig.a, &all, pattern, BLOCK);
	assert_field_in_cdb(&all, 7, -1);
	run_out(rig.a, &beyond, pattern, BLOCK);
	assert_sense(&beyond, 0x5, 0x21, 0x00);
	assert_disk();
	assert_int_equal(run_out(rig.a, &ten, pattern, BLOCK), SCSI_GOOD);
	memset(want + 3 * BLOCK, 0x66, 61 * BLOCK);
	assert_disk();
	assert_int_equal(run_in(rig.a, &last, buf, BLOCK), SCSI_GOOD);
	assert_memory_equal(buf, pattern, BLOCK);
	assert_int_equal(run_plain(rig.a, &sixteen), SCSI_GOOD);
	memset(want + 20 * BLOCK, 0, 44 * BLOCK);
	assert_disk();
}

static void the_end_is_the_end(void **state)
{
	struct command last = { .cdb = CDB_10(0x41, 0, BLOCKS - 4, 4) };
	struct command beyond = { .cdb = CDB_10(0x41, 0, BLOCKS - 4, 5) };
	struct command r = { .cdb = CDB_10(0x28, 0, BLOCKS - 5, 5) };

	(void)state;
	memset(pattern, 0x77, BLOCK);
	assert_int_equal(run_out(rig.a, &last, pattern, BLOCK), SCSI_GOOD);
	assert_int_equal(run_in(rig.a, &r, buf, 5 * BLOCK), SCSI_GOOD);
	assert_int_equal(buf[0], 0);
	assert_int_equal(buf[BLOCK], 0x77);
	assert_int_equal(buf[5 * BLOCK - 1], 0x77);
	run_out(rig.a, &beyond, pattern, BLOCK);
	assert_sense(&beyond, 0x5, 0x21, 0x00);
}

static void data_must_be_one_block(void **state)
{
	static const size_t sizes[] = { 0, BLOCK / 2, 2 * BLOCK };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct command c = { .cdb = CDB_10(0x41, 0x08, 0, 1) };

		run_out(rig.a, &c, pattern, sizes[i]);
		assert_sense(&c, 0x5, 0x0e, 0x03);
	}
}

static void flags_that_we_do_not_have_are_refused(void **state)
{
	struct command anchor = { .cdb = CDB_10(0x41, 0x18, 0, 1) };
	struct command protect = { .cdb = CDB_10(0x41, 0x20, 0, 1) };
	struct command thick = { .cdb = CDB_10(0x41, 0x08, 0, 1) };

	(void)state;
	run_out(rig.a, &anchor, pattern, BLOCK);
	assert_field_in_cdb(&anchor, 1, 4);
	run_out(rig.a, &protect, pattern, BLOCK);
	assert_field_in_cdb(&protect, 1, 5);
	set_config(rig.disk, &scsi_device_default);
	run_out(rig.a, &thick, pattern, BLOCK);
	assert_field_in_cdb(&thick, 1, 3);
}

/* MAXIMUM WRITE SAME LENGTH of VPD page B0h is what is accepted. */
static void the_limit_is_the_one_that_is_advertised(void **state)
{
	struct command vpd = { .cdb = { 0x12, 0x01, 0xb0, 0, 64 } };
	struct command most = { .cdb = { 0x93, 0x01 } }, more = most;
	uint8_t d[64];
	uint64_t max;

	(void)state;
	rig_fall(&rig);
	rig_stand(&rig, "null", "", "size=4G", &scsi_device_default);
	assert_int_equal(run_in(rig.a, &vpd, d, 64), SCSI_GOOD);
	max = be_load(d + 36, 8);
	assert_true(max > 0);
	be_store(most.cdb + 10, 4, max);
	assert_int_equal(run_plain(rig.a, &most), SCSI_GOOD);
	be_store(more.cdb + 10, 4, max + 1);
	run_plain(rig.a, &more);
	assert_field_in_cdb(&more, 10, -1);
}

#define same_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		same_test(a_block_is_written_over_the_range),
		same_test(zeroes_may_be_unmapped_other_data_may_not),
		same_test(ndob_needs_no_data),
		same_test(length_0_is_up_to_the_end),
		same_test(the_end_is_the_end),
		same_test(data_must_be_one_block),
		same_test(flags_that_we_do_not_have_are_refused),
		same_test(the_limit_is_the_one_that_is_advertised),
	};

	return cmocka_run_group_tests_name("sbc/write_same", tests, ram_start,
					   modules_down);
}
