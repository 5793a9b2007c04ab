/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/resize.h - a logical unit becomes larger or smaller while it is used.
 *
 * Its size is that of the store, or less if the user wants so.  Nothing here
 * changes the store.  Threads: control.
 */
#pragma once
#include <stdint.h>

struct lu;

/*
 * Look at the store anew, and show @bytes of it (0: all).  @done runs, later or from within, with
 * 0 or -errno and one sentence (valid during the call); lu->resized before it, if
 * the number of blocks has changed.  Requests beyond a smaller end that come from
 * now on, or are under way in several steps, end with -ERANGE.
 *
 * Errors of @done: -EINVAL: @bytes are not whole blocks, or more than the store
 * has, or the store has less than one block; -EOPNOTSUPP: the store cannot be
 * looked at; those of the store.  Errors now: -ENOMEM.
 */
int lu_resize_start(struct lu *lu, uint64_t bytes,
		    void (*done)(void *arg, int err, const char *why), void *arg);

/* lu/ only: the store has told that it is @bytes large. */
void lu_resize_store_is(struct lu *lu, uint64_t bytes);
