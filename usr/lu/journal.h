/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/journal.h - what makes an atomic write of a logical unit survive a crash.
 *
 * Old and new data are recorded durably before the first byte is written in place,
 * and forgotten, durably, after the last: lu/atomic.c.  Opening a store finishes
 * what a crash has interrupted, before anybody sees it.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "bs/bs.h"
#include "lu/journal_file.h"
#include "reactor/worker.h"

struct lu_io;
struct lu_journal;

struct lu_journal_slot {		/* of whom it was given to */
	/* Constant. */
	struct lu_journal *j;
	unsigned int index;
	uint8_t *memory;		/* aligned, for the old and the new data */

	bool taken;			/* under the journal's mutex */
	atomic_bool stuck;		/* its record is to stay */

	/* The holder's. */
	struct lu_io *io;
	struct lu_journal_record record;
	void (*done)(struct lu_journal_slot *s, int err);
	int err;
	struct mail mail;
	struct work work;
};

/*
 * Finish what the journal of a store has, if there is one: each range that is still
 * partly old, partly new becomes new.  @max_bytes 0: then there is no journal any
 * more.  Else @done gets one for writes of that length.  Errors, with a sentence: no
 * state directory, no space, a journal that cannot be read, or that another logical
 * unit uses; a store that cannot be read or written.
 *
 * Returns -ENOMEM, or 0 and calls back, maybe at once.  @dev is kept by the caller.
 * Threads: control.
 */
int lu_journal_open(struct bs_device *dev, const struct bs_open_spec *spec,
		    uint32_t max_bytes,
		    void (*done)(void *arg, struct lu_journal *j, int err, const char *why),
		    void *arg);

/* Nobody has a slot any more.  NULL is fine; @closed comes later.  Threads: control. */
void lu_journal_close(struct lu_journal *j, void (*closed)(void *arg), void *arg);

uint32_t lu_journal_max_bytes(const struct lu_journal *j);

/* A slot for @io, on its channel's reactor: now, or when one is given back; then @io
 * is out of the list that it is in meanwhile. */
void lu_journal_take(struct lu_journal *j, struct lu_io *io,
		     void (*granted)(struct lu_journal_slot *s));
void lu_journal_give(struct lu_journal_slot *s);

/* On a worker; done() on this reactor.  write(): slot->record, both data in memory. */
void lu_journal_write(struct lu_journal_slot *s,
		      void (*done)(struct lu_journal_slot *s, int err));
void lu_journal_clear(struct lu_journal_slot *s,
		      void (*done)(struct lu_journal_slot *s, int err));

/* The record of @s could not be taken back, or (@keep) is to stay for the next opening:
 * -EIO from now on for all that would be written. */
void lu_journal_break(struct lu_journal_slot *s, bool keep);
