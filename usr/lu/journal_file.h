/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/journal_file.h - the file in the state directory that has what is being written
 * atomically to a store, in slots: where, what is there and what shall be there.
 *
 * Threads: a worker, everything blocks; one slot, one thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LU_JOURNAL_SLOTS	4
#define LU_JOURNAL_BYTES_MAX	(1U << 20)	/* of a record's data */

struct lu_journal_file;

struct lu_journal_record {
	uint64_t off_bytes;
	uint32_t len_bytes;
	uint8_t *old, *new;	/* len_bytes each, behind each other in one piece of memory */
};

/*
 * That of @store, whose name means the same store always.  @create: make one if there
 * is none.  0 with *ret_f, which may be NULL without @create; -EBUSY: another logical
 * unit, or daemon, has it; else -errno; @why has a sentence.
 */
int lu_journal_file_open(const char *store, bool create, struct lu_journal_file **ret_f,
			 char *why, size_t why_bytes);
/* @remove: there are no records in it. */
void lu_journal_file_close(struct lu_journal_file *f, bool remove);

/* What a crash has left in @slot: 0 with *ret_r, NULL if nothing; -errno.  The
 * caller's; its old is to be freed too. */
int lu_journal_file_load(const struct lu_journal_file *f, unsigned int slot,
			 struct lu_journal_record **ret_r);
void lu_journal_file_free_record(struct lu_journal_record *r);

/* Empty, durably, with room for records of @max_bytes in each slot. */
int lu_journal_file_format(struct lu_journal_file *f, uint32_t max_bytes);

/* Both durable when they return 0. */
int lu_journal_file_record(const struct lu_journal_file *f, unsigned int slot,
			   const struct lu_journal_record *r);
int lu_journal_file_clear(const struct lu_journal_file *f, unsigned int slot);
