/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/lu.h - a logical unit: a store with a geometry, an identity and a state
 * that every front end shares.  Knows neither SCSI nor NBD.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/refcount.h"
#include "bs/bs.h"
#include "lu/geometry.h"
#include "lu/identity.h"
#include "lu/qos.h"
#include "lu/range_lock.h"
#include "lu/watch.h"
#include "reactor/mailbox.h"

struct lu_journal;
struct lu_latency;
struct lu_reserve;

struct lu {
	/* Constant after lu_open(). */
	char *bstype, *bsopts;
	struct lu_latency *latency;	/* by reactor, which writes its own */
	unsigned int nr_latency;
	struct lu_journal *journal;	/* NULL: no atomic writes */

	/* Any thread: readers under RCU, control replaces. */
	struct bs_device *dev;		/* NULL: there is no medium, lu/medium.h */
	struct lu_geometry *geometry;
	struct lu_identity *identity;
	struct lu_reserve *reserve;	/* that of the identity; holds a reference */

	/* Any thread: atomic. */
	refcount refs;
	atomic_bool read_only;		/* by the store or the user */
	atomic_bool write_cache;	/* off: each write is durable before done() */
	struct lu_range_locks locks;	/* COMPARE_AND_WRITE against other writers */
	struct lu_qos qos;
	struct lu_watches watches;	/* ranges that somebody wants to know unchanged */

	/* Control only. */
	char *path;			/* of the store; "": none, or it needs none */
	uint32_t open_flags;		/* BS_OPEN_* */
	bool changing;			/* a medium is on its way, lu/medium.h */
	struct mail gone;		/* the last reference, without a store to close */
	uint64_t store_bytes;		/* what the store has, as far as we know */
	uint64_t limit_bytes;		/* what of it the user wants shown; 0: all */
	void (*closed)(void *arg);
	void *closed_arg;
	void (*resized)(void *arg);	/* the geometry has changed */
	void *resized_arg;
};

/*
 * Open the store of @spec and make a logical unit of it, with the reservations
 * that were kept for its identity.  An atomic write that a crash has interrupted is
 * finished first; writes of up to @atomic_bytes (0: none) are atomic from then on.
 * @spec->block_bytes 0: the default, 512.  Without a path, where the kind of store
 * needs one, there is no medium yet (lu/medium.h).  Returns and calls back like bs_open(), also with -EINVAL
 * for a block size that we, or the store, do not have; @lu comes with one
 * reference.  Threads: control.
 */
int lu_open(const struct bs_open_spec *spec, const struct lu_identity *id,
	    uint32_t atomic_bytes, char *why_buf, size_t why_bytes,
	    void (*done)(void *arg, struct lu *lu, int err, const char *why),
	    void *arg);

/* Any thread.  With the last one the store is closed on a worker. */
struct lu *lu_get(struct lu *lu);
void lu_put(struct lu *lu);

/*
 * Give up the owner's reference and learn when the store is closed: @closed
 * runs on the control thread, after every channel is gone.  Threads: control.
 */
void lu_close(struct lu *lu, void (*closed)(void *arg), void *arg);

/* How long a LU_WRITE_ATOMIC may be; 0: there is none.  Constant.  Any thread. */
uint32_t lu_atomic_bytes(const struct lu *lu);

/* Callers are RCU readers; valid for this turn. */
const struct lu_geometry *lu_geometry(const struct lu *lu);
const struct lu_identity *lu_identity(const struct lu *lu);
struct lu_reserve *lu_reserve(const struct lu *lu);

/* Replace (copied).  -ENOMEM.  Threads: control.  With another scsi_id goes another
 * lu_reserve, which is taken. */
void lu_set_reserve(struct lu *lu, struct lu_reserve *r);
int lu_set_identity(struct lu *lu, const struct lu_identity *id);
int lu_set_geometry(struct lu *lu, const struct lu_geometry *g);

/* There is a store.  Threads: control. */
bool lu_has_medium(const struct lu *lu);

/* What the store can do (nothing, while there is no medium).  Callers are RCU readers;
 * valid for this turn.  size_bytes is that of the time of opening: the present size is
 * in the geometry. */
extern const struct bs_dev_info lu_no_store;
const struct bs_dev_info *lu_store_info(const struct lu *lu);
