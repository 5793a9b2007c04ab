/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_file_map.h - parts of a file that are read often, mapped and locked in
 * memory, so that they can be lent to be sent without a copy.
 *
 * Only what is mapped and locked is lent: touching it waits for nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct bs_file_map;

/*
 * @fd: borrowed; @limit_bytes: what this file may lock at most.  The process has
 * a limit as well (an eighth of its memory).  NULL: no memory, or nothing to map.
 */
struct bs_file_map *bs_file_map_new(int fd, uint64_t size_bytes, uint64_t limit_bytes);
void bs_file_map_free(struct bs_file_map *m);	/* nothing is lent; NULL allowed */

/* --- threads: any --- */

/* Memory with that range of the file, until bs_file_map_put(); NULL: not mapped.
 * What is written to the file meanwhile shows. */
const void *bs_file_map_get(struct bs_file_map *m, uint64_t off_bytes, uint64_t len_bytes,
			    void **ret_loan);
/* @faulted: it could not be read; the file may have been cut.  Do not lend it again. */
void bs_file_map_put(void *loan, bool faulted);

/* A read that bs_file_map_get() could not serve.  True: it is worth while now to
 * call bs_file_map_add() on a worker. */
bool bs_file_map_wanted(struct bs_file_map *m, uint64_t off_bytes);

/* --- threads: a worker; reads from the disk what is not cached --- */

void bs_file_map_add(struct bs_file_map *m, uint64_t off_bytes);

/* From hold to release nothing new is mapped, and nothing of that range is lent any
 * more: its contents are going to be taken out of the page cache.  NULL allowed. */
void bs_file_map_hold(struct bs_file_map *m, uint64_t off_bytes, uint64_t len_bytes);
void bs_file_map_release(struct bs_file_map *m);
