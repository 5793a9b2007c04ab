/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/state_dir.h - the state directory: a small text file "<kind>-<unit>" for each
 * logical unit that has something of that kind to keep.
 *
 * All but set() block and run on a worker; for one file, one at a time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define LU_STATE_DIR_WORD_MAX(n)	(3 * (n) + 1)	/* of an escaped name of n bytes */

/* Before reactors run: from now on files are in @dir, which is made if need be.  The
 * latest call counts; NULL: nowhere.  -errno: it cannot be written. */
int lu_state_dir_set(const char *dir);
bool lu_state_dir_is_set(void);
const char *lu_state_dir_path(void);	/* "": nowhere */
int lu_state_dir_sync(void);		/* what was made or removed there: durable */

/* On stable storage when it returns 0; else -errno, and what a later load brings is
 * the text before or this one.  NULL: forget. */
int lu_state_dir_save(const char *kind, const char *unit, const char *text);
/* *ret_text: malloc'ed, NULL if there is none.  @path_buf: which file it is, for a
 * sentence.  -errno. */
int lu_state_dir_load(const char *kind, const char *unit, char **ret_text, char *path_buf,
		      size_t path_bytes);

/* --- what the files have in common --- */

/* A name without blanks and slashes, as a word of a line.  Returns @buf. */
const char *lu_state_dir_escape(const char *s, char *buf, size_t bytes);
/* -EBADMSG: it is no such word, or does not fit. */
int lu_state_dir_unescape(const char *s, char *buf, size_t bytes);

/* The last line, a checksum of the @bytes before it, goes to @f. */
void lu_state_dir_seal(FILE *f, const char *text, size_t bytes);

/*
 * Read such a file, which is taken apart: @header, lines of a word and the rest, of which
 * "unit" is checked here and the others go to @take (-EBADMSG: it makes no sense), and
 * the checksum.  -EBADMSG: @why tells.
 */
int lu_state_dir_parse(char *text, const char *header, const char *unit,
		       int (*take)(const char *word, char *rest, void *arg), void *arg,
		       char *why, size_t why_bytes);
