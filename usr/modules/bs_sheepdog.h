/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog.h - disks, and what their reactors know of each other.
 *
 * A disk is cut into objects; slot i of its map names the VDI that owns object i.
 * The map is shared by all reactors.  An object is written by one reactor at a time,
 * which holds a claim on it (bs_sheepdog_claim.c), so that what is written never
 * overlaps on its way: the sheep runs requests in parallel, and replicas would
 * differ.
 *
 * The map is loaded again after a connection was lost, when a snapshot was taken
 * and when another gateway has written (bs_sheepdog_reload.c); no writes are under
 * way then.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "bs_sheepdog_conn.h"
#include "bs_sheepdog_spec.h"
#include "bs_sheepdog_wire.h"

struct sheep_channel;
struct sheep_spot;

enum sheep_locking { SHEEP_NO_LOCK, SHEEP_SHARED, SHEEP_EXCLUSIVE };

struct sheep_reload {
	struct sheep_channel
		*owner; /* under the device's mutex; NULL: none runs */
	/* The owner's reactor. */
	bool is_running; /* the writes have ended */
	uint64_t number;
	struct sheep_ask *ask; /* bs_sheepdog_reload.c */
	struct bs_timer *retry;
	struct sheep_inode *inode; /* SHEEP_INODE_BYTES, with its slots */
	uint32_t inode_bytes;	   /* to be read */
	uint32_t vid;		   /* that the name has now */
	uint32_t ancestor;
	uint32_t repair_at;
	le32 word; /* to write, or read */
};

struct sheep_dev {
	/* Constant after open. */
	struct bs_dev *dev;
	struct sheep_spec spec;
	struct sheep_cluster *cluster;
	uint64_t timeout_ns;
	enum sheep_locking locking;
	bool coherent; /* shared locks are kept: send SHEEP_FLAG_TGT */
	bool is_snapshot;
	bool discards;
	bool is_eager;	/* a gateway that hangs is left in any case */
	bool has_cache; /* the sheep flushes something */
	unsigned int object_exp;
	_Atomic uint32_t *slots;  /* SHEEP_SLOTS */
	_Atomic uint16_t *claims; /* SHEEP_SLOTS; bs_sheepdog_claim.c */
	atomic_bool *unsure;	  /* SHEEP_SLOTS: not all replicas may have the slot */

	/* Any thread: atomic. */
	_Atomic uint32_t vid;
	_Atomic uint64_t size_bytes;
	atomic_bool frozen; /* no writes are to start */
	atomic_bool dead;   /* the VDI is gone */
	_Atomic uint64_t reloads_begun, reloads_done;

	/* Under the mutex, which is never held across I/O. */
	pthread_mutex_t mutex;
	struct list_head channels;  /* struct sheep_channel.dev_node */
	struct list_head claimants; /* struct sheep_spot.claim_node */
	struct sheep_reload reload;
};

/* A disk on a reactor.  Its reactor's, but for what is said. */
struct sheep_channel {
	struct list_head node;	   /* of the connection's */
	struct list_head dev_node; /* under the device's mutex */
	struct bs_channel *ch;
	struct sheep_dev *d;
	struct sheep_conn *conn;
	uint16_t id;		      /* in claims; from 1 */
	_Atomic unsigned int nr_live; /* writes under way; others read it */
	uint64_t reload_needed;	      /* number of the reload to wait for */
	struct sheep_note wake;	      /* posted by anyone, under the mutex */

	/* bs_sheepdog_io.c */
	struct list_head reqs;	  /* all, in the order in which they came */
	struct list_head waiting; /* those of them for which there is no piece */
	struct list_head
		parked; /* pieces that wait for the connection or a reload */
	struct list_head
		delayed; /* pieces that are tried again at the next tick */
	unsigned int nr_pieces;
	struct sheep_spot *spots[64]; /* by object, chained */
};

/* The map must be loaded again before anything else is done here. */
static inline bool sheep_channel_is_stale(const struct sheep_channel *ch)
{
	return atomic_load(&ch->d->reloads_done) < ch->reload_needed;
}

static inline uint16_t sheep_dev_flags(const struct sheep_dev *d)
{
	return d->coherent ? SHEEP_FLAG_TGT : 0;
}

/* --- bs_sheepdog_claim.c: who writes an object --- */

enum sheep_claim { SHEEP_UNCLAIMED, SHEEP_CLAIM_WAITS, SHEEP_CLAIMED };

/* Claim the spot's object for its channel.  False: it waits; when its turn has come,
 * the spot is kicked. */
bool bs_sheepdog_claim_get(struct sheep_spot *s);
void bs_sheepdog_claim_put(struct sheep_spot *s);
/* Do others wait for what we hold? */
bool bs_sheepdog_claim_is_wanted(const struct sheep_spot *s);
/* It does not wait any more. */
void bs_sheepdog_claim_forget(struct sheep_spot *s);

/* --- bs_sheepdog_reload.c --- */

/* Load the map again before this channel goes on. */
void bs_sheepdog_reload_need(struct sheep_channel *ch);
/* Begin, if it has to be and nobody does. */
void bs_sheepdog_reload_start(struct sheep_channel *ch);
/* The channel was woken: if it is the owner, the writes may have ended. */
void bs_sheepdog_reload_go_on(struct sheep_channel *ch);
/* True: one more write may be under way, until end().  False: it has to wait for the
 * channel's wake. */
bool bs_sheepdog_reload_write_begin(struct sheep_channel *ch);
void bs_sheepdog_reload_write_end(struct sheep_channel *ch);
/* The channel is closed: if it was the owner, somebody else may begin. */
void bs_sheepdog_reload_leave(struct sheep_channel *ch);

/* --- bs_sheepdog_io.c: requests --- */

int bs_sheepdog_io_channel_open(struct bs_channel *bch);
void bs_sheepdog_io_channel_close(struct bs_channel *bch);
void bs_sheepdog_io_submit(struct bs_channel *bch, struct bs_req *req);
void bs_sheepdog_io_flush_batch(struct bs_group *g);
/* Go on with all that can go on, and send it. */
void bs_sheepdog_io_run(struct sheep_conn *c);
void bs_sheepdog_io_conn_up(struct sheep_conn *c);
void bs_sheepdog_io_conn_lost(
	struct sheep_conn *c); /* after its requests were given back */
/* True if it is needed again. */
bool bs_sheepdog_io_tick(struct sheep_conn *c);
int bs_sheepdog_io_pool_new(struct sheep_conn *c);
void bs_sheepdog_io_pool_free(struct sheep_conn *c);
