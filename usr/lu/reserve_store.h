/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve_store.h - where reservations that must outlive the daemon are kept.
 *
 * One store for the daemon, set before reactors run.  Both functions may block
 * and run on a worker; for one unit, one at a time.
 */
#pragma once
#include <stddef.h>
#include "lu/reserve_state.h"

struct lu_reserve_store {
	/* On stable storage when it returns 0; else -errno, and what a later load
	 * brings is the state before or this one.  NULL: forget. */
	int (*save)(const char *unit, const struct lu_reserve_state *s);
	/* *ret_s: malloc'ed, NULL if there is none.  Else -errno (-EBADMSG: what is
	 * there makes no sense) and a sentence. */
	int (*load)(const char *unit, struct lu_reserve_state **ret_s, char *why,
		    size_t why_bytes);
};

/* A file for each unit in the state directory.  NULL: there is none. */
const struct lu_reserve_store *lu_reserve_store_dir(void);

/* --- the format of a file --- */

/* malloc'ed text.  NULL: no memory. */
char *lu_reserve_store_format(const char *unit, const struct lu_reserve_state *s);
/* @text is changed.  -EBADMSG and a sentence, -ENOMEM. */
int lu_reserve_store_parse(char *text, const char *unit, struct lu_reserve_state **ret_s,
			   char *why, size_t why_bytes);
