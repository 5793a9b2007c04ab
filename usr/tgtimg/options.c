/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtimg/options.c - getopt_long() driven by the table.  The options that tgt's
 * tgtimg has mean what they mean there, a --size without suffix is in MiB for one;
 * whatever is wrong with a command line is exit 22 (EINVAL).
 */
#include "tgtimg/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/option.h"
#include "base/parse.h"

#define OPTIONS_MAX	24
#define MIB		(1ULL << 20)

enum { OPT_TO = 256, OPT_BACKING_STORE, OPT_BSTYPE, OPT_BSOPTS, OPT_FORCE, OPT_JSON };

/* What the operations need and take beside --file. */
static const struct {
	const char *name;
	bool size, grows, to, thin, force;
} ops[] = {
	[TGTIMG_NEW] = { "new", .size = true, .thin = true },
	[TGTIMG_SHOW] = { "show" },
	[TGTIMG_DELETE] = { "delete", .force = true },
	[TGTIMG_RESIZE] = { "resize", .size = true, .grows = true, .thin = true, .force = true },
	[TGTIMG_SNAPSHOT] = { "snapshot", .to = true },
	[TGTIMG_CLONE] = { "clone", .to = true, .force = true },
	[TGTIMG_LIST] = { "list" },
};
static_assert(ARRAY_SIZE(ops) == TGTIMG_NR_OPS, "a row for each");

static int set_op(struct tgtimg_options *o, const char *text)
{
	for (int i = 0; i < TGTIMG_NR_OPS; i++)
		if (!strcmp(ops[i].name, text)) {
			o->op = i;
			return -1;
		}
	fprintf(stderr, "tgtimg: unknown operation: %s\n", text);
	return EINVAL;
}

static int set_file(struct tgtimg_options *o, const char *text)
{
	o->file = text;
	return -1;
}

static int set_to(struct tgtimg_options *o, const char *text)
{
	o->to = text;
	return -1;
}

/* "100" is MiB, as it was in tgt; "+1G" is on top of what there is. */
static int set_size(struct tgtimg_options *o, const char *text)
{
	const char *digits = text + (*text == '+');
	const bool plain = digits[strspn(digits, "0123456789")] == '\0';
	uint64_t n;

	if (*digits == '+' || parse_size(digits, &n) < 0 || n == 0 ||
	    (plain && n > INT64_MAX / MIB) || (!plain && n > INT64_MAX)) {
		fprintf(stderr,
			"tgtimg: --size %s: must be a number of MiB, or one with suffix "
			"k, M, G, T or P; with + before it, by how much a volume grows\n",
			text);
		return EINVAL;
	}
	o->size_bytes = plain ? n * MIB : n;
	o->grow = *text == '+';
	return -1;
}

static int set_thin(struct tgtimg_options *o, const char *text)
{
	(void)text;
	o->thin = true;
	return -1;
}

static int set_bstype(struct tgtimg_options *o, const char *text)
{
	o->bstype = text;
	return -1;
}

static int set_bsopts(struct tgtimg_options *o, const char *text)
{
	o->bsopts = text;
	return -1;
}

static int set_force(struct tgtimg_options *o, const char *text)
{
	(void)text;
	o->force = true;
	return -1;
}

static int set_json(struct tgtimg_options *o, const char *text)
{
	(void)text;
	o->json = true;
	return -1;
}

static int set_device_type(struct tgtimg_options *o, const char *text)
{
	(void)o;
	if (!strcmp(text, "disk"))
		return -1;
	fprintf(stderr, "tgtimg: --device-type %s: this tgt makes images of disks only\n", text);
	return EINVAL;
}

static int set_type(struct tgtimg_options *o, const char *text)
{
	(void)o;
	if (!strcmp(text, "disk"))
		return -1;
	fprintf(stderr, "tgtimg: --type %s: this tgt makes media of type disk only\n", text);
	return EINVAL;
}

static int refuse_barcode(struct tgtimg_options *o, const char *text)
{
	(void)o, (void)text;
	fprintf(stderr, "tgtimg: --barcode is for tapes, and this tgt makes images of disks only\n");
	return EINVAL;
}

static int print_version(struct tgtimg_options *o, const char *text)
{
	(void)o, (void)text;
	printf("%s\n", TGT_VERSION);
	return 0;
}

static int print_help(struct tgtimg_options *o, const char *text);

const struct tgtimg_option tgtimg_options_table[] = {
	{ "op", 'o', "operation", "new, show, delete, resize, snapshot, clone, list",
	  set_op },
	{ "file", 'f', "path", "the volume; for list, what holds them", set_file },
	{ "backing-store", OPT_BACKING_STORE, "path", "the same as --file", set_file },
	{ "size", 's', "size", "in MiB, or with suffix k, M, G, T; resize: also +size", set_size },
	{ "thin-provisioning", 'T', NULL, "take space only as it is written", set_thin },
	{ "to", OPT_TO, "name", "the copy that clone makes; the name of a snapshot", set_to },
	{ "bstype", OPT_BSTYPE, "type", "kind of backing store; rdwr (files) is the default",
	  set_bstype },
	{ "bsopts", OPT_BSOPTS, "options", "options of that kind of store", set_bsopts },
	{ "force", OPT_FORCE, NULL, "though it is in use, or becomes smaller", set_force },
	{ "json", OPT_JSON, NULL, "show and list: print JSON", set_json },
	{ "device-type", 'Y', "type", "disk", set_device_type },
	{ "type", 't', "type", "of the medium: disk", set_type },
	{ "barcode", 'b', "code", "refused: there are no tapes", refuse_barcode },
	{ "help", 'h', NULL, "print this and exit", print_help },
	{ "version", 'V', NULL, "print the version and exit", print_version },
	{ NULL }
};

static int print_help(struct tgtimg_options *o, const char *text)
{
	(void)o, (void)text;
	printf("tgtimg " TGT_VERSION " - make, copy and resize the volumes behind logical units\n\n"
	       "Usage: tgtimg --op OPERATION --file PATH [OPTION]...\n\n");
	for (const struct tgtimg_option *row = tgtimg_options_table; row->name; row++)
		option_print_help(row->letter, row->name, row->arg_name, row->help);
	printf("\nExamples:\n"
	       "  tgtimg --op new --file /srv/disk.img --size 20G --thin-provisioning\n"
	       "  tgtimg --op resize --file /srv/disk.img --size +10G --thin-provisioning\n"
	       "  tgtimg --op clone --file /srv/disk.img --to /srv/copy.img\n"
	       "  tgtimg --op list --file /srv\n"
	       "  tgtimg --op snapshot --bstype rbd --file rbd/image --to before-upgrade\n");
	return 0;
}

static int try_help(void)
{
	fprintf(stderr, "Try `tgtimg --help' for more information.\n");
	return EINVAL;
}

static void getopt_tables(char *letters, struct option *longs)
{
	for (const struct tgtimg_option *row = tgtimg_options_table; row->name; row++) {
		*longs++ = (struct option){ row->name,
					    row->arg_name ? required_argument : no_argument,
					    NULL, row->letter };
		if (row->letter > 255)
			continue;
		*letters++ = (char)row->letter;
		if (row->arg_name)
			*letters++ = ':';
	}
	*longs = (struct option){ 0 };
	*letters = '\0';
}

static const struct tgtimg_option *find(int letter)
{
	const struct tgtimg_option *row = tgtimg_options_table;

	while (row->name && row->letter != letter)
		row++;
	return row->name ? row : NULL;
}

/* The option has no effect with this operation: somebody means something else. */
static int refuse(const struct tgtimg_options *o, const char *option)
{
	fprintf(stderr, "tgtimg: --op %s does not take %s\n", ops[o->op].name, option);
	return EINVAL;
}

static int require(const struct tgtimg_options *o, const char *option)
{
	fprintf(stderr, "tgtimg: --op %s needs %s\n", ops[o->op].name, option);
	return EINVAL;
}

static int check(const struct tgtimg_options *o)
{
	if (o->op < 0) {
		fprintf(stderr, "tgtimg: specify the operation: --op new, show, delete, "
				"resize, snapshot, clone or list\n");
		return EINVAL;
	}
	if (!o->file)
		return require(o, "--file");
	if (ops[o->op].size && !o->size_bytes)
		return require(o, "--size");
	if (!ops[o->op].size && o->size_bytes)
		return refuse(o, "--size");
	if (o->grow && !ops[o->op].grows)
		return refuse(o, "a --size with +");
	if (ops[o->op].to && !o->to)
		return require(o, "--to");
	if (!ops[o->op].to && o->to)
		return refuse(o, "--to");
	if (!ops[o->op].thin && o->thin)
		return refuse(o, "--thin-provisioning");
	if (!ops[o->op].force && o->force)
		return refuse(o, "--force");
	return -1;
}

int tgtimg_options_parse(int argc, char **argv, struct tgtimg_options *o)
{
	struct option longs[OPTIONS_MAX];
	char letters[2 * OPTIONS_MAX];
	int c, code;

	*o = (struct tgtimg_options){ .op = -1, .bstype = "rdwr" };
	getopt_tables(letters, longs);
	optind = 0;		/* begin anew, for a second call in a test */
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct tgtimg_option *row = find(c);

		code = row ? row->set(o, optarg) : try_help();
		if (code >= 0)
			return code;
	}
	if (optind < argc) {
		fprintf(stderr, "tgtimg: unrecognized option '%s'\n", argv[optind]);
		return try_help();
	}
	return check(o);
}
