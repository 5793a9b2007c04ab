/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/options.h - the command line of the daemon: one table. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "reactor/reactor.h"

#define TGTD_PORTALS_MAX	64

enum tgtd_arg { TGTD_NONE, TGTD_NUMBER, TGTD_SIZE, TGTD_TEXT };

struct tgtd_options {
	bool foreground;		/* log to stderr */
	bool nodaemonize;		/* stay, but log to syslog */
	bool debug;
	unsigned int control_port;
	unsigned int worker_threads;
	unsigned int reactors;
	unsigned int nr_cpus;		/* 0: reactors run anywhere; else as many as they */
	int cpus[REACTORS_MAX];
	uint64_t memory_bytes;		/* of all data buffers */
	bool huge_pages;
	uint64_t poll_us;
	const char *pid_file;		/* NULL: none */
	const char *state_dir;		/* NULL: the default */
	const char *config;		/* file; NULL: begin empty */
	gid_t mgmt_group;		/* MGMT_NO_GROUP: none */
	unsigned int nr_portals;
	struct tgtd_portal {
		const char *text;
		uint16_t tpgt;		/* 0: not given */
	} portals[TGTD_PORTALS_MAX];
	uint32_t nop_interval_s, nop_count;
};

struct tgtd_option {
	const char *name;		/* NULL ends the table */
	int letter;			/* above 255: has none */
	enum tgtd_arg arg;
	const char *arg_name;
	uint64_t min, max;		/* NUMBER, SIZE */
	const char *help;
	/* -1 to go on, or the exit code after a message. */
	int (*set)(struct tgtd_options *o, uint64_t number, char *text);
};

extern const struct tgtd_option tgtd_options_table[];

/* -1 to go on, or the exit code after a message. */
int tgtd_options_parse(int argc, char **argv, struct tgtd_options *o);
