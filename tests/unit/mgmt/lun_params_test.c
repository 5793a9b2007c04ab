/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_params: what may be set, what is refused, and what it tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/macros.h"
#include "mgmt/lun_params.h"

#define INQUIRY		BIT(MGMT_LUN_NEWS_INQUIRY)
#define MODE		BIT(MGMT_LUN_NEWS_MODE)
#define CAPACITY	BIT(MGMT_LUN_NEWS_CAPACITY)
#define MEDIUM		BIT(MGMT_LUN_NEWS_MEDIUM)

static struct mgmt_lun_change fresh(void)
{
	struct mgmt_lun_change c = { .config = scsi_device_default, .write_cache = 1,
				     .target_name = "iqn.2001-04.org.example:t",
				     .tid = 42, .lun = 20 };

	lu_identity_default(&c.id, c.target_name, c.tid, c.lun);
	return c;
}

static int set(struct mgmt_lun_change *c, const char *json, struct mgmt_fault *fault)
{
	json_t *params = json_loads(json, 0, NULL);
	int err;

	assert_non_null(params);
	err = mgmt_lun_params_set(c, params, fault);
	json_decref(params);
	return err;
}

static struct mgmt_lun_change changed(const char *json, unsigned int news)
{
	struct mgmt_lun_change c = fresh();
	struct mgmt_fault fault;

	if (set(&c, json, &fault))
		fail_msg("%s: %s", json, fault.sentence);
	if (c.news != news)
		fail_msg("%s: news %x, expected %x", json, c.news, news);
	return c;
}

static void values_are_set(void **state)
{
	(void)state;
	assert_string_equal(changed("{\"scsi_id\":\"x y\"}", INQUIRY).id.scsi_id, "x y");
	assert_string_equal(changed("{\"scsi_sn\":\"S1\"}", INQUIRY).id.scsi_sn, "S1");
	assert_string_equal(changed("{\"vendor_id\":\"ACME\"}", INQUIRY).config.vendor_id,
			    "ACME");
	assert_string_equal(changed("{\"product_rev\":\"\"}", INQUIRY).config.product_rev, "");
	assert_int_equal(changed("{\"lbppbe\":\"3\"}", CAPACITY).config.lbppbe, 3);
	assert_int_equal(changed("{\"lbppbe\":3}", CAPACITY).config.lbppbe, 3);
	assert_int_equal(changed("{\"la_lba\":\"0x10\"}", CAPACITY).config.la_lba, 16);
	assert_int_equal(changed("{\"optimal_xfer_gran\":8}", INQUIRY).config.optimal_xfer_gran,
			 8);
	assert_int_equal(changed("{\"optimal_xfer_len\":4294967295}", INQUIRY)
				 .config.optimal_xfer_len,
			 UINT32_MAX);
	assert_int_equal(changed("{\"rotation_rate\":1}", INQUIRY).config.rotation_rate, 1);
	assert_int_equal(changed("{\"rotation_rate\":7200}", INQUIRY).config.rotation_rate,
			 7200);
	assert_true(changed("{\"removable\":true}", INQUIRY).config.removable);
	assert_true(changed("{\"readonly\":\"1\"}", MODE).config.readonly);
	assert_true(changed("{\"sense_format\":\"1\"}", MODE).config.sense_descriptor);
	assert_true(changed("{\"thin_provisioning\":\"on\"}", INQUIRY)
			    .config.thin_provisioning);
	assert_false(changed("{\"online\":\"0\"}", MEDIUM).config.online);
}

static void what_stays_the_same_is_no_news(void **state)
{
	(void)state;
	changed("{\"online\":1,\"readonly\":0,\"vendor_id\":\"IET\"}", 0);
	changed("{\"tgt_ids\":0}", 0);
	changed("{}", 0);
	changed("{\"readonly\":1,\"vendor_id\":\"X\",\"lbppbe\":1,\"online\":0}",
		INQUIRY | MODE | CAPACITY | MEDIUM);
}

/* Initiators are not told: to them it is a device that is as fast as it is. */
static void limits_are_set(void **state)
{
	const struct mgmt_lun_change c = changed(
		"{\"iops_limit\":100,\"iops_burst\":\"20\",\"bw_limit\":\"10M\",\"bw_burst\":4096}",
		0);

	(void)state;
	assert_int_equal(c.limits.iops_limit, 100);
	assert_int_equal(c.limits.iops_burst, 20);
	assert_int_equal(c.limits.bw_limit, 10 << 20);
	assert_int_equal(c.limits.bw_burst, 4096);
	assert_int_equal(changed("{\"bw_limit\":\"1P\"}", 0).limits.bw_limit, 1ULL << 50);
}

static void long_inquiry_texts_are_cut_with_a_word(void **state)
{
	const struct mgmt_lun_change c = changed("{\"vendor_id\":\"123456789\"}", INQUIRY);

	(void)state;
	assert_string_equal(c.config.vendor_id, "12345678");
	assert_string_equal(c.warning, "parameter 'vendor_id' is cut to 8 characters");
	assert_string_equal(changed("{\"vendor_id\":\"12345678\"}", INQUIRY).warning, "");
	for (size_t i = 0; i < 2; i++) {
		const char *const name = i ? "scsi_id" : "scsi_sn";
		const char text[] = "0123456789012345678901234567890123456";
		char json[80], warning[80];
		struct mgmt_lun_change d;

		snprintf(json, sizeof(json), "{\"%s\":\"%s\"}", name, text);
		snprintf(warning, sizeof(warning), "parameter '%s' is cut to 36 characters", name);
		d = changed(json, INQUIRY);
		assert_string_equal(d.warning, warning);
		assert_memory_equal(i ? d.id.scsi_id : d.id.scsi_sn, text, 36);
		assert_int_equal(strlen(i ? d.id.scsi_id : d.id.scsi_sn), 36);
	}
}

static void tgt_ids_come_back(void **state)
{
	struct mgmt_lun_change c = changed("{\"tgt_ids\":1}", INQUIRY);

	(void)state;
	assert_string_equal(c.id.scsi_id, "IET     002a0014");
	assert_string_equal(c.id.scsi_sn, "beaf4220");
	assert_true(c.id.tgt_compat);
	/* An id of one's own counts, in whatever order they are given. */
	c = changed("{\"scsi_sn\":\"mine\",\"tgt_ids\":1}", INQUIRY);
	assert_string_equal(c.id.scsi_sn, "mine");
	assert_string_equal(c.id.scsi_id, "IET     002a0014");
}

/* What tgt-admin sends for "write-cache off", and tgt's default for "on". */
static void mode_pages_set_what_they_can(void **state)
{
	struct mgmt_lun_change c;

	(void)state;
	c = changed("{\"mode_page\":\"8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:"
		    "0x14:0:0:0:0:0:0\"}", MODE);
	assert_int_equal(c.write_cache, 0);
	c = changed("{\"mode_page\":\"8:0:18:0x14:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:"
		    "0x14:0:0:0:0:0:0\"}", 0);
	assert_int_equal(c.write_cache, 1);
	c = changed("{\"mode_page\":\"10:0:10:2:0x10:8:0:0:0:0:0:2:0\"}", MODE);
	assert_true(c.config.swp);
	assert_false(c.config.sense_descriptor);
	c = changed("{\"mode_page\":[\"10:0:10:4:0x10:0:0:0:0:0:0:2:0\","
		    "\"8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0\"]}",
		    MODE);
	assert_true(c.config.sense_descriptor);
	assert_int_equal(c.write_cache, 0);
	/* Another page is shown as it is given; the last word counts; 0 bytes end it. */
	c = changed("{\"mode_page\":[\"2:0:2:1:2\",\"33:7:1:9\",\"2:0:1:3\"]}", MODE);
	assert_int_equal(c.config.nr_pages, 2);
	assert_int_equal(c.config.pages[0].code, 2);
	assert_int_equal(c.config.pages[0].bytes, 1);
	assert_int_equal(c.config.pages[0].b[0], 3);
	assert_int_equal(c.config.pages[1].subcode, 7);
	c = changed("{\"mode_page\":[\"2:0:2:1:2\",\"2:0:0\"]}", MODE);
	assert_int_equal(c.config.nr_pages, 0);
	changed("{\"mode_page\":\"0:0:0\"}", 0);
}

static void a_size_is_wanted(void **state)
{
	(void)state;
	assert_false(changed("{}", 0).resize);
	assert_true(changed("{\"size\":\"auto\"}", 0).resize);
	assert_int_equal(changed("{\"size\":\"auto\"}", 0).size_bytes, 0);
	assert_int_equal(changed("{\"size\":4096}", 0).size_bytes, 4096);
	assert_int_equal(changed("{\"disksize\":\"1G\"}", 0).size_bytes, 1 << 30);
	assert_int_equal(changed("{\"bsopts\":\"size=512\"}", 0).size_bytes, 512);
}

static void bad_values_are_refused(void **state)
{
	static const struct {
		const char *json, *sentence;
	} cases[] = {
		{ "{\"bogus\":1}", "a logical unit has no parameter 'bogus'" },
		{ "{\"readonly\":5}", "parameter 'readonly': must be 0 or 1" },
		{ "{\"lbppbe\":16}", "parameter 'lbppbe': must be 0 to 15" },
		{ "{\"lbppbe\":-1}", "parameter 'lbppbe': must be 0 to 15" },
		{ "{\"lbppbe\":\"\"}", "parameter 'lbppbe': must be 0 to 15" },
		{ "{\"la_lba\":16384}", "parameter 'la_lba': must be 0 to 16383" },
		{ "{\"scsi_id\":\"\"}",
		  "parameter 'scsi_id': must be 1 to 36 printable characters" },
		{ "{\"scsi_sn\":\"a\\nb\"}",
		  "parameter 'scsi_sn': must be 1 to 36 printable characters" },
		{ "{\"vendor_id\":\"\\u00e9\"}",
		  "parameter 'vendor_id': must be printable ASCII" },
		{ "{\"rotation_rate\":2}",
		  "parameter 'rotation_rate': must be 0 (not reported), 1 (no rotation) or 1025 to 65534" },
		{ "{\"bsopts\":\"a=b\"}",
		  "parameter 'bsopts': of a LUN that exists, only size=BYTES or size=auto can be given" },
		{ "{\"size\":\"all\"}",
		  "parameter 'size': must be 'auto' (all that the store has) or a number of bytes" },
		{ "{\"iops_limit\":\"1k\"}",
		  "parameter 'iops_limit': must be 0 (none) to 1000000000" },
		{ "{\"iops_limit\":-1}",
		  "parameter 'iops_limit': must be 0 (none) to 1000000000" },
		{ "{\"bw_limit\":\"fast\"}",
		  "parameter 'bw_limit': must be 0 (none) to 1125899906842624 bytes, with a suffix k, M, G, T if you like" },
		{ "{\"bw_burst\":\"2P\"}",
		  "parameter 'bw_burst': must be 0 (none) to 1125899906842624 bytes, with a suffix k, M, G, T if you like" },
		{ "{\"mode_page\":\"8\"}",
		  "parameter 'mode_page': the length must be the number of bytes that follow it" },
		{ "{\"mode_page\":\"8:0:18:0\"}",
		  "parameter 'mode_page': the length must be the number of bytes that follow it" },
		{ "{\"mode_page\":\"8:0:x:0\"}",
		  "parameter 'mode_page': must be page:subpage:length:byte:..., each 0 to 255" },
		{ "{\"mode_page\":\"8:0:1:256\"}",
		  "parameter 'mode_page': must be page:subpage:length:byte:..., each 0 to 255" },
		{ "{\"mode_page\":\"8:0:1:1\"}",
		  "parameter 'mode_page': page 8:0 (caching) has 18 bytes, not 1" },
		{ "{\"mode_page\":\"10:0:1:1\"}",
		  "parameter 'mode_page': page 10:0 (control) has 10 bytes, not 1" },
		{ "{\"mode_page\":\"63:0:1:1\"}",
		  "parameter 'mode_page': page 63:0 is no page; 0:0 to 62:254 are" },
		{ "{\"mode_page\":[\"0:1:1:1\",\"0:2:1:1\",\"0:3:1:1\",\"0:4:1:1\",\"0:5:1:1\","
		  "\"0:6:1:1\",\"0:7:1:1\",\"0:8:1:1\",\"0:9:1:1\"]}",
		  "parameter 'mode_page': a logical unit shows at most 8 pages of the user's" },
		{ "{\"path\":1}", "parameter 'path': must be text" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mgmt_lun_change c = fresh();
		struct mgmt_fault fault;

		if (set(&c, cases[i].json, &fault) == 0)
			fail_msg("%s: accepted", cases[i].json);
		assert_string_equal(fault.sentence, cases[i].sentence);
		assert_string_equal(fault.field, "params");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_set),
		cmocka_unit_test(what_stays_the_same_is_no_news),
		cmocka_unit_test(limits_are_set),
		cmocka_unit_test(long_inquiry_texts_are_cut_with_a_word),
		cmocka_unit_test(tgt_ids_come_back),
		cmocka_unit_test(mode_pages_set_what_they_can),
		cmocka_unit_test(a_size_is_wanted),
		cmocka_unit_test(bad_values_are_refused),
	};

	return cmocka_run_group_tests_name("mgmt/lun_params", tests, NULL, NULL);
}
