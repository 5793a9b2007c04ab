/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/options.h - the command line: one table of options. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum tgtadm_mode { MODE_SYSTEM, MODE_TARGET, MODE_LUN, MODE_PORTAL, MODE_SESSION,
		   MODE_CONNECTION, MODE_ACCOUNT, MODE_LLD, MODE_TPG, MODE_NR };
enum tgtadm_op { OP_NEW, OP_DELETE, OP_SHOW, OP_BIND, OP_UNBIND, OP_UPDATE, OP_STAT,
		 OP_START, OP_STOP, OP_SAVE, OP_RESTORE, OP_NR };

/* In place of letters: these have none. */
#define OPTION_JSON	1
#define OPTION_SECRETS	2
#define OPTION_FILE	3
#define OPTION_DRY_RUN	4
#define OPTION_LETTERS	128

struct tgtadm_options {
	int mode, op;				/* -1: not given */
	bool given[OPTION_LETTERS];		/* by letter */
	char order[OPTION_LETTERS];		/* the letters as they came, each once */
	const char *text[OPTION_LETTERS];
	uint64_t number[OPTION_LETTERS];
};

enum tgtadm_arg { ARG_NONE, ARG_NUMBER, ARG_TEXT, ARG_MODE, ARG_OP, ARG_TYPE };

struct tgtadm_option {
	const char *name;
	char letter;
	enum tgtadm_arg arg;
	const char *arg_name;
	uint64_t max;				/* ARG_NUMBER */
	const char *help;
};

extern const struct tgtadm_option tgtadm_options_table[];	/* ends with NULL */

/*
 * Parse.  Returns -1 to go on, or the exit code after a message (and for
 * --help, --version).
 */
int tgtadm_options_parse(int argc, char **argv, struct tgtadm_options *o);

const char *tgtadm_options_mode_name(enum tgtadm_mode mode);
const char *tgtadm_options_op_name(enum tgtadm_op op);
const char *tgtadm_options_long_name(char letter);
