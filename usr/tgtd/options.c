/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtd/options.c - getopt_long() driven by the table.  Texts and exit codes are
 * tgt's: 1 for an unknown option, 22 (EINVAL) for a bad value.
 */
#include "tgtd/options.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/macros.h"
#include "base/option.h"
#include "base/parse.h"
#include "mgmt/server.h"
#include "reactor/reactor.h"

#define OPTIONS_MAX		24
#define WORKERS_DEFAULT		16
#define MEMORY_DEFAULT		(1ULL << 30)
#define MEMORY_MIN		(64ULL << 20)

/* Options without a letter. */
enum { OPT_REACTORS = 256, OPT_CPUS, OPT_POLL_US, OPT_HUGE_PAGES, OPT_MGMT_GROUP,
       OPT_MEMORY, OPT_STATE_DIR, OPT_CONFIG, OPT_ISCSI, OPT_ISER };

static int set_foreground(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)number, (void)text;
	o->foreground = true;
	return -1;
}

static int set_nodaemonize(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)number, (void)text;
	o->nodaemonize = true;
	return -1;
}

static int set_control_port(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)text;
	o->control_port = (unsigned int)number;
	return -1;
}

static int set_workers(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)text;
	o->worker_threads = (unsigned int)number;
	return -1;
}

static int set_reactors(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)text;
	o->reactors = (unsigned int)number;
	return -1;
}

static int set_memory(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)text;
	o->memory_bytes = number;
	return -1;
}

static int set_cpus(struct tgtd_options *o, uint64_t number, char *text)
{
	const int n = parse_cpu_list(text, o->cpus, REACTORS_MAX);

	(void)number;
	if (n < 0) {
		fprintf(stderr, "tgtd: --reactor-cpus %s: must be CPU numbers such as 0,2-5, "
			"%d at most\n", text, REACTORS_MAX);
		return EINVAL;
	}
	o->nr_cpus = (unsigned int)n;
	return -1;
}

static int set_poll_us(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)text;
	o->poll_us = number;
	return -1;
}

static int set_huge_pages(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)number, (void)text;
	o->huge_pages = true;
	return -1;
}

static int set_pid_file(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)number;
	o->pid_file = text;
	return -1;
}

static int set_state_dir(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)number;
	o->state_dir = text;
	return -1;
}

static int set_config(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)number;
	o->config = text;
	return -1;
}

static int set_debug(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)text;
	o->debug = number != 0;
	return -1;
}

static int set_group(struct tgtd_options *o, uint64_t number, char *text)
{
	const struct group *g = getgrnam(text);

	if (g) {
		o->mgmt_group = g->gr_gid;
		return -1;
	}
	if (parse_u64(text, 0, UINT32_MAX - 1, &number) == 0) {
		o->mgmt_group = (gid_t)number;
		return -1;
	}
	fprintf(stderr, "tgtd: there is no group '%s'\n", text);
	return EINVAL;
}

/* "portal=[addr][:port],tpgt=N,nop_interval=N,nop_count=N", each any number of
 * times; a tpgt is that of the portal before it. */
static int set_iscsi(struct tgtd_options *o, uint64_t number, char *text)
{
	char *key, *value;

	while (parse_next_pair(&text, ',', &key, &value)) {
		int err = -EINVAL;

		if (!strcmp(key, "portal") && value) {
			if (o->nr_portals == TGTD_PORTALS_MAX) {
				fprintf(stderr, "tgtd: more than %d portals\n",
					TGTD_PORTALS_MAX);
				return EINVAL;
			}
			o->portals[o->nr_portals++].text = value;
			err = 0;
		} else if (!strcmp(key, "tpgt") && value && o->nr_portals) {
			err = parse_u64(value, 1, UINT16_MAX, &number);
			o->portals[o->nr_portals - 1].tpgt = (uint16_t)number;
		} else if (!strcmp(key, "nop_interval") && value) {
			err = parse_u64(value, 0, 86400, &number);
			o->nop_interval_s = (uint32_t)number;
		} else if (!strcmp(key, "nop_count") && value) {
			err = parse_u64(value, 0, 1000, &number);
			o->nop_count = (uint32_t)number;
		}
		if (err) {
			fprintf(stderr,
				"tgtd: --iscsi %s%s%s: must be portal=[address][:port], "
				"tpgt=1 to 65535 after a portal, "
				"nop_interval=0 to 86400, or nop_count=0 to 1000\n",
				key, value ? "=" : "", value ? value : "");
			return EINVAL;
		}
	}
	return -1;
}

static int refuse_iser(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)o, (void)number, (void)text;
	fprintf(stderr, "tgtd: --iser: this tgtd has no iSER transport\n");
	return EINVAL;
}

static int print_version(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)o, (void)number, (void)text;
	printf("%s\n", TGT_VERSION);
	return 0;
}

static int print_help(struct tgtd_options *o, uint64_t number, char *text);

const struct tgtd_option tgtd_options_table[] = {
	{ "foreground", 'f', TGTD_NONE, .set = set_foreground,
	  .help = "stay in the foreground, log to stderr" },
	{ "nodaemonize", 'D', TGTD_NONE, .set = set_nodaemonize,
	  .help = "stay in the foreground, log to syslog" },
	{ "control-port", 'C', TGTD_NUMBER, "number", 0, INT_MAX,
	  "suffix of the management socket; default 0", set_control_port },
	{ "reactors", OPT_REACTORS, TGTD_NUMBER, "number", 1, REACTORS_MAX,
	  "threads that serve connections; default: one per CPU", set_reactors },
	{ "reactor-cpus", OPT_CPUS, TGTD_TEXT, "list",
	  .help = "a reactor on each of these CPUs, such as 0,2-5, and on no other",
	  .set = set_cpus },
	{ "poll-us", OPT_POLL_US, TGTD_NUMBER, "number", 0, 1000000,
	  "microseconds that an idle reactor polls before it sleeps; default: as pays",
	  set_poll_us },
	{ "nr_iothreads", 't', TGTD_NUMBER, "number", 1, 256,
	  "threads for calls that block, of all logical units together; default 16",
	  set_workers },
	{ "memory", OPT_MEMORY, TGTD_SIZE, "size", MEMORY_MIN, 1ULL << 50,
	  "for data of commands, suffix k, M, G; default 1G", set_memory },
	{ "huge-pages", OPT_HUGE_PAGES, TGTD_NONE, .set = set_huge_pages,
	  .help = "ask for transparent huge pages for it" },
	{ "mgmt-group", OPT_MGMT_GROUP, TGTD_TEXT, "group",
	  .help = "its members may use tgtadm", .set = set_group },
	{ "pid-file", 'p', TGTD_TEXT, "path",
	  .help = "write the process id there; removed at the end", .set = set_pid_file },
	{ "state-dir", OPT_STATE_DIR, TGTD_TEXT, "path",
	  .help = "what must survive a restart; default /var/lib/tgtd", .set = set_state_dir },
	{ "config", OPT_CONFIG, TGTD_TEXT, "path",
	  .help = "be as this file says, which tgtadm --op save wrote, before listening",
	  .set = set_config },
	{ "debug", 'd', TGTD_NUMBER, "level", 0, INT_MAX, "0: off; else debug messages",
	  set_debug },
	{ "iscsi", OPT_ISCSI, TGTD_TEXT, "key=value,...",
	  .help = "portal=[address][:port], tpgt=number of its portal group, "
		  "nop_interval=seconds, nop_count=number",
	  .set = set_iscsi },
	{ "iser", OPT_ISER, TGTD_TEXT, "key=value,...", .help = "refused: there is no iSER",
	  .set = refuse_iser },
	{ "version", 'V', TGTD_NONE, .set = print_version,
	  .help = "print the version and exit" },
	{ "help", 'h', TGTD_NONE, .set = print_help, .help = "print this and exit" },
	{ NULL }
};

static int print_help(struct tgtd_options *o, uint64_t number, char *text)
{
	(void)o, (void)number, (void)text;
	printf("tgtd " TGT_VERSION " - iSCSI target daemon\n\nUsage: tgtd [OPTION]...\n\n");
	for (const struct tgtd_option *row = tgtd_options_table; row->name; row++)
		option_print_help(row->letter, row->name, row->arg_name, row->help);
	return 0;
}

static int try_help(int code)
{
	fprintf(stderr, "Try `tgtd --help' for more information.\n");
	return code;
}

static int bad_value(const struct tgtd_option *row, const char *text)
{
	if (row->letter < 256)
		fprintf(stderr, "-%c argument value '%s' invalid\n", row->letter, text);
	else
		fprintf(stderr, "--%s argument value '%s' invalid\n", row->name, text);
	return try_help(EINVAL);
}

static int set(const struct tgtd_option *row, struct tgtd_options *o, char *text)
{
	uint64_t number = 0;

	if (row->arg == TGTD_NUMBER && parse_u64(text, row->min, row->max, &number) < 0)
		return bad_value(row, text);
	if (row->arg == TGTD_SIZE && (parse_size(text, &number) < 0 ||
				      number < row->min || number > row->max))
		return bad_value(row, text);
	return row->set(o, number, text);
}

static void getopt_tables(char *letters, struct option *longs)
{
	for (const struct tgtd_option *row = tgtd_options_table; row->name; row++) {
		*longs++ = (struct option){ row->name,
					    row->arg == TGTD_NONE ? no_argument :
								    required_argument,
					    NULL, row->letter };
		if (row->letter > 255)
			continue;
		*letters++ = (char)row->letter;
		if (row->arg != TGTD_NONE)
			*letters++ = ':';
	}
	*longs = (struct option){ 0 };
	*letters = '\0';
}

/* What getopt_long() did not like.  For an option that it knows, optopt tells
 * which; for an unknown long one it is 0. */
static int unknown(char **argv)
{
	const char *word = argv[optind - 1];

	for (const struct tgtd_option *row = tgtd_options_table; row->name; row++) {
		if (row->letter != optopt)
			continue;
		fprintf(stderr, "tgtd: option '--%s' %s argument\n", row->name,
			row->arg == TGTD_NONE ? "takes no" : "requires an");
		return try_help(1);
	}
	if (optopt)
		fprintf(stderr, "'%c' is an unknown option\n", optopt);
	else
		fprintf(stderr, "'%s' is an unknown option\n", word + strspn(word, "-"));
	return try_help(1);
}

static const struct tgtd_option *find(int letter)
{
	const struct tgtd_option *row = tgtd_options_table;

	while (row->name && row->letter != letter)
		row++;
	return row->name ? row : NULL;
}

/* As many as CPUs: those that were named, or all. */
static int settle_reactors(struct tgtd_options *o)
{
	const long all = sysconf(_SC_NPROCESSORS_ONLN);

	if (o->nr_cpus && o->reactors && o->reactors != o->nr_cpus) {
		fprintf(stderr, "tgtd: --reactors %u, but --reactor-cpus names %u CPUs\n",
			o->reactors, o->nr_cpus);
		return EINVAL;
	}
	if (!o->reactors)
		o->reactors = o->nr_cpus ? o->nr_cpus :
			      (unsigned int)MIN(MAX(all, 1L), (long)REACTORS_MAX);
	return -1;
}

int tgtd_options_parse(int argc, char **argv, struct tgtd_options *o)
{
	struct option longs[OPTIONS_MAX];
	char letters[2 * OPTIONS_MAX];
	int c, code;

	*o = (struct tgtd_options){
		.worker_threads = WORKERS_DEFAULT,
		.memory_bytes = MEMORY_DEFAULT,
		.mgmt_group = MGMT_NO_GROUP,
	};
	getopt_tables(letters, longs);
	optind = 0;		/* begin anew, for a second call in a test */
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct tgtd_option *row = find(c);

		code = row ? set(row, o, optarg) : unknown(argv);
		if (code >= 0)
			return code;
	}
	if (optind < argc) {
		fprintf(stderr, "'%s' is an unknown option\n", argv[optind]);
		return try_help(1);
	}
	return settle_reactors(o);
}
