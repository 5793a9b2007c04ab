/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"
#include "lu/resize.h"

static struct rig rig;

static void small_and_large_disks_say_their_size(void **state)
{
	static const struct {
		const char *opts;
		uint32_t last_10;
		uint64_t last_16;
	} cases[] = {
		{ "size=512", 0, 0 },
		{ "size=1G", 0x1fffff, 0x1fffff },
		{ "size=2199023255040", 0xfffffffe, 0xfffffffe },
		{ "size=2T", 0xffffffff, 0xffffffff },
		{ "size=8P", 0xffffffff, 0xfffffffffffULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct command ten = { .cdb = { 0x25 } };
		struct command sixteen = { .cdb = { 0x9e, 0x10, [13] = 32 } };
		uint8_t d[32];

		rig_stand(&rig, "null", "", cases[i].opts, &scsi_device_default);
		assert_int_equal(run_in(rig.a, &ten, d, 8), SCSI_GOOD);
		assert_int_equal(ten.in_bytes, 8);
		assert_int_equal(be_load(d, 4), cases[i].last_10);
		assert_int_equal(be_load(d + 4, 4), 512);
		assert_int_equal(run_in(rig.a, &sixteen, d, 32), SCSI_GOOD);
		assert_int_equal(sixteen.in_bytes, 32);
		assert_int_equal(be_load(d, 8), cases[i].last_16);
		assert_int_equal(be_load(d + 8, 4), 512);
		rig_fall(&rig);
	}
}

static void provisioning_and_alignment_are_in_16(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command thick = { .cdb = { 0x9e, 0x10, [13] = 32 } }, thin = thick;
	uint8_t d[32];

	(void)state;
	rig_stand(&rig, "null", "", NULL, &config);
	assert_int_equal(run_in(rig.a, &thick, d, 32), SCSI_GOOD);
	assert_int_equal(be_load(d + 12, 4), 0);
	config.thin_provisioning = true;
	config.lbppbe = 3;
	config.la_lba = 7;
	set_config(rig.disk, &config);
	assert_int_equal(run_in(rig.a, &thin, d, 32), SCSI_GOOD);
	assert_int_equal(d[12], 0);
	assert_int_equal(d[13], 3);
	assert_int_equal(be_load(d + 14, 2), 0xc007);
	rig_fall(&rig);
}

static void an_allocation_length_is_obeyed(void **state)
{
	(void)state;
	rig_stand(&rig, "null", "", NULL, &scsi_device_default);
	for (uint8_t n = 0; n < 40; n++) {
		struct command c = { .cdb = { 0x9e, 0x10, [13] = n } };
		uint8_t d[40];

		assert_int_equal(run_in(rig.a, &c, d, 40), SCSI_GOOD);
		assert_int_equal(c.in_bytes, MIN(n, 32));
	}
	rig_fall(&rig);
}

struct resized {
	uint64_t bytes;
};

static void resize(void *arg)
{
	const struct resized *r = arg;

	lu_resize_store_is(rig.lu, r->bytes);
	scsi_device_resized(rig.disk);
}

static void a_store_without_a_block_is_no_medium(void **state)
{
	struct resized small = { 511 }, large = { 1 << 20 };
	struct command ten = { .cdb = { 0x25 } }, sixteen = { .cdb = { 0x9e, 0x10, [13] = 32 } };
	struct command read = { .cdb = CDB_10(0x28, 0, 0, 1) }, inquiry = { .cdb = { 0x12, [4] = 36 } };
	uint8_t d[512];

	(void)state;
	rig_stand(&rig, "null", "", "size=1M", &scsi_device_default);
	call_on(test_daemon.control, resize, &small);
	run_in(rig.a, &ten, d, 8);
	assert_sense(&ten, 0x2, 0x3a, 0x00);
	run_in(rig.a, &sixteen, d, 32);
	assert_sense(&sixteen, 0x2, 0x3a, 0x00);
	run_in(rig.a, &read, d, 512);
	assert_sense(&read, 0x2, 0x3a, 0x00);
	assert_int_equal(run_in(rig.a, &inquiry, d, 36), SCSI_GOOD);
	call_on(test_daemon.control, resize, &large);
	assert_int_equal(run_in(rig.a, &read, d, 512), SCSI_GOOD);
	assert_int_equal(run_in(rig.a, &ten, d, 8), SCSI_GOOD);
	assert_int_equal(be_load(d, 4), 2047);
	rig_fall(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_and_large_disks_say_their_size),
		cmocka_unit_test(provisioning_and_alignment_are_in_16),
		cmocka_unit_test(an_allocation_length_is_obeyed),
		cmocka_unit_test(a_store_without_a_block_is_no_medium),
	};

	return cmocka_run_group_tests_name("sbc/capacity", tests, rig_start_daemon,
					   modules_down);
}
