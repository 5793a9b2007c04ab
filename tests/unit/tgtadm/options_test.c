/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/options, tgtadm/operation: command lines as tgt takes them, with tgt's
 * words and exit codes for those it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/macros.h"
#include "tgtadm/operation.h"
#include "tgtadm/options.h"

#define TRY_HELP "Try `tgtadm --help' for more information.\n"

static char said[8192];			/* on stderr, by the last run() */
static json_t *params;			/* of the call it makes; NULL: none */
static const struct tgtadm_operation *row;

/* Parse @line, whose words are separated by single blanks.  -1: it would call
 * the daemon; else the exit code. */
static int run(const char *line)
{
	char *copy = strdup(line), *rest = copy, *word, *argv[32] = { (char *)"tgtadm" };
	FILE *old = stderr, *f = fmemopen(said, sizeof(said) - 1, "w");
	struct tgtadm_options o;
	int argc = 1, code;

	assert_non_null(copy);
	assert_non_null(f);
	memset(said, 0, sizeof(said));
	json_decref(params);
	params = NULL;
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	stderr = f;
	code = tgtadm_options_parse(argc, argv, &o);
	if (code < 0)
		code = tgtadm_operation_find(&o, &row);
	if (code < 0) {
		params = tgtadm_operation_params(row, &o);
		if (!params)
			code = 22;
	}
	stderr = old;
	fclose(f);
	free(copy);
	return code;
}

static void wrong_lines_end_as_in_tgt(void **state)
{
	static const struct {
		const char *line, *said;
		int code;
	} cases[] = {
		{ "", "tgtadm: specify the operation type\n", 22 },
		{ "--mode target", "tgtadm: specify the operation type\n", 22 },
		{ "--op show", "tgtadm: specify the mode\n", 22 },
		{ "--mode foo --op show", "tgtadm: unknown mode: foo\n", 1 },
		{ "--mode target --op foo", "tgtadm: unknown operation: foo\n", 1 },
		{ "--mode target --op new", "tgtadm: 'tid' option is necessary\n", 22 },
		{ "--mode target --op new --tid 0 -T iqn.x:y", "tgtadm: 'tid' cannot be 0\n",
		  22 },
		{ "--mode target --op new --tid 5",
		  "tgtadm: creating new target requires a name, use --targetname\n", 22 },
		{ "--mode target --op stat", "tgtadm: 'tid' option is necessary\n", 22 },
		{ "--tid abc", "-t argument value 'abc' invalid\n" TRY_HELP, 22 },
		{ "--tid -1", "-t argument value '-1' invalid\n" TRY_HELP, 22 },
		{ "--tid 2147483648", "-t argument value '2147483648' invalid\n" TRY_HELP, 22 },
		{ "--mode target --op bind --tid 1",
		  "tgtadm: bind operation requires initiator-address, initiator-nameor bus\n",
		  22 },
		{ "--mode target --op unbind --tid 1",
		  "tgtadm: unbind operation requires initiator-address, initiator-nameor bus\n",
		  22 },
		{ "--mode target --op update --tid 1 -n state",
		  "tgtadm: update operation requires 'name' and 'value' options\n", 22 },
		{ "--mode lu --op new --tid 1", "tgtadm: 'lun' option is necessary\n", 22 },
		{ "--mode lu --op new --lun 1", "tgtadm: 'tid' option is necessary\n", 22 },
		{ "--mode lu --op new --tid 0 --lun 1", "tgtadm: 'tid' must not be 0\n", 22 },
		{ "--mode lu --op new --tid 1 --lun 1 --device-type foo",
		  "tgtadm: unknown target type: foo\n", 22 },
		{ "--mode lu --op new --tid 1 --lun 1 --device-type changer",
		  "tgtadm: 'backing-store' option is necessary\n", 22 },
		{ "--mode lu --op show --tid 1 --lun 1",
		  "tgtadm: operation show not supported in logicalunit mode\n", 22 },
		{ "--mode lu --op delete --tid 1 --lun 1 -s 4 -c 0",
		  "tgtadm: logicalunit mode: option '-s' is not allowed/supported\n", 22 },
		{ "--mode lu --op update --tid 1 --lun 1 -P readonly",
		  "tgtadm: invalid request\ntgtadm: parameter 'readonly' has no value\n", 22 },
		{ "--mode account --op new --user a",
		  "tgtadm: 'user' and 'password' options are required\n", 22 },
		{ "--mode account --op new --password a",
		  "tgtadm: 'user' and 'password' options are required\n", 22 },
		{ "--mode account --op bind --tid 1", "tgtadm: 'user' option is necessary\n",
		  22 },
		{ "--mode portal --op new",
		  "tgtadm: you must specify --param portal=<portal>\n", 22 },
		{ "--mode portal --op new --params foo=1",
		  "tgtadm: you must specify --param portal=<portal>\n", 22 },
		{ "--mode conn --op show", "tgtadm: can't find the target\n", 22 },
		{ "--mode conn --op delete --tid 1", "tgtadm: can't find the session\n", 22 },
		{ "--mode sess --op show", "tgtadm: invalid request\n", 22 },
		{ "--mode sys --op new", "tgtadm: operation new not supported in system mode\n",
		  22 },
		{ "extra", "tgtadm: unrecognized option 'extra'\n" TRY_HELP, 22 },
		{ "--bogus", "tgtadm: unrecognized option '--bogus'\n" TRY_HELP, 22 },
		{ "-Z", "tgtadm: invalid option -- 'Z'\n" TRY_HELP, 22 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const int code = run(cases[i].line);

		if (code != cases[i].code || strcmp(said, cases[i].said) != 0)
			fail_msg("tgtadm %s: exit %d, %s", cases[i].line, code, said);
	}
}

static void right_lines_become_calls(void **state)
{
	static const struct {
		const char *line, *method, *params;
	} cases[] = {
		{ "--lld iscsi --mode target --op new --tid 1 --targetname iqn.x:a",
		  "target.create", "{\"lld\":\"iscsi\",\"name\":\"iqn.x:a\",\"tid\":1}" },
		{ "-L iscsi -m target -o new -t 1 -T iqn.x:a", "target.create",
		  "{\"lld\":\"iscsi\",\"name\":\"iqn.x:a\",\"tid\":1}" },
		{ "--op=delete --mode=tgt --tid=7 --force", "target.delete",
		  "{\"force\":true,\"tid\":7}" },
		{ "-o delete -m tgt -t 7 -F", "target.delete", "{\"force\":true,\"tid\":7}" },
		{ "--mode target --op show", "target.list", "{}" },
		{ "--mode target --op bind --tid 1 -I ALL -Q iqn.x:i", "target.bind",
		  "{\"address\":\"ALL\",\"initiator\":\"iqn.x:i\",\"tid\":1}" },
		{ "--mode target --op update --tid 1 --name state --value offline",
		  "target.update", "{\"name\":\"state\",\"tid\":1,\"value\":\"offline\"}" },
		{ "--mode lu --op new -t 1 -l 2 -b /x -E rdwr -S a=b -f sync -y 4096 -Y disk",
		  "lun.create",
		  "{\"blocksize\":4096,\"bsoflags\":\"sync\",\"bsopts\":\"a=b\",\"bstype\":\"rdwr\","
		  "\"device_type\":\"disk\",\"lun\":2,\"path\":\"/x\",\"tid\":1}" },
		{ "--mode lu --op new -t 1 -l 2 -Y ssc", "lun.create",
		  "{\"device_type\":\"tape\",\"lun\":2,\"tid\":1}" },
		/* Prefixes: --param for --params is in wide use. */
		{ "--mode logicalunit --op update --tid 1 --lun 1 --param a=b,c=d,a=e,a=f",
		  "lun.update",
		  "{\"lun\":1,\"params\":{\"a\":[\"b\",\"e\",\"f\"],\"c\":\"d\"},\"tid\":1}" },
		{ "--mode lu --op update --tid 1 --lun 1", "lun.update",
		  "{\"lun\":1,\"params\":{},\"tid\":1}" },
		{ "--mode lu --op delete --tid 1 --lun 1 --force", "lun.delete",
		  "{\"force\":true,\"lun\":1,\"tid\":1}" },
		{ "--params portal=127.0.0.1:3260 --mode portal --op new", "portal.create",
		  "{\"portal\":\"127.0.0.1:3260\"}" },
		{ "--mode pt --op delete --param portal=[::1]:3260", "portal.delete",
		  "{\"portal\":\"[::1]:3260\"}" },
		{ "--mode account --op bind --tid 1 --user u --outgoing", "account.bind",
		  "{\"outgoing\":true,\"tid\":1,\"user\":\"u\"}" },
		{ "-m account -o bind -u u -O", "account.bind",
		  "{\"outgoing\":true,\"user\":\"u\"}" },
		{ "--op delete --mode connection --tid=1 --cid=2 --sid=3", "connection.delete",
		  "{\"cid\":2,\"sid\":3,\"tid\":1}" },
		{ "--mode sess --op stat --tid 1 --sid 3", "session.stat",
		  "{\"sid\":3,\"tid\":1}" },
		{ "--mode sys --op update --name State --value ready", "system.update",
		  "{\"name\":\"State\",\"value\":\"ready\"}" },
		{ "--mode sys --op delete", "system.shutdown", "{}" },
		{ "-C 5 -d --json --mode lld --op show", "driver.list", "{}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const int code = run(cases[i].line);
		char *text;

		if (code != -1)
			fail_msg("tgtadm %s: exit %d, %s", cases[i].line, code, said);
		text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(row->method, cases[i].method);
		assert_string_equal(text, cases[i].params);
		free(text);
	}
}

static void what_is_not_utf8_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run("--mode lu --op new --tid 1 --lun 1 -b /\xff"), 22);
	assert_string_equal(said, "tgtadm: the value of --backing-store is not UTF-8\n");
}

static void options_are_unique_and_told(void **state)
{
	const struct tgtadm_option *a, *b;

	(void)state;
	for (a = tgtadm_options_table; a->name; a++) {
		if (!a->help || !*a->help || (a->arg == ARG_NONE) != !a->arg_name ||
		    (a->arg == ARG_NUMBER) != (a->max > 0))
			fail_msg("--%s: the row is not complete", a->name);
		for (b = a + 1; b->name; b++)
			if (a->letter == b->letter || !strcmp(a->name, b->name))
				fail_msg("--%s and --%s clash", a->name, b->name);
	}
}

/* Each letter that becomes a field, or is needed, is also allowed. */
static void operations_are_sound(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < tgtadm_operation_rows; i++) {
		const struct tgtadm_operation *r = &tgtadm_operation_table[i];
		const struct tgtadm_need *need;

		assert_non_null(r->method);
		for (unsigned int k = 0; k < i; k++)
			if (tgtadm_operation_table[k].mode == r->mode &&
			    tgtadm_operation_table[k].op == r->op)
				fail_msg("%s: two rows", r->method);
		if (!r->letters)
			continue;
		for (const char *c = r->fields ? r->fields : ""; *c; c++)
			if (!strchr(r->letters, *c))
				fail_msg("%s: -%c is a field and not allowed", r->method, *c);
		for (need = r->before; need && need->letters; need++)
			assert_non_null(strstr(r->letters, need->letters));
		for (need = r->after; need && need->letters; need++)
			for (const char *c = need->letters; *c; c++)
				assert_non_null(strchr(r->letters, *c));
	}
}

/* tgtadm(8) names every option. */
static void manual_has_every_option(void **state)
{
	const char *src = getenv("SRC") ? getenv("SRC") : ".";
	char path[4096], *text = calloc(1, 1 << 18), want[80];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/doc/man/tgtadm.8", src);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
	fclose(f);
	for (const struct tgtadm_option *o = tgtadm_options_table; o->name; o++) {
		char escaped[64], *to = escaped;

		for (const char *c = o->name; *c; c++) {
			if (*c == '-')
				*to++ = '\\';
			*to++ = *c;
		}
		*to = '\0';
		snprintf(want, sizeof(want), "\\-\\-%s", escaped);
		if (!strstr(text, want))
			fail_msg("%s does not tell of --%s", path, o->name);
	}
	free(text);
}

static int forget(void **state)
{
	(void)state;
	json_decref(params);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_lines_end_as_in_tgt),
		cmocka_unit_test(right_lines_become_calls),
		cmocka_unit_test(what_is_not_utf8_is_refused),
		cmocka_unit_test(options_are_unique_and_told),
		cmocka_unit_test(operations_are_sound),
		cmocka_unit_test(manual_has_every_option),
	};

	return cmocka_run_group_tests_name("tgtadm/options", tests, NULL, forget);
}
