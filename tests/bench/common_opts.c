/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_opts.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_floor.h"
#include "common_util.h"
#include "common_workload.h"

enum kind { TEXT, NUMBER, SIZE, SECONDS, FLAG };

#define AT(field) offsetof(struct bench_opts, field)

static const struct row {
	const char *name;
	enum kind kind;
	size_t at;
	uint64_t min, max; /* NUMBER, SIZE */
	const char *help;
} rows[] = {
	{ "portal", TEXT, AT(portal), 0, 0, "ADDRESS:PORT of the target" },
	{ "target", TEXT, AT(target), 0, 0,
	  "target name; %d in it: see --targets" },
	{ "targets", NUMBER, AT(nr_targets), 1, 1000000,
	  "spread connections over targets 1 to N, %d being the number" },
	{ "lun", NUMBER, AT(lun), 0, 16383, "LUN (1)" },
	{ "luns", NUMBER, AT(nr_luns), 1, 16384,
	  "spread connections over N LUNs from --lun" },
	{ "each-lun", FLAG, AT(each_lun), 0, 0,
	  "each connection asks all of those LUNs in turn" },
	{ "initiator", TEXT, AT(initiator), 0, 0, "initiator name" },
	{ "conns", NUMBER, AT(nr_conns), 1, 65535,
	  "connections, one session each (1)" },
	{ "depth", NUMBER, AT(depth), 1, 65535,
	  "commands in flight per connection (32)" },
	{ "block", SIZE, AT(block_bytes), 512, 1 << 24,
	  "bytes per command (4k)" },
	{ "read", NUMBER, AT(read_percent), 0, 100,
	  "percentage of reads (100)" },
	{ "seq", FLAG, AT(sequential), 0, 0, "sequential (random)" },
	{ "offset", SIZE, AT(offset_bytes), 0, INT64_MAX,
	  "where the region starts (0)" },
	{ "region", SIZE, AT(region_bytes), 0, INT64_MAX,
	  "its size (0: to the end)" },
	{ "time", SECONDS, AT(time_s), 0, 0, "seconds that are measured (5)" },
	{ "warmup", SECONDS, AT(warmup_s), 0, 0, "seconds before that (0.5)" },
	{ "poll", FLAG, AT(poll), 0, 0, "never sleep" },
	{ "verify", FLAG, AT(verify), 0, 0,
	  "fill the region, run the mix checking each read, read all back" },
	{ "fill-only", FLAG, AT(fill_only), 0, 0,
	  "with --verify: fill and read back, no more" },
	{ "filled", FLAG, AT(filled), 0, 0,
	  "with --verify: the region still is as --fill-only left it" },
	{ "seed", NUMBER, AT(seed), 0, UINT32_MAX,
	  "of addresses and data (1)" },
	{ "pid", TEXT, AT(pid), 0, 0,
	  "the target's process(es), N[,N...]: report their CPU" },
	{ "floor", FLAG, AT(floor), 0, 0,
	  "speak to the floor server instead (4k)" },
	{ "idle", NUMBER, AT(idle), 1, 65535,
	  "open N sessions, report the growth of --pid, close them" },
	{ "no-immediate", FLAG, AT(no_immediate), 0, 0,
	  "offer ImmediateData=No" },
	{ "initial-r2t", FLAG, AT(initial_r2t), 0, 0, "offer InitialR2T=Yes" },
	{ "max-recv", SIZE, AT(max_recv_bytes), 512, 16777215,
	  "MaxRecvDataSegmentLength (256k)" },
	{ "first-burst", SIZE, AT(first_burst_bytes), 512, 16777215,
	  "FirstBurstLength (256k)" },
	{ "max-burst", SIZE, AT(max_burst_bytes), 512, 16777215,
	  "MaxBurstLength (1m)" },
	{ "max-r2t", NUMBER, AT(max_r2t), 1, 65535, "MaxOutstandingR2T (4)" },
	{ "header-digest", FLAG, AT(header_digest), 0, 0,
	  "HeaderDigest=CRC32C" },
	{ "data-digest", FLAG, AT(data_digest), 0, 0, "DataDigest=CRC32C" },
	{ "label", TEXT, AT(label), 0, 0, "a name for the output" },
	{ "json", FLAG, AT(json), 0, 0, "one line of JSON" },
};

static void help(void)
{
	static const char *const value[] = {
		[TEXT] = " TEXT",
		[NUMBER] = " N",
		[SIZE] = " BYTES[k|m|g]",
		[SECONDS] = " SECONDS",
		[FLAG] = "",
	};

	printf("iscsi_load: a lean iSCSI load generator\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		printf("  --%s%-*s %s\n", rows[i].name,
		       (int)(28 - strlen(rows[i].name)), value[rows[i].kind],
		       rows[i].help);
	printf("\nexit code: 0 done, 1 usage, 2 error or no answer, 3 wrong data\n");
}

static uint64_t number(const struct row *row, const char *arg)
{
	static const char suffixes[] = "kmg";
	const char *suffix;
	uint64_t v;
	char *end;

	errno = 0;
	v = strtoull(arg, &end, 0);
	if (row->kind == SIZE && *end &&
	    (suffix = strchr(suffixes, *end | 0x20))) {
		const int shift = 10 * (int)(suffix - suffixes + 1);

		if (v > UINT64_MAX >> shift)
			errno = ERANGE;
		v <<= shift;
		end++;
	}
	if (errno || end == arg || *end || *arg == '-' || v < row->min ||
	    v > row->max)
		bench_util_die(BENCH_USAGE,
			       "--%s '%s': expected %" PRIu64 " to %" PRIu64,
			       row->name, arg, row->min, row->max);
	return v;
}

static double seconds(const struct row *row, const char *arg)
{
	char *end;
	const double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= 0 && v <= 86400))
		bench_util_die(BENCH_USAGE, "--%s '%s': expected seconds",
			       row->name, arg);
	return v;
}

static void set(struct bench_opts *o, const struct row *row, const char *arg)
{
	void *field = (char *)o + row->at;

	switch (row->kind) {
	case TEXT:
		*(const char **)field = arg;
		break;
	case NUMBER:
	case SIZE:
		*(uint64_t *)field = number(row, arg);
		break;
	case SECONDS:
		*(double *)field = seconds(row, arg);
		break;
	case FLAG:
		*(bool *)field = true;
		break;
	}
}

static void check(const struct bench_opts *o)
{
	if (!o->portal)
		bench_util_die(BENCH_USAGE, "--portal is missing; see --help");
	if (!o->floor && !o->target)
		bench_util_die(BENCH_USAGE, "--target is missing; see --help");
	if (o->idle && !o->pid)
		bench_util_die(BENCH_USAGE,
			       "--idle measures a process: it needs --pid");
	if (o->block_bytes % BENCH_SECTOR || o->offset_bytes % BENCH_SECTOR)
		bench_util_die(BENCH_USAGE,
			       "--block and --offset: multiples of %u",
			       BENCH_SECTOR);
	if (o->floor &&
	    (o->verify || o->idle || o->each_lun || !o->region_bytes ||
	     o->block_bytes != BENCH_FLOOR_BYTES))
		bench_util_die(BENCH_USAGE,
			       "--floor does 4k in a given --region, no more");
	if (o->each_lun && o->verify)
		bench_util_die(BENCH_USAGE, "--each-lun cannot check data");
	if ((o->fill_only || o->filled) && !o->verify)
		bench_util_die(BENCH_USAGE,
			       "--fill-only and --filled belong to --verify");
	if (strpbrk(o->label, "\"\\\n"))
		bench_util_die(BENCH_USAGE, "--label: no quotes, please");
}

void bench_opts_parse(struct bench_opts *o, int argc, char **argv)
{
	struct option list[ARRAY_SIZE(rows) + 2] = { { 0 } };
	int c;

	*o = (struct bench_opts){
		.initiator = "iqn.2025-01.org.tgtd:iscsi-load",
		.label = "run",
		.nr_targets = 1,
		.lun = 1,
		.nr_luns = 1,
		.nr_conns = 1,
		.depth = 32,
		.block_bytes = 4096,
		.read_percent = 100,
		.seed = 1,
		.max_recv_bytes = 256 << 10,
		.first_burst_bytes = 256 << 10,
		.max_burst_bytes = 1 << 20,
		.max_r2t = 4,
		.time_s = 5,
		.warmup_s = 0.5,
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		list[i].name = rows[i].name;
		list[i].has_arg = rows[i].kind == FLAG ? no_argument :
							 required_argument;
		list[i].val = (int)i;
	}
	list[ARRAY_SIZE(rows)] =
		(struct option){ "help", no_argument, NULL, 'h' + 1000 };

	while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
		if (c == 'h' + 1000) {
			help();
			exit(BENCH_OK);
		}
		if (c < 0 || (size_t)c >= ARRAY_SIZE(rows) || c == '?')
			exit(BENCH_USAGE);
		set(o, &rows[c], optarg);
	}
	if (optind < argc)
		bench_util_die(BENCH_USAGE, "what is '%s'?", argv[optind]);
	check(o);
}

void bench_opts_target(const struct bench_opts *o, unsigned int index,
		       char *buf, size_t bytes)
{
	const char *mark = strstr(o->target, "%d");
	int n;

	if (mark)
		n = snprintf(buf, bytes, "%.*s%u%s", (int)(mark - o->target),
			     o->target,
			     (unsigned int)(index % o->nr_targets) + 1,
			     mark + 2);
	else
		n = snprintf(buf, bytes, "%s", o->target);
	if (n < 0 || (size_t)n >= bytes)
		bench_util_die(BENCH_USAGE, "--target is too long");
}

unsigned int bench_opts_lun(const struct bench_opts *o, unsigned int index)
{
	if (o->each_lun)
		return (unsigned int)o->lun;
	return (unsigned int)(o->lun + index / o->nr_targets % o->nr_luns);
}
