/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - command line, start and end.  See README.md. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/macros.h"
#include "base/parse.h"
#include "control.h"
#include "fault.h"
#include "gateway.h"
#include "inode.h"
#include "lock.h"
#include "loop.h"
#include "server.h"
#include "store.h"
#include "strict.h"
#include "vdi.h"

#define BROKEN_RULES 3 /* exit status */

enum {
	OPT_STORE = 1,
	OPT_LISTEN,
	OPT_CONTROL,
	OPT_BREACHES,
	OPT_FAULT,
	OPT_ALLOW,
	OPT_LOCKS,
	OPT_RECYCLE,
	OPT_LATE,
	OPT_COPIES,
	OPT_SHIFT,
	OPT_CTIME,
	OPT_REORDER,
	OPT_HELP
};

static const struct option options[] = {
	{ "store", required_argument, NULL, OPT_STORE },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "breaches", required_argument, NULL, OPT_BREACHES },
	{ "fault", required_argument, NULL, OPT_FAULT },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "locks", no_argument, NULL, OPT_LOCKS },
	{ "recycle", no_argument, NULL, OPT_RECYCLE },
	{ "late", required_argument, NULL, OPT_LATE },
	{ "copies", required_argument, NULL, OPT_COPIES },
	{ "shift", required_argument, NULL, OPT_SHIFT },
	{ "ctime", required_argument, NULL, OPT_CTIME },
	{ "reorder", required_argument, NULL, OPT_REORDER },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static const char usage[] =
	"sheep --store DIR --listen ADDRESS[,node=N][,lax]... [OPTION...]\n"
	"  --listen    unix:PATH or tcp:HOST:PORT; lax: no rules are checked there\n"
	"  --control   socket for commands\n"
	"  --breaches  file for rules that were broken (DIR/breaches)\n"
	"  --fault     'OP [WHICH...] ACTION': what goes wrong, and when\n"
	"  --allow     a rule that may be broken\n"
	"  --locks     a cluster formatted with -l\n"
	"  --recycle   ... with -R: objects are removed before the answer\n"
	"  --late      otherwise: milliseconds after their last slot was changed (20)\n"
	"  --copies    of new VDIs (1)\n"
	"  --shift     of their objects' size (22)\n"
	"  --ctime     hexadecimal: the time that new inodes get\n"
	"  --reorder   a number: requests run and are answered in an order that\n"
	"              depends on it\n";

static struct {
	const char *store, *control, *breaches;
	struct vdi_defaults vdi;
	uint64_t reorder;
	uint64_t late_ms;
	bool locks;
} opts = { .late_ms = 20, .vdi = { .copies = 1, .block_size_shift = 22 } };

static bool quits;

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (!parse_u64(text, min, max, ret))
		return true;
	fprintf(stderr,
		"sheep: '%s' is not a number from %" PRIu64 " to %" PRIu64 "\n",
		text, min, max);
	return false;
}

static bool rule_taken(const char *rule)
{
	const char *wrong = fault_add(rule);

	if (wrong)
		fprintf(stderr, "sheep: --fault '%s': %s\n", rule, wrong);
	return !wrong;
}

static bool rule_allowed(const char *rule)
{
	if (strict_allow(rule))
		return true;
	fprintf(stderr, "sheep: --allow '%s': there is no such rule\n", rule);
	return false;
}

/* Those for which other parts have to be there first are left for later. */
static bool take_option(int c)
{
	uint64_t n = 0;

	switch (c) {
	case OPT_STORE:
		opts.store = optarg;
		return true;
	case OPT_CONTROL:
		opts.control = optarg;
		return true;
	case OPT_BREACHES:
		opts.breaches = optarg;
		return true;
	case OPT_LISTEN:
		return true;
	case OPT_FAULT:
		return rule_taken(optarg);
	case OPT_ALLOW:
		return rule_allowed(optarg);
	case OPT_LOCKS:
		return opts.locks = true;
	case OPT_RECYCLE:
		opts.late_ms = 0;
		return true;
	case OPT_LATE:
		return number(optarg, 1, 3600000, &opts.late_ms);
	case OPT_COPIES:
		if (!number(optarg, 1, 31, &n))
			return false;
		opts.vdi.copies = (uint8_t)n;
		return true;
	case OPT_SHIFT:
		if (!number(optarg, 9, 31, &n))
			return false;
		opts.vdi.block_size_shift = (uint8_t)n;
		return true;
	case OPT_CTIME:
		return number(optarg, 1, UINT64_MAX, &opts.vdi.ctime);
	case OPT_REORDER:
		return number(optarg, 1, UINT64_MAX, &opts.reorder);
	default:
		return false;
	}
}

static bool listen_all(int argc, char **argv)
{
	const struct gateway *g;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (c == OPT_LISTEN && !gateway_new(optarg))
			return false;
	list_for_each(g, &gateways, list)
		printf("listening %s\n", g->address);
	return true;
}

static bool in_store(const char *name, char **ret)
{
	return asprintf(ret, "%s/%s", opts.store, name) != -1;
}

static int fails(const char *what, int err)
{
	fprintf(stderr, "sheep: %s: %s\n", what, strerror(-err));
	return 1;
}

static void quit(struct source *s, uint32_t events)
{
	(void)s;
	(void)events;
	quits = true;
}

static int start(char **ret_locks)
{
	char *objects, *breaches;
	int err;

	assert(opts.store);
	if (!in_store("obj", &objects) || !in_store("locks", ret_locks) ||
	    !in_store("breaches", &breaches))
		return fails("start", -ENOMEM);
	if (mkdir(opts.store, 0755) == -1 && errno != EEXIST)
		return fails(opts.store, -errno);
	err = store_open(objects);
	free(objects);
	if (err)
		return fails(opts.store, err);
	if (!strict_init(opts.breaches ? opts.breaches : breaches))
		return fails("file of breaches", -errno);
	free(breaches);
	if (store_was_used())
		strict_excuse();
	vdi_init(&opts.vdi);
	inode_init(opts.late_ms * NS_PER_MS);
	err = lock_open(*ret_locks, opts.locks);
	if (err)
		return fails("locks", err);
	server_init(opts.reorder);
	err = opts.control ? control_open(opts.control) : 0;
	return err ? fails(opts.control, err) : 0;
}

static void serve(void)
{
	uint64_t due = UINT64_MAX, removal;

	while (!quits) {
		loop_turn(due);
		due = server_turn();
		removal = inode_remove_due(clock_now_ns());
		due = MIN(due, removal);
	}
}

int main(int argc, char **argv)
{
	struct source ending = { .ready = quit };
	char *locks = NULL;
	sigset_t signals;
	int c, err, fd;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take_option(c)) {
			fputs(c == OPT_HELP ? usage : "", stdout);
			return c != OPT_HELP;
		}
	if (!opts.store || optind != argc) {
		fputs(usage, stderr);
		return 1;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	err = loop_init();
	if (fd == -1 || err || loop_add(fd, &ending))
		return fails("event loop", err);
	if (start(&locks) || !listen_all(argc, argv))
		return 1;
	puts("ready");
	fflush(stdout);
	serve();
	server_fini();
	control_close();
	close(fd);
	free(locks);
	return strict_nr_breaches() ? BROKEN_RULES : 0;
}
