/* SPDX-License-Identifier: BSD-3-Clause */
#include "lu/latency.h"
#include "ram.h"
#include "sbc/limits.h"

#define BLOCK	512U
#define BLOCKS	65536U		/* of the disk */

static struct rig rig;
static uint8_t list[8 + 16 * 300], buf[64 * BLOCK], want[64 * BLOCK];

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

static void put(unsigned int i, uint64_t lba, uint32_t n)
{
	be_store(list + 8 + 16 * i, 8, lba);
	be_store(list + 16 + 16 * i, 4, n);
}

/* A parameter list of @n descriptors; returns its length. */
static size_t header(unsigned int n)
{
	be_store(list, 2, 6 + 16 * n);
	be_store(list + 2, 2, 16 * n);
	return 8 + 16 * n;
}

static enum scsi_status unmap(struct command *c, size_t bytes)
{
	*c = (struct command){ .cdb = { 0x42 } };
	be_store(c->cdb + 7, 2, bytes);
	return run_out(rig.a, c, list, bytes);
}

static void write_ones(void)
{
	struct command w = { .cdb = CDB_10(0x2a, 0, 0, 64) };

	memset(want, 0xff, sizeof(want));
	assert_int_equal(run_out(rig.a, &w, want, sizeof(want)), SCSI_GOOD);
}

static void assert_disk(void)
{
	struct command r = { .cdb = CDB_10(0x28, 0, 0, 64) };

	assert_int_equal(run_in(rig.b, &r, buf, sizeof(buf)), SCSI_GOOD);
	assert_memory_equal(buf, want, sizeof(buf));
}

static void each_range_is_unmapped_and_nothing_else(void **state)
{
	struct command c;

	(void)state;
	write_ones();
	put(0, 1, 2);
	put(1, 40, 0);
	put(2, 63, 1);
	put(3, 10, 5);
	assert_int_equal(unmap(&c, header(4)), SCSI_GOOD);
	memset(want + BLOCK, 0, 2 * BLOCK);
	memset(want + 63 * BLOCK, 0, BLOCK);
	memset(want + 10 * BLOCK, 0, 5 * BLOCK);
	assert_disk();
}

static void nothing_to_do_is_no_error(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(unmap(&c, 0), SCSI_GOOD);
	assert_int_equal(unmap(&c, header(0)), SCSI_GOOD);
	put(0, BLOCKS, 0);
	assert_int_equal(unmap(&c, header(1)), SCSI_GOOD);
}

static void as_many_descriptors_as_advertised(void **state)
{
	const unsigned int before = atomic_load(&ram->ops[BS_UNMAP]);
	struct command c;

	(void)state;
	for (unsigned int i = 0; i < 257; i++)
		put(i, 2 * i, 1);
	assert_int_equal(unmap(&c, header(256)), SCSI_GOOD);
	assert_int_equal(atomic_load(&ram->ops[BS_UNMAP]), before + 256);
	unmap(&c, header(257));
	assert_sense(&c, 0x5, 0x26, 0x00);
	assert_int_equal(atomic_load(&ram->ops[BS_UNMAP]), before + 256);
}

/* All is checked before the first is carried out. */
static void a_bad_list_changes_nothing(void **state)
{
	static const struct {
		const char *why;
		unsigned int n;
		size_t bytes;		/* 0: as many as it takes */
		uint64_t lba;		/* of the last of @n */
		uint32_t blocks;
		uint8_t key, asc;
	} cases[] = {
		{ "no room for the header", 1, 7, 0, 1, 0x5, 0x1a },
		{ "a descriptor is cut off", 2, 8 + 31, 0, 1, 0x5, 0x1a },
		{ "one past the end", 2, 0, BLOCKS, 1, 0x5, 0x21 },
		{ "longer than the disk", 2, 0, 0, BLOCKS + 1, 0x5, 0x21 },
		{ "lba + n wraps", 2, 0, UINT64_MAX, 2, 0x5, 0x21 },
	};

	(void)state;
	write_ones();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command c;
		size_t bytes;

		put(0, 0, 8);
		put(cases[i].n - 1, cases[i].lba, cases[i].blocks);
		bytes = header(cases[i].n);
		unmap(&c, cases[i].bytes ? cases[i].bytes : bytes);
		if (!sense_is(&c, cases[i].key, cases[i].asc, 0))
			fail_msg("%s", cases[i].why);
		assert_disk();
	}
}

/* The CDB says more than the initiator sends. */
static void a_list_that_does_not_come_is_not_made_up(void **state)
{
	struct command c = { .cdb = { 0x42, [8] = 24 } };

	(void)state;
	write_ones();
	put(0, 0, 1);
	header(1);
	run_out(rig.a, &c, list, 16);
	assert_sense(&c, 0x5, 0x1a, 0x00);
	assert_disk();
}

static void anchor_is_refused(void **state)
{
	struct command c = { .cdb = { 0x42, 0x01, [8] = 8 } };

	(void)state;
	run_out(rig.a, &c, list, 8);
	assert_field_in_cdb(&c, 1, 0);
}

/* 8,388,608 blocks are 4 GiB: a length that does not fit 32 bits of bytes. */
static void long_ranges_are_whole(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command c = { .cdb = { 0x42, [8] = 24 } };
	struct histogram sum = { 0 };

	(void)state;
	config.thin_provisioning = true;
	rig_fall(&rig);
	rig_stand(&rig, "null", "", "size=16T", &config);
	put(0, 5, 0xffffffff);
	header(1);
	assert_int_equal(run_out(rig.a, &c, list, 24), SCSI_GOOD);
	lu_latency_sum(rig.disk->lu, LU_LATENCY_UNMAP, &sum);
	assert_int_equal(histogram_summarize(&sum).count,
			 DIV_ROUND_UP((5 + 0xffffffffULL) * BLOCK, SBC_UNMAP_STEP_BYTES));
}

static void a_thick_disk_has_no_unmap(void **state)
{
	struct command c;

	(void)state;
	set_config(rig.disk, &scsi_device_default);
	unmap(&c, header(0));
	assert_sense(&c, 0x5, 0x20, 0x00);
}

#define unmap_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unmap_test(each_range_is_unmapped_and_nothing_else),
		unmap_test(nothing_to_do_is_no_error),
		unmap_test(as_many_descriptors_as_advertised),
		unmap_test(a_bad_list_changes_nothing),
		unmap_test(a_list_that_does_not_come_is_not_made_up),
		unmap_test(anchor_is_refused),
		unmap_test(long_ranges_are_whole),
		unmap_test(a_thick_disk_has_no_unmap),
	};

	return cmocka_run_group_tests_name("sbc/unmap", tests, ram_start, modules_down);
}
