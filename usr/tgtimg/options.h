/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtimg/options.h - the command line: one table. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum tgtimg_op { TGTIMG_NEW, TGTIMG_SHOW, TGTIMG_DELETE, TGTIMG_RESIZE,
		 TGTIMG_SNAPSHOT, TGTIMG_CLONE, TGTIMG_LIST, TGTIMG_NR_OPS };

struct tgtimg_options {
	int op;				/* -1: not given */
	const char *file, *to;		/* NULL: not given */
	const char *bstype, *bsopts;
	uint64_t size_bytes;		/* 0: not given */
	bool grow, thin, force, json;
};

struct tgtimg_option {
	const char *name;		/* NULL ends the table */
	int letter;			/* above 255: has none */
	const char *arg_name;		/* NULL: takes no argument */
	const char *help;
	/* -1 to go on, or the exit code after a message. */
	int (*set)(struct tgtimg_options *o, const char *text);
};

extern const struct tgtimg_option tgtimg_options_table[];

/* -1 to go on, with all that the operation needs; or the exit code after a message. */
int tgtimg_options_parse(int argc, char **argv, struct tgtimg_options *o);
