/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/medium.h - another store for a logical unit that stays the same: identity,
 * reservations, limits, block size and kind of store remain.  Or no store at all: then
 * every I/O but FLUSH ends in -ENOMEDIUM.
 *
 * Nobody does half of an operation on each: an operation belongs to the store of the
 * channel that it was submitted to.  Channels to the store that is taken out accept
 * nothing new but a FLUSH; what they have, and what is lent, ends there in its own time.
 *
 * Threads: control, except where it says otherwise.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lu;
struct lu_medium;

/*
 * Open the store @path of the same kind, and a channel to it on every reactor;
 * @path "": none.  @flags: BS_OPEN_*.  Returns and calls back like lu_open(), also
 * with -EBUSY (another change is under way).  Nothing has changed yet; one of the two
 * below must follow.
 */
int lu_medium_open(struct lu *lu, const char *path, uint32_t flags, char *why_buf,
		   size_t why_bytes,
		   void (*done)(void *arg, struct lu_medium *m, int err, const char *why),
		   void *arg);
/* It is not wanted any more; @over when it is closed. */
void lu_medium_drop(struct lu_medium *m, void (*over)(void *arg), void *arg);
/* There is a store. */
bool lu_medium_is_there(const struct lu_medium *m);

struct lu_medium_ops {
	/* On each reactor: lu_channel_get() gives the new channel.  Who keeps the old
	 * one there changes over.  The geometry is still the old one. */
	void (*move)(void *arg);
	/* Geometry and info are those of the new store. */
	void (*changed)(void *arg);
	/* The last: the old store was flushed (@err) and is closed.  As long as that
	 * takes. */
	void (*closed)(void *arg, int err);
};

/* Change over.  The caller sees to it that nobody begins I/O between this and
 * changed().  Takes @m. */
void lu_medium_swap(struct lu_medium *m, const struct lu_medium_ops *ops, void *arg);
