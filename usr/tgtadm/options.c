/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtadm/options.c - getopt_long() driven by the table.
 *
 * Texts and exit codes are tgt's: an unknown word after --mode or --op is exit
 * 1, everything else that is wrong with a command line is 22 (EINVAL).
 */
#include "tgtadm/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include "base/macros.h"
#include "base/option.h"
#include "base/parse.h"

#define OPTIONS_MAX	40

const struct tgtadm_option tgtadm_options_table[] = {
	{ "lld", 'L', ARG_TEXT, "driver", .help = "transport; iscsi, the default, is the only one" },
	{ "op", 'o', ARG_OP, "operation",
	  .help = "new, delete, show, bind, unbind, update, stat, start, stop, save, restore" },
	{ "mode", 'm', ARG_MODE, "mode",
	  .help = "system, target, logicalunit, portal, session, connection, account, lld, tpg" },
	{ "tid", 't', ARG_NUMBER, "id", INT_MAX, "target id" },
	{ "sid", 's', ARG_NUMBER, "id", INT64_MAX, "session (I_T nexus) id" },
	{ "cid", 'c', ARG_NUMBER, "id", UINT16_MAX, "connection id" },
	{ "lun", 'l', ARG_NUMBER, "number", INT64_MAX, "logical unit number, 1 to 16383" },
	{ "tpg", 'g', ARG_NUMBER, "number", UINT16_MAX, "target port group, 1 to 65535" },
	{ "name", 'n', ARG_TEXT, "name", .help = "name of what is updated" },
	{ "value", 'v', ARG_TEXT, "value", .help = "its new value" },
	{ "backing-store", 'b', ARG_TEXT, "path", .help = "file, block device or image" },
	{ "bstype", 'E', ARG_TEXT, "type", .help = "kind of backing store; rdwr is the default" },
	{ "bsopts", 'S', ARG_TEXT, "options", .help = "options of that kind of store" },
	{ "bsoflags", 'f', ARG_TEXT, "flags", .help = "sync, direct, or sync:direct" },
	{ "blocksize", 'y', ARG_NUMBER, "bytes", UINT32_MAX, "logical block size" },
	{ "targetname", 'T', ARG_TEXT, "name", .help = "name of a new target" },
	{ "initiator-address", 'I', ARG_TEXT, "address",
	  .help = "ALL, an IPv4 or IPv6 address, or a network (CIDR)" },
	{ "initiator-name", 'Q', ARG_TEXT, "name", .help = "iSCSI name of an initiator" },
	{ "user", 'u', ARG_TEXT, "name", .help = "CHAP account" },
	{ "password", 'p', ARG_TEXT, "secret", .help = "its secret" },
	{ "host", 'H', ARG_NUMBER, "number", INT_MAX, "for in-kernel drivers, which are no more" },
	{ "bus", 'B', ARG_TEXT, "bus", .help = "likewise" },
	{ "force", 'F', ARG_NONE, .help = "delete what is in use" },
	{ "outgoing", 'O', ARG_NONE, .help = "the account by which the target proves itself" },
	{ "params", 'P', ARG_TEXT, "name=value,...", .help = "parameters of a logical unit, portal or target port group" },
	{ "device-type", 'Y', ARG_TYPE, "type", .help = "kind of logical unit; disk is the default" },
	{ "control-port", 'C', ARG_NUMBER, "port", INT_MAX,
	  "which tgtd: the number it was started with, default 0" },
	{ "with-secrets", OPTION_SECRETS, ARG_NONE, .help = "save passwords, too" },
	{ "file", OPTION_FILE, ARG_TEXT, "path", .help = "what to restore; default: standard input" },
	{ "dry-run", OPTION_DRY_RUN, ARG_NONE,
	  .help = "print what would change, and change nothing" },
	{ "json", OPTION_JSON, ARG_NONE, .help = "print what tgtd answers, as JSON" },
	{ "debug", 'd', ARG_NONE, .help = "print the request and the answer" },
	{ "help", 'h', ARG_NONE, .help = "print this and exit" },
	{ "version", 'V', ARG_NONE, .help = "print the version and exit" },
	{ NULL }
};

static const struct {
	const char *name, *alias;
} modes[] = {
	[MODE_SYSTEM] = { "system", "sys" },
	[MODE_TARGET] = { "target", "tgt" },
	[MODE_LUN] = { "logicalunit", "lu" },
	[MODE_PORTAL] = { "portal", "pt" },
	[MODE_SESSION] = { "session", "sess" },
	[MODE_CONNECTION] = { "connection", "conn" },
	[MODE_ACCOUNT] = { "account", NULL },
	[MODE_LLD] = { "lld", NULL },
	[MODE_TPG] = { "tpg", NULL },
};

static const char *const ops[] = {
	[OP_NEW] = "new",	[OP_DELETE] = "delete", [OP_SHOW] = "show",
	[OP_BIND] = "bind",	[OP_UNBIND] = "unbind", [OP_UPDATE] = "update",
	[OP_STAT] = "stat",	[OP_START] = "start",	[OP_STOP] = "stop",
	[OP_SAVE] = "save",	[OP_RESTORE] = "restore",
};

static const char *const types[] = { "disk", "tape", "ssc", "cd", "changer", "osd", "pt" };

const char *tgtadm_options_mode_name(enum tgtadm_mode mode)
{
	return modes[mode].name;
}

const char *tgtadm_options_op_name(enum tgtadm_op op)
{
	return ops[op];
}

static const struct tgtadm_option *find(int letter)
{
	const struct tgtadm_option *row = tgtadm_options_table;

	while (row->name && row->letter != letter)
		row++;
	return row->name ? row : NULL;
}

const char *tgtadm_options_long_name(char letter)
{
	return find(letter)->name;
}

static int try_help(void)
{
	fprintf(stderr, "Try `tgtadm --help' for more information.\n");
	return EINVAL;
}

static void print_help(void)
{
	const struct tgtadm_option *row;

	printf("tgtadm " TGT_VERSION " - administer a running tgtd\n\n"
	       "Usage: tgtadm --mode MODE --op OPERATION [OPTION]...\n\n");
	for (row = tgtadm_options_table; row->name; row++)
		option_print_help(row->letter, row->name, row->arg_name, row->help);
	printf("\nExamples:\n"
	       "  tgtadm --mode target --op new --tid 1 --targetname iqn.2001-04.org.example:disk\n"
	       "  tgtadm --mode logicalunit --op new --tid 1 --lun 1 --backing-store /srv/disk.img\n"
	       "  tgtadm --mode target --op bind --tid 1 --initiator-address ALL\n"
	       "  tgtadm --mode target --op show\n"
	       "\ntgtadm(8) tells which options go with which mode and operation.\n");
}

static int parse_mode(const char *word, int *ret)
{
	for (int i = 0; i < MODE_NR; i++)
		if (!strcmp(modes[i].name, word) ||
		    (modes[i].alias && !strcmp(modes[i].alias, word))) {
			*ret = i;
			return -1;
		}
	fprintf(stderr, "tgtadm: unknown mode: %s\n", word);
	return 1;
}

static int parse_op(const char *word, int *ret)
{
	for (int i = 0; i < OP_NR; i++)
		if (!strcmp(ops[i], word)) {
			*ret = i;
			return -1;
		}
	fprintf(stderr, "tgtadm: unknown operation: %s\n", word);
	return 1;
}

static int parse_type(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i], word))
			return -1;
	fprintf(stderr, "tgtadm: unknown target type: %s\n", word);
	return EINVAL;
}

static int parse_arg(const struct tgtadm_option *row, const char *arg,
		     struct tgtadm_options *o)
{
	const unsigned char i = (unsigned char)row->letter;

	if (!o->given[i])
		o->order[strlen(o->order)] = row->letter;
	o->given[i] = true;
	o->text[i] = arg;
	switch (row->arg) {
	case ARG_NUMBER:
		if (parse_u64(arg, 0, row->max, &o->number[i]) == 0)
			return -1;
		fprintf(stderr, "-%c argument value '%s' invalid\n", row->letter, arg);
		return try_help();
	case ARG_MODE:
		return parse_mode(arg, &o->mode);
	case ARG_OP:
		return parse_op(arg, &o->op);
	case ARG_TYPE:
		return parse_type(arg);
	case ARG_TEXT:
	case ARG_NONE:
		break;
	}
	if (row->letter == 'h') {
		print_help();
		return 0;
	}
	if (row->letter == 'V') {
		printf("%s\n", TGT_VERSION);
		return 0;
	}
	return -1;
}

/* The table in the two forms that getopt_long() wants. */
static void getopt_tables(char *letters, struct option *longs)
{
	const struct tgtadm_option *row;

	for (row = tgtadm_options_table; row->name; row++) {
		*longs++ = (struct option){ row->name,
					    row->arg == ARG_NONE ? no_argument :
								   required_argument,
					    NULL, row->letter };
		if (row->letter < ' ')
			continue;
		*letters++ = row->letter;
		if (row->arg != ARG_NONE)
			*letters++ = ':';
	}
	*longs = (struct option){ 0 };
	*letters = '\0';
}

int tgtadm_options_parse(int argc, char **argv, struct tgtadm_options *o)
{
	struct option longs[OPTIONS_MAX];
	char letters[2 * OPTIONS_MAX];
	int c, code;

	*o = (struct tgtadm_options){ .mode = -1, .op = -1 };
	getopt_tables(letters, longs);
	optind = 0;		/* begin anew, for a second call in a test */
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct tgtadm_option *row = find(c);

		code = row ? parse_arg(row, optarg, o) : try_help();
		if (code >= 0)
			return code;
	}
	if (optind < argc) {
		fprintf(stderr, "tgtadm: unrecognized option '%s'\n", argv[optind]);
		return try_help();
	}
	return -1;
}
