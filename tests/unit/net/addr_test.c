/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "net/addr.h"

static struct sockaddr_storage addr(const char *text)
{
	struct sockaddr_storage a;
	char why[200];

	if (net_addr_parse(text, 3260, &a, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	return a;
}

static void endpoints_come_back_as_written(void **state)
{
	static const struct {
		const char *in, *out;	/* out NULL: no address, only a port */
		int family;
		uint16_t port;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1:3260", AF_INET, 3260 },
		{ "192.0.2.1:1", "192.0.2.1:1", AF_INET, 1 },
		{ "0.0.0.0:0", "0.0.0.0:0", AF_INET, 0 },
		{ "::1", "[::1]:3260", AF_INET6, 3260 },
		{ "[::1]", "[::1]:3260", AF_INET6, 3260 },
		{ "[::1]:65535", "[::1]:65535", AF_INET6, 65535 },
		{ "[2001:DB8:0::1]:5", "[2001:db8::1]:5", AF_INET6, 5 },
		{ "2001:db8::1:3261", "[2001:db8::1:3261]:3260", AF_INET6, 3260 },
		{ "[fe80::1%lo]:7", "[fe80::1%lo]:7", AF_INET6, 7 },
		{ "", NULL, AF_UNSPEC, 3260 },
		{ ":3261", NULL, AF_UNSPEC, 3261 },
		{ ":0", NULL, AF_UNSPEC, 0 },
	};
	char buf[NET_ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sockaddr_storage a = addr(cases[i].in);

		assert_int_equal(a.ss_family, cases[i].family);
		assert_int_equal(net_addr_port(&a), cases[i].port);
		if (cases[i].out)
			assert_string_equal(net_addr_format_endpoint(&a, buf, sizeof(buf)),
					    cases[i].out);
	}
}

static void what_is_no_endpoint_is_refused_in_a_sentence(void **state)
{
	static const char *const cases[] = {
		"localhost", "example.org:3260", "192.0.2", "192.0.2.256",
		"192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:x",
		"192.0.2.1:3260x", "192.0.2.1 ", " 192.0.2.1", "[::1", "::1]",
		"[::1]3260", "[::1]:", "[192.0.2.1]:1", "[]", "[]:1", "1:2:3",
		"[fe80::1%nosuchinterface0]", "0x7f.1", "127.1", "192.0.2.1:0x",
		"12345678901234567890123456789012345678901234567890123456789012345",
		"\n", "%s%n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sockaddr_storage a = { .ss_family = 77 };
		char why[200] = "";

		if (net_addr_parse(cases[i], 1, &a, why, sizeof(why)) != -22)
			fail_msg("\"%s\" is taken", cases[i]);
		assert_int_equal(a.ss_family, 77);
		assert_int_equal(why[strlen(why) - 1], '.');
		assert_null(strchr(why, '\n'));
		assert_int_equal(net_addr_parse(cases[i], 1, &a, NULL, 0), -22);
	}
}

static void addresses_know_what_they_are(void **state)
{
	static const struct {
		const char *text;
		bool wildcard, loopback, link_local;
	} cases[] = {
		{ "0.0.0.0", true, false, false },
		{ "::", true, false, false },
		{ "127.0.0.1", false, true, false },
		{ "127.9.9.9", false, true, false },
		{ "128.0.0.1", false, false, false },
		{ "::1", false, true, false },
		{ "169.254.0.1", false, false, true },
		{ "169.253.0.1", false, false, false },
		{ "fe80::1", false, false, true },
		{ "fec0::1", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sockaddr_storage a = addr(cases[i].text);

		if (net_addr_is_wildcard(&a) != cases[i].wildcard ||
		    net_addr_is_loopback(&a) != cases[i].loopback ||
		    net_addr_is_link_local(&a) != cases[i].link_local)
			fail_msg("%s", cases[i].text);
	}
}

static void hosts_are_compared_without_ports(void **state)
{
	struct sockaddr_storage a = addr("192.0.2.1:1"), b = addr("192.0.2.1:2");

	(void)state;
	assert_true(net_addr_same_host(&a, &b));
	b = addr("192.0.2.2:1");
	assert_false(net_addr_same_host(&a, &b));
	b = addr("[::ffff:192.0.2.1]:1");
	assert_false(net_addr_same_host(&a, &b));
	a = addr("fe80::1%lo");
	b = addr("fe80::1");
	assert_false(net_addr_same_host(&a, &b));
}

static void networks_contain_what_they_should(void **state)
{
	static const struct {
		const char *net, *addr;
		bool in;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.77/24", "192.0.2.1", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.129", true },
		{ "192.0.2.4/31", "192.0.2.5", true },
		{ "192.0.2.4/31", "192.0.2.6", false },
		{ "192.0.2.4/32", "192.0.2.5", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "2001:db8::1/127", "2001:db8::2", false },
		{ "::1", "::1", true },
		/* A dual-stack socket would tell an IPv4 peer so. */
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
		{ "::ffff:192.0.2.0/24", "192.0.2.9", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sockaddr_storage a = addr(cases[i].addr);
		struct net_addr_cidr net;

		assert_int_equal(net_addr_parse_cidr(cases[i].net, &net, NULL, 0), 0);
		if (net_addr_cidr_contains(&net, &a) != cases[i].in)
			fail_msg("%s in %s", cases[i].addr, cases[i].net);
	}
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1",
		"192.0.2.0/24/24", "192.0.2.0/24 ", "192.0.2.0/255.255.255.0",
		"192.0.2/24", "::/129", "2001:db8::/x", "[::1]/128", "[::1]",
		"192.0.2.1:3260", "fe80::1%lo", "not.an.ip", "all",
		"11111:11111:11111:11111:11111:11111:11111:11111:11111:1111",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_addr_cidr net;
		char why[200] = "";

		if (net_addr_parse_cidr(cases[i], &net, why, sizeof(why)) != -22)
			fail_msg("\"%s\" is taken", cases[i]);
		assert_int_equal(why[strlen(why) - 1], '.');
	}
}

static void networks_are_equal_however_written(void **state)
{
	struct net_addr_cidr a, b;

	(void)state;
	net_addr_parse_cidr("192.0.2.5/24", &a, NULL, 0);
	net_addr_parse_cidr("192.0.2.0/24", &b, NULL, 0);
	assert_true(net_addr_cidr_equal(&a, &b));
	net_addr_parse_cidr("192.0.2.0/25", &b, NULL, 0);
	assert_false(net_addr_cidr_equal(&a, &b));
	net_addr_parse_cidr("2001:DB8:0:0::/32", &a, NULL, 0);
	net_addr_parse_cidr("2001:db8::/32", &b, NULL, 0);
	assert_true(net_addr_cidr_equal(&a, &b));
	net_addr_parse_cidr("0.0.0.0/0", &a, NULL, 0);
	net_addr_parse_cidr("::/0", &b, NULL, 0);
	assert_false(net_addr_cidr_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_come_back_as_written),
		cmocka_unit_test(what_is_no_endpoint_is_refused_in_a_sentence),
		cmocka_unit_test(addresses_know_what_they_are),
		cmocka_unit_test(hosts_are_compared_without_ports),
		cmocka_unit_test(networks_contain_what_they_should),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(networks_are_equal_however_written),
	};

	return cmocka_run_group_tests_name("net/addr", tests, NULL, NULL);
}
