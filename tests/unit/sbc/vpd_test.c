/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig rig;

static size_t page(uint8_t code, uint8_t *d)
{
	struct command c = { .cdb = { 0x12, 0x01, code, 0x04, 0x00 } };

	assert_int_equal(run_in(rig.a, &c, d, 1024), SCSI_GOOD);
	assert_int_equal(d[0], 0x00);
	assert_int_equal(d[1], code);
	assert_int_equal(be_load(d + 2, 2), c.in_bytes - 4);
	return c.in_bytes;
}

static void the_pages_of_a_disk_are_listed_and_there(void **state)
{
	static const uint8_t codes[] = { 0x00, 0x80, 0x83, 0x86, 0x87,
					 0x88, 0x8f, 0xb0, 0xb1, 0xb2 };
	uint8_t d[1024], p[1024];

	(void)state;
	rig_stand(&rig, "null", "", NULL, &scsi_device_default);
	assert_int_equal(page(0x00, d), 4 + sizeof(codes));
	assert_memory_equal(d + 4, codes, sizeof(codes));
	for (size_t i = 0; i < sizeof(codes); i++)
		page(codes[i], p);
	rig_fall(&rig);
}

static void limits_are_those_of_the_store(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	uint8_t d[1024];

	(void)state;
	rig_stand(&rig, "null", "", NULL, &config);
	assert_int_equal(page(0xb0, d), 64);
	assert_int_equal(d[4], 0);				/* WSNZ */
	assert_int_equal(be_load(d + 36, 8), 0xffff);		/* WRITE SAME */
	assert_int_equal(be_load(d + 6, 2), 1);
	assert_int_equal(be_load(d + 8, 4), BUFFER_BYTES_MAX / 512);
	assert_int_equal(be_load(d + 20, 8), 0);		/* no UNMAP */
	assert_int_equal(page(0xb2, d), 8);
	assert_int_equal(be_load(d + 4, 4), 0);

	config.thin_provisioning = true;
	config.optimal_xfer_gran = 8;
	config.optimal_xfer_len = 128;
	config.rotation_rate = 7200;
	set_config(rig.disk, &config);
	page(0xb0, d);
	assert_int_equal(be_load(d + 6, 2), 8);
	assert_int_equal(be_load(d + 12, 4), 128);
	assert_int_equal(be_load(d + 20, 4), 0xffffffff);
	assert_int_equal(be_load(d + 24, 4), 256);
	assert_true(be_load(d + 28, 4) >= 1);
	assert_int_equal(be_load(d + 32, 4), 0x80000000);
	page(0xb1, d);
	assert_int_equal(be_load(d + 4, 2), 7200);
	assert_int_equal(d[7], 0x40);		/* what was erased can be read */
	page(0xb2, d);
	assert_int_equal(d[5], 0xe4);		/* null reads zeroes */
	assert_int_equal(d[6], 0x02);
	rig_fall(&rig);
}

/* Who asks for thin provisioning of a store that cannot does not get it. */
static void a_store_without_unmap_is_not_thin(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command unmap = { .cdb = { 0x42 } };
	uint8_t d[1024];

	(void)state;
	config.thin_provisioning = true;
	rig_stand(&rig, "ram", "", "minimal", &config);
	page(0xb0, d);
	assert_int_equal(be_load(d + 20, 8), 0);
	page(0xb2, d);
	assert_int_equal(be_load(d + 4, 4), 0);
	run_plain(rig.a, &unmap);
	assert_sense(&unmap, 0x5, 0x20, 0x00);
	rig_fall(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pages_of_a_disk_are_listed_and_there),
		cmocka_unit_test(limits_are_those_of_the_store),
		cmocka_unit_test(a_store_without_unmap_is_not_thin),
	};

	return cmocka_run_group_tests_name("sbc/vpd", tests, rig_start_daemon,
					   modules_down);
}
