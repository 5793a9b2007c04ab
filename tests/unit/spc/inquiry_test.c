/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#define INQUIRY(bytes)	{ .cdb = { 0x12, 0, 0, (bytes) >> 8, (bytes) & 0xff } }
#define VPD(page)	{ .cdb = { 0x12, 0x01, (page), 0x04, 0x00 } }

static void standard_data_says_who(void **state)
{
	struct scsi_device_config config = scsi_device_default;
	struct command c = INQUIRY(255), again = c;
	uint8_t d[256];

	(void)state;
	assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, 255), SCSI_GOOD);
	assert_int_equal(c.in_bytes, 96);
	assert_int_equal(d[0], 0x0e);
	assert_int_equal(d[1], 0x00);
	assert_int_equal(d[2], 0x06);
	assert_int_equal(d[3], 0x12);
	assert_int_equal(d[4], 91);
	assert_int_equal(d[7], 0x02);
	assert_memory_equal(d + 8, "IET     VIRTUAL-DISK    0001", 28);
	assert_int_equal(be_load(d + 58, 4), 0x04601234);

	config.removable = true;
	strcpy(config.vendor_id, "ACME");
	strcpy(config.product_id, "Sixteen chars...");
	set_config(rig.dev, &config);
	assert_int_equal(run_in(rig.a, &again, DEVICE_LUN, d, 255), SCSI_GOOD);
	assert_int_equal(d[1], 0x80);
	assert_memory_equal(d + 8, "ACME    Sixteen chars...0001", 28);
}

static void it_is_cut_to_the_allocation_length(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 260; n++) {
		struct command c = INQUIRY(n);
		uint8_t d[260];

		assert_int_equal(run_in(rig.a, &c, DEVICE_LUN, d, sizeof(d)), SCSI_GOOD);
		assert_int_equal(c.in_bytes, MIN(n, 96U));
	}
}

static void where_nobody_is_it_says_so(void **state)
{
	struct command c = INQUIRY(96), vpd = VPD(0x00);
	uint8_t d[96];

	(void)state;
	assert_int_equal(run_in(rig.a, &c, 9, d, 96), SCSI_GOOD);
	assert_int_equal(d[0], 0x7f);
	run_in(rig.a, &vpd, 9, d, 96);
	assert_field_in_cdb(&vpd, 2, -1);
}

static void the_controller_is_one(void **state)
{
	struct command c = INQUIRY(96);
	uint8_t d[96];

	(void)state;
	assert_int_equal(run_in(rig.a, &c, 0, d, 96), SCSI_GOOD);
	assert_int_equal(d[0], 0x0c);
}

static void what_it_does_not_have_is_refused(void **state)
{
	struct command page = { .cdb = { 0x12, 0x00, 0x80, 0, 96 } };
	struct command cmddt = { .cdb = { 0x12, 0x02, 0x00, 0, 96 } };
	struct command vpd = VPD(0x90);

	(void)state;
	run_in(rig.a, &page, DEVICE_LUN, NULL, 96);
	assert_field_in_cdb(&page, 2, -1);
	run_in(rig.a, &cmddt, DEVICE_LUN, NULL, 96);
	assert_field_in_cdb(&cmddt, 1, 1);
	run_in(rig.a, &vpd, DEVICE_LUN, NULL, 96);
	assert_field_in_cdb(&vpd, 2, -1);
}

/* --- vital product data --- */

static size_t page(uint64_t lun, uint8_t code, uint8_t *d, size_t bytes)
{
	struct command c = VPD(code);

	memset(d, 0, bytes);
	assert_int_equal(run_in(rig.a, &c, lun, d, bytes), SCSI_GOOD);
	assert_int_equal(d[1], code);
	assert_int_equal(be_load(d + 2, 2) + 4, c.in_bytes);
	return c.in_bytes;
}

static void pages_are_listed_with_those_of_the_type(void **state)
{
	uint8_t d[1024];

	(void)state;
	assert_int_equal(page(DEVICE_LUN, 0x00, d, sizeof(d)), 11);
	assert_memory_equal(d + 4, "\x00\x80\x83\x86\x87\x88\xb5", 7);
	assert_int_equal(d[0], 0x0e);
	page(DEVICE_LUN, 0xb5, d, sizeof(d));
	assert_memory_equal(d + 4, "page", 4);
	assert_int_equal(page(0, 0x00, d, sizeof(d)), 10);
}

struct designator { uint8_t set, assoc, type, piv; const uint8_t *value; size_t bytes; };

static const uint8_t *next(const uint8_t *p, struct designator *d)
{
	*d = (struct designator){ p[0] & 0x0f, p[1] & 0x30, p[1] & 0x0f, p[1] & 0x80,
				  p + 4, p[3] };
	return p + 4 + p[3];
}

static void the_identity_is_that_of_the_lu(void **state)
{
	const struct lu_identity *id = lu_identity(rig.lu);
	uint8_t d[1024];
	struct designator g;
	const uint8_t *p = d + 4, *end;

	(void)state;
	assert_int_equal(page(DEVICE_LUN, 0x80, d, sizeof(d)), 4 + strlen(id->scsi_sn));
	assert_memory_equal(d + 4, id->scsi_sn, strlen(id->scsi_sn));

	end = d + page(DEVICE_LUN, 0x83, d, sizeof(d));
	p = next(p, &g);
	assert_int_equal(g.type, 1);
	assert_int_equal(g.set, 2);
	assert_int_equal(g.bytes, strlen(id->scsi_id));
	assert_memory_equal(g.value, id->scsi_id, g.bytes);
	p = next(p, &g);
	assert_int_equal(g.type, 3);
	assert_int_equal(g.set, 1);
	assert_int_equal(g.bytes, id->naa_bytes);
	assert_memory_equal(g.value, id->naa, g.bytes);
	p = next(p, &g);
	assert_int_equal(g.type, 4);
	assert_int_equal(g.assoc, 0x10);
	assert_int_equal(be_load(g.value, 4), 1);
	p = next(p, &g);
	assert_int_equal(g.type, 8);
	assert_int_equal(g.assoc, 0x10);
	assert_int_equal(g.piv, 0x80);
	assert_string_equal((const char *)g.value, TARGET_NAME ",t,0x0001");
	assert_int_equal(g.bytes % 4, 0);
	p = next(p, &g);
	assert_int_equal(g.type, 8);
	assert_int_equal(g.assoc, 0x20);
	assert_string_equal((const char *)g.value, TARGET_NAME);
	assert_ptr_equal(p, end);
}

static void the_controller_has_one_of_its_own(void **state)
{
	uint8_t a[1024], b[1024];

	(void)state;
	page(0, 0x83, a, sizeof(a));
	page(DEVICE_LUN, 0x83, b, sizeof(b));
	assert_int_equal(a[0], 0x0c);
	assert_memory_not_equal(a + 4, b + 4, 40);
	page(0, 0x80, a, sizeof(a));
}

static void extended_data_has_what_is_true(void **state)
{
	uint8_t d[1024];

	(void)state;
	assert_int_equal(page(DEVICE_LUN, 0x86, d, sizeof(d)), 64);
	assert_int_equal(d[4], 0);
	assert_int_equal(d[5], 0x07);
	assert_int_equal(d[6], 0);		/* bs_null has no cache */
	assert_int_equal(d[13], SCSI_SENSE_MAX);
	assert_int_equal(page(0, 0x86, d, sizeof(d)), 64);
}

static void mode_pages_are_shared(void **state)
{
	uint8_t d[1024];

	(void)state;
	assert_int_equal(page(DEVICE_LUN, 0x87, d, sizeof(d)), 8);
	assert_int_equal(be_load(d + 4, 4), 0x3fff0000);
}

static void the_port_has_a_name(void **state)
{
	uint8_t d[1024];
	size_t n;

	(void)state;
	n = page(DEVICE_LUN, 0x88, d, sizeof(d));
	assert_int_equal(be_load(d + 4, 4), 1);		/* relative port */
	assert_int_equal(be_load(d + 8, 4), 0);		/* no initiator port */
	assert_int_equal(be_load(d + 14, 2), n - 16);
	assert_int_equal(be_load(d + 16, 2), 0x5398);	/* iSCSI, UTF-8; port, name */
	assert_int_equal(d[19], n - 20);
	assert_string_equal((const char *)d + 20, TARGET_NAME ",t,0x0001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(standard_data_says_who),
		rig_test(it_is_cut_to_the_allocation_length),
		rig_test(where_nobody_is_it_says_so),
		rig_test(the_controller_is_one),
		rig_test(what_it_does_not_have_is_refused),
		rig_test(pages_are_listed_with_those_of_the_type),
		rig_test(the_identity_is_that_of_the_lu),
		rig_test(the_controller_has_one_of_its_own),
		rig_test(extended_data_has_what_is_true),
		rig_test(mode_pages_are_shared),
		rig_test(the_port_has_a_name),
	};

	return rig_main("spc/inquiry", tests);
}
