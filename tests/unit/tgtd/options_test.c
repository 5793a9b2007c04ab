/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/options: values, ranges, and tgt's words and exit codes for the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "mgmt/server.h"
#include "tgtd/options.h"

#define TRY_HELP "Try `tgtd --help' for more information.\n"

static char said[4096];
static char *line_copy;		/* options point into it */
static struct tgtd_options o;

static int run(const char *line)
{
	char *rest, *word, *argv[32] = { (char *)"tgtd" };
	FILE *old = stderr, *f = fmemopen(said, sizeof(said) - 1, "w");
	int argc = 1, code;

	memset(said, 0, sizeof(said));
	free(line_copy);
	line_copy = strdup(line);
	assert_non_null(f);
	assert_non_null(line_copy);
	rest = line_copy;
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	stderr = f;
	code = tgtd_options_parse(argc, argv, &o);
	stderr = old;
	fclose(f);
	return code;
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(run(""), -1);
	assert_false(o.foreground || o.nodaemonize || o.debug);
	assert_int_equal(o.control_port, 0);
	assert_int_equal(o.worker_threads, 16);
	assert_in_range(o.reactors, 1, 256);
	assert_int_equal(o.memory_bytes, 1 << 30);
	assert_true(o.mgmt_group == MGMT_NO_GROUP);
	assert_int_equal(o.nr_portals, 0);
	assert_null(o.pid_file);
}

static void values(void **state)
{
	(void)state;
	assert_int_equal(run("-f -D -C 5 -t 3 -p /run/x -d 1 --reactors 2 --memory 2G --mgmt-group root"),
			 -1);
	assert_true(o.foreground && o.nodaemonize && o.debug);
	assert_int_equal(o.control_port, 5);
	assert_int_equal(o.worker_threads, 3);
	assert_string_equal(o.pid_file, "/run/x");
	assert_int_equal(o.reactors, 2);
	assert_int_equal(o.memory_bytes, 2ULL << 30);
	assert_int_equal(o.mgmt_group, 0);
	assert_int_equal(run("--foreground --control-port=9 --mgmt-group 4242"), -1);
	assert_int_equal(o.control_port, 9);
	assert_int_equal(o.mgmt_group, 4242);
	assert_int_equal(run("-d 0"), -1);
	assert_false(o.debug);
}

static void reactors_and_their_cpus(void **state)
{
	(void)state;
	assert_int_equal(run("-f"), -1);
	assert_int_equal(o.nr_cpus, 0);
	assert_int_equal(o.poll_us, 0);
	assert_false(o.huge_pages);
	assert_int_equal(run("--reactor-cpus 3,0-1 --poll-us 50 --huge-pages"), -1);
	assert_int_equal(o.reactors, 3);
	assert_int_equal(o.nr_cpus, 3);
	assert_int_equal(o.cpus[0], 3);
	assert_int_equal(o.cpus[2], 1);
	assert_int_equal(o.poll_us, 50);
	assert_true(o.huge_pages);
	assert_int_equal(run("--reactor-cpus 0,1 --reactors 2"), -1);
	assert_int_equal(o.reactors, 2);
}

static void portals_and_probes(void **state)
{
	(void)state;
	assert_int_equal(run("--iscsi portal=127.0.0.1:3265,portal=[::1]:3260,tpgt=2,nop_interval=7 "
			     "--iscsi nop_count=2,portal=:3261"), -1);
	assert_int_equal(o.nr_portals, 3);
	assert_string_equal(o.portals[0].text, "127.0.0.1:3265");
	assert_string_equal(o.portals[1].text, "[::1]:3260");
	assert_string_equal(o.portals[2].text, ":3261");
	assert_int_equal(o.portals[0].tpgt, 0);
	assert_int_equal(o.portals[1].tpgt, 2);
	assert_int_equal(o.nop_interval_s, 7);
	assert_int_equal(o.nop_count, 2);
}

static void wrong_lines_end_as_in_tgt(void **state)
{
	static const char iscsi[] = "must be portal=[address][:port], tpgt=1 to 65535 after a "
				    "portal, nop_interval=0 to 86400, or nop_count=0 to 1000\n";
	static const struct {
		const char *line, *said;
		int code;
	} cases[] = {
		{ "--bogus", "'bogus' is an unknown option\n" TRY_HELP, 1 },
		{ "-Z", "'Z' is an unknown option\n" TRY_HELP, 1 },
		{ "extra", "'extra' is an unknown option\n" TRY_HELP, 1 },
		{ "-C abc", "-C argument value 'abc' invalid\n" TRY_HELP, 22 },
		{ "-C -1", "-C argument value '-1' invalid\n" TRY_HELP, 22 },
		{ "-t 0", "-t argument value '0' invalid\n" TRY_HELP, 22 },
		{ "--reactors 257", "--reactors argument value '257' invalid\n" TRY_HELP, 22 },
		{ "--poll-us 1000001", "--poll-us argument value '1000001' invalid\n" TRY_HELP, 22 },
		{ "--reactor-cpus 1-0",
		  "tgtd: --reactor-cpus 1-0: must be CPU numbers such as 0,2-5, 256 at most\n", 22 },
		{ "--reactors 3 --reactor-cpus 0,1",
		  "tgtd: --reactors 3, but --reactor-cpus names 2 CPUs\n", 22 },
		{ "--memory 1k", "--memory argument value '1k' invalid\n" TRY_HELP, 22 },
		{ "-C", "tgtd: option '--control-port' requires an argument\n" TRY_HELP, 1 },
		{ "-f --foreground=1",
		  "tgtd: option '--foreground' takes no argument\n" TRY_HELP, 1 },
		{ "--iser port=1", "tgtd: --iser: this tgtd has no iSER transport\n", 22 },
		{ "--mgmt-group no-such-group", "tgtd: there is no group 'no-such-group'\n", 22 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const int code = run(cases[i].line);

		if (code != cases[i].code || strcmp(said, cases[i].said) != 0)
			fail_msg("tgtd %s: exit %d, %s", cases[i].line, code, said);
	}
	assert_int_equal(run("--iscsi bogus=1"), 22);
	assert_non_null(strstr(said, iscsi));
	assert_int_equal(run("--iscsi nop_count=x"), 22);
	assert_non_null(strstr(said, iscsi));
	assert_int_equal(run("--iscsi portal"), 22);
	assert_non_null(strstr(said, iscsi));
	assert_int_equal(run("--iscsi tpgt=2"), 22);
	assert_non_null(strstr(said, iscsi));
	assert_int_equal(run("--iscsi portal=:3260,tpgt=0"), 22);
	assert_non_null(strstr(said, iscsi));
}

static void portals_have_a_limit(void **state)
{
	char line[4096] = "--iscsi ";
	size_t n = strlen(line);

	(void)state;
	for (int i = 0; i < TGTD_PORTALS_MAX; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "portal=:1,");
	assert_int_equal(run(line), -1);
	snprintf(line + n, sizeof(line) - n, "portal=:1");
	assert_int_equal(run(line), 22);
	assert_string_equal(said, "tgtd: more than 64 portals\n");
}

static void options_are_unique_and_told(void **state)
{
	const char *src = getenv("SRC") ? getenv("SRC") : ".";
	char path[4096], *text = calloc(1, 1 << 18), want[80];
	const struct tgtd_option *a, *b;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/doc/man/tgtd.8", src);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
	fclose(f);
	for (a = tgtd_options_table; a->name; a++) {
		char escaped[64], *to = escaped;

		assert_non_null(a->set);
		for (b = a + 1; b->name; b++)
			if (a->letter == b->letter || !strcmp(a->name, b->name))
				fail_msg("--%s and --%s clash", a->name, b->name);
		for (const char *c = a->name; *c; c++) {
			if (*c == '-')
				*to++ = '\\';
			*to++ = *c;
		}
		*to = '\0';
		snprintf(want, sizeof(want), "\\-\\-%s", escaped);
		if (!strstr(text, want))
			fail_msg("%s does not tell of --%s", path, a->name);
	}
	free(text);
}

static int forget(void **state)
{
	(void)state;
	free(line_copy);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(reactors_and_their_cpus),
		cmocka_unit_test(portals_and_probes),
		cmocka_unit_test(wrong_lines_end_as_in_tgt),
		cmocka_unit_test(portals_have_a_limit),
		cmocka_unit_test(options_are_unique_and_told),
	};

	return cmocka_run_group_tests_name("tgtd/options", tests, NULL, forget);
}
