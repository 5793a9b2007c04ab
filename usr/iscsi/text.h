/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/text.h - text segments of Login and Text PDUs: key=value pairs, each
 * ended by a NUL, over as many PDUs as the C bit joins (RFC 7143 6.1, 6.2).
 *
 * What a peer can make us keep is bounded by ISCSI_TEXT_BYTES_MAX and
 * ISCSI_TEXT_PAIRS_MAX.  One thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISCSI_TEXT_BYTES_MAX	65536U	/* of one request, all its parts */
#define ISCSI_TEXT_PAIRS_MAX	512U	/* of one request */

/* Text being received, or to be sent. */
struct iscsi_text {
	char *buf;		/* malloc'ed; NULL: empty */
	uint32_t bytes, room;
};

void iscsi_text_fini(struct iscsi_text *t);	/* empty again */

/* --- in --- */

/* One more part.  Errors: -EMSGSIZE (too much), -ENOMEM. */
int iscsi_text_append(struct iscsi_text *t, const void *data, uint32_t bytes);

/*
 * The text is complete: check its form.  Padding NULs at its end are no pair.
 * Errors: -EINVAL (no '=', bad key, no NUL at the end), -E2BIG (too many
 * pairs), -ENOMEM.
 */
int iscsi_text_check(struct iscsi_text *t);

/* The next pair of a checked text; *pos begins with 0.  Both strings lie in @t.
 * False: no more. */
bool iscsi_text_next(const struct iscsi_text *t, uint32_t *pos,
		     const char **ret_key, const char **ret_value);

/* The value of @key in a checked text, or NULL. */
const char *iscsi_text_find(const struct iscsi_text *t, const char *key);

/* --- out --- */

/* Errors: -ENOMEM. */
int iscsi_text_add(struct iscsi_text *t, const char *key, const char *value);

/*
 * Take the first part of @t, as many whole pairs as fit in @max_bytes (part of
 * one if it alone is longer), as malloc'ed memory.  *ret_data is NULL when @t is
 * empty.  What is left stays in @t.  Errors: -ENOMEM.
 */
int iscsi_text_take(struct iscsi_text *t, uint32_t max_bytes, void **ret_data,
		    uint32_t *ret_bytes);
