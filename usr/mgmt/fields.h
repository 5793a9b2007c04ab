/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/fields.h - the fields of a call, described by rows.  A row drives the
 * checks, the error sentences, system.describe and doc/rpc.md.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mgmt/wire.h"

enum mgmt_type {
	MGMT_INT,		/* min to max */
	MGMT_BOOL,
	MGMT_TEXT,		/* min to max bytes; or one of .words */
	MGMT_PAIRS,		/* object: name to text, number, boolean, or an
				 * array of these for a name given repeatedly */
	MGMT_OBJECT,		/* with members .of */
	MGMT_LIST,		/* of objects with members .of; .of NULL: of texts
				 * of at most 255 bytes; max elements */
};

struct mgmt_field {
	const char *name;	/* NULL ends a list */
	const char *help;
	enum mgmt_type type;
	bool required;
	uint64_t min, max;	/* TEXT, max 0: MGMT_TEXT_MAX */
	const char *const *words;	/* NULL-terminated; NULL: any text */
	enum mgmt_error error;	/* of a bad value; OK: "invalid request" */
	const struct mgmt_field *of;
};

#define MGMT_TEXT_MAX	4096
#define MGMT_ITEM_MAX	255	/* bytes of a text in a list */

/* What is wrong with a value. */
struct mgmt_fault {
	const char *field;	/* of the table, or NULL */
	enum mgmt_error error;
	char sentence[768];
	char where[192];	/* of a nested field: "a.b[3].c"; "": it is .field */
};

/*
 * Check @params (an object; NULL: empty) against @fields and @common (may be
 * NULL).  0, or -EINVAL with *ret_fault filled.
 */
int mgmt_fields_check(const struct mgmt_field *fields,
		      const struct mgmt_field *common, const json_t *params,
		      struct mgmt_fault *ret_fault);

/* A text, number or boolean (0, 1) as text: the JSON's own, or in @buf of 24 bytes. */
#define MGMT_SCALAR_BYTES	24
const char *mgmt_fields_scalar(const json_t *v, char buf[MGMT_SCALAR_BYTES]);

/* The range or choice in words, for sentences and for the documentation. */
const char *mgmt_fields_range(const struct mgmt_field *f, char *buf,
			      size_t buf_bytes);
const char *mgmt_fields_type(enum mgmt_type type);
