/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtadm/operation.h - what each mode and operation needs, allows, asks of tgtd
 * and prints: one table. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include "tgtadm/options.h"

struct tgtadm_need {
	const char *letters;	/* of which one must be given; NULL ends the list */
	const char *missing;	/* NULL: "'<long name>' option is necessary" */
	const char *zero;	/* what to say when it is 0; NULL: 0 is right */
};

struct tgtadm_operation {
	enum tgtadm_mode mode;
	enum tgtadm_op op;
	const char *letters;		/* allowed; NULL: any */
	const struct tgtadm_need *before;	/* checked before the letters */
	const struct tgtadm_need *after;	/* and after them */
	const char *method;
	const char *method_with_tid;	/* if --tid is given; NULL: the same */
	const char *fields;		/* letters that become fields of the call */
	bool params_optional;		/* without --params: none are changed */
	bool wait_for_end;		/* the daemon goes */
	bool state_from_file;		/* field "state" is read from --file */
	int (*code)(const json_t *result);	/* exit code of a success; NULL: 0 */
	void (*print)(FILE *to, const json_t *result);
	void (*print_with_tid)(FILE *to, const json_t *result);
};

extern const struct tgtadm_operation tgtadm_operation_table[];
extern const unsigned int tgtadm_operation_rows;

/*
 * The row for @o, checked.  Returns -1 and the row to go on, or the exit code
 * after a message (0: nothing is to be done).
 */
int tgtadm_operation_find(const struct tgtadm_options *o,
			  const struct tgtadm_operation **ret_row);

/* The params of the call, or NULL after a message. */
json_t *tgtadm_operation_params(const struct tgtadm_operation *row,
				const struct tgtadm_options *o);
