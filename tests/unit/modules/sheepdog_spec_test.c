/* SPDX-License-Identifier: BSD-3-Clause */
/* What --backing-store of a sheepdog disk may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../../usr/modules/bs_sheepdog_spec.c" /* NOLINT(bugprone-suspicious-include) */
#include "bs/internal.h"

static void what_is_right(void **state)
{
	static const struct {
		const char *text, *path, *host, *port, *last_host, *vdi, *tag;
		uint32_t snapid;
	} cases[] = {
		{ "unix:/s/sock:tgt0", "/s/sock", "", "", "", "tgt0", "", 0 },
		{ "unix:/s/sock:tgt0:monday", "/s/sock", "", "", "", "tgt0",
		  "monday", 0 },
		{ "unix:/s/sock:tgt0:17", "/s/sock", "", "", "", "tgt0", "",
		  17 },
		{ "tcp:a:7000:v", "", "a", "7000", "a", "v", "", 0 },
		{ "tcp:a:65535:v:4294967295", "", "a", "65535", "a", "v", "",
		  4294967295 },
		{ "tcp:[fe80::1%lo]:10000:v:t:u", "", "fe80::1%lo", "10000",
		  "fe80::1%lo", "v", "t:u", 0 },
		{ "tcp:a:7000,b:7001,[::1]:7002:v", "", "a", "7000", "::1", "v",
		  "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sheep_spec s;

		if (bs_sheepdog_spec_parse(cases[i].text, SHEEP_SPEC_VDI, &s))
			fail_msg("%s: %s", cases[i].text, bs_host_said());
		assert_string_equal(s.path, cases[i].path);
		assert_string_equal(s.gateways[0].host, cases[i].host);
		assert_string_equal(s.gateways[0].port, cases[i].port);
		if (s.nr_gateways)
			assert_string_equal(s.gateways[s.nr_gateways - 1].host,
					    cases[i].last_host);
		assert_string_equal(s.names.name, cases[i].vdi);
		assert_string_equal(s.names.tag, cases[i].tag);
		assert_int_equal(s.snapid, cases[i].snapid);
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "/dev/sda", "begins with neither" },
		{ "", "begins with neither" },
		{ "unix::v", "no socket's path" },
		{ "unix:/s", "no name of a VDI" },
		{ "unix:/s:", "no name of a VDI" },
		{ "unix:/s:v:", "no tag or snapshot number" },
		{ "unix:/s:v:0", "'0' is not a snapshot number" },
		{ "unix:/s:v:4294967296", "not a snapshot number" },
		{ "unix:/s:v:99999999999999999999999",
		  "not a snapshot number" },
		{ "tcp::7000:v", "no host name" },
		{ "tcp:a", "no port after the host 'a'" },
		{ "tcp:a:0:v", "'0' after 'a' is not a port" },
		{ "tcp:a:65536:v", "'65536' after 'a' is not a port" },
		{ "tcp:a:7000x:v", "'7000x' after 'a' is not a port" },
		{ "tcp:fe80::1:7000:v", "an IPv6 address is put in []" },
		{ "tcp:[::1:7000:v", "no ']'" },
		{ "tcp:a:1,:v", "no host name" },
		{ "tcp:a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1:v",
		  "more than 8 gateways" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sheep_spec s;

		if (bs_sheepdog_spec_parse(cases[i].text, SHEEP_SPEC_VDI, &s) !=
		    -EINVAL)
			fail_msg("%s: it was taken", cases[i].text);
		if (!strstr(bs_host_said(), cases[i].words))
			fail_msg("%s: said '%s'", cases[i].text,
				 bs_host_said());
	}
}

static void a_cluster_needs_no_vdi(void **state)
{
	struct sheep_spec s;

	(void)state;
	assert_int_equal(
		bs_sheepdog_spec_parse("unix:/s", SHEEP_SPEC_CLUSTER, &s), 0);
	assert_string_equal(s.names.name, "");
	assert_int_equal(bs_sheepdog_spec_parse("tcp:a:7000,b:7000",
						SHEEP_SPEC_CLUSTER, &s),
			 0);
	assert_int_equal(s.nr_gateways, 2);
}

static void names_are_as_long_as_they_may_be(void **state)
{
	char text[600] = "unix:/s:";
	struct sheep_spec s;

	(void)state;
	memset(text + 8, 'n', 255);
	assert_int_equal(bs_sheepdog_spec_parse(text, SHEEP_SPEC_VDI, &s), 0);
	text[8 + 255] = 'n';
	assert_int_equal(bs_sheepdog_spec_parse(text, SHEEP_SPEC_VDI, &s),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_cluster_needs_no_vdi),
		cmocka_unit_test(names_are_as_long_as_they_may_be),
	};

	return cmocka_run_group_tests_name("modules/sheepdog_spec", tests, NULL,
					   NULL);
}
