/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_piece.h - the part of a request that lies in one object, and the
 * objects that have such parts under way on this reactor ("spots").
 *
 * Pieces of an object that overlap, and one of which writes, run in the order in
 * which they came.  Whatever happens (a lost connection, a snapshot), a piece
 * begins anew, by a look at its slot: each step may be done twice.
 */
#pragma once
#include "bs_sheepdog.h"

#define SHEEP_PIECES	  1024U	     /* of a connection */
#define SHEEP_PIECE_BYTES (4U << 20) /* at most, but for a discard */

enum sheep_kind {
	SHEEP_PIECE_READ,
	SHEEP_PIECE_WRITE,
	SHEEP_PIECE_ZERO,
	SHEEP_PIECE_DISCARD,
	SHEEP_PIECE_FLUSH
};

enum sheep_phase {
	SHEEP_IDLE, /* may be tried */
	SHEEP_PARKED, /* until the connection is there, a reload is done, or a tick */
	/* With the sheep: */
	SHEEP_MOVES,   /* its data, the discard, the flush */
	SHEEP_CREATES, /* the object, with its data */
	SHEEP_MAPS,    /* the slot is being written */
	SHEEP_CHECKS,  /* whether a snapshot came between */
	SHEEP_PROBES,  /* whether a slot that is 0 may be believed */
};

struct sheep_spot {
	struct sheep_spot *next; /* in its chain, or free */
	struct sheep_channel *ch;
	uint32_t index;		 /* of the object */
	struct list_head pieces; /* in the order in which they came */
	struct list_head kick;	/* in pool.kicks: look whether some can go on */
	unsigned int nr_writes; /* under way */
	bool creates;		/* one of them, which is alone */
	/* bs_sheepdog_claim.c */
	enum sheep_claim claim;
	struct list_head claim_node; /* under the device's mutex */
	struct sheep_note claim_note;
};

struct sheep_piece {
	struct sheep_xfer x;
	struct list_head node; /* in the spot, or free */
	struct list_head park;
	struct sheep_channel *ch; /* NULL: that is closed, an answer is to come */
	struct bs_req *req; /* NULL: it was given up, an answer is to come */
	struct sheep_spot *spot; /* NULL: a flush */
	struct sheep_pool *pool;
	struct sheep_cursor data;
	uint32_t off, len;  /* in the object */
	uint32_t vid, slot; /* as they were when it began */
	uint8_t kind, phase;
	bool is_write; /* counted as one under way */
	bool was_reloaded;
	bool must_map; /* its slot is written though the map has it */
	uint8_t small[24];
};

struct sheep_pool {
	struct list_head free; /* struct sheep_piece.node */
	unsigned int nr_free;
	struct sheep_spot *free_spots;
	struct list_head kicks; /* struct sheep_spot.kick */
	bool freed;		/* something, since requests were looked at */
	struct sheep_piece pieces[SHEEP_PIECES];
	/* Some without a piece may wait for a note, until the next turn. */
	struct sheep_spot spots[2 * SHEEP_PIECES];
};

static inline bool sheep_piece_is_at_sheep(const struct sheep_piece *p)
{
	return p->phase >= SHEEP_MOVES;
}

/*
 * Begin a piece, of which there is one free.  @len of @data for a write, which must
 * stay until bs_sheepdog_io_piece_done(), that may be called from within this.
 */
void bs_sheepdog_piece_start(struct sheep_channel *ch, struct bs_req *req,
			     enum sheep_kind kind, uint64_t off_bytes,
			     uint32_t len, struct sheep_cursor data);
/* One that is idle: begin it, if it may now. */
void bs_sheepdog_piece_try(struct sheep_piece *p);
/* Try what is parked; or only what is delayed. */
void bs_sheepdog_piece_unpark(struct list_head *parked);
/* Its request's time is over: it does not touch it any more.  False: the connection
 * must be dropped first. */
bool bs_sheepdog_piece_give_up(struct sheep_piece *p);
/* The channel is closed: those that were given up. */
void bs_sheepdog_piece_forget_all(struct sheep_channel *ch);

/* --- bs_sheepdog_spot.c: objects that have pieces --- */

/* It is found or made; there is always one free. */
struct sheep_spot *bs_sheepdog_spot_get(struct sheep_channel *ch,
					uint32_t index);
/* Some of its pieces may go on, or it may not be needed any more. */
void bs_sheepdog_spot_kick(struct sheep_spot *s);
/* Those that were kicked go on. */
void bs_sheepdog_spot_run_kicked(struct sheep_conn *c);
/* Has one that came before to be done first? */
bool bs_sheepdog_spot_is_behind(const struct sheep_piece *p);
/* A claim is kept while something is written only. */
void bs_sheepdog_spot_release_unused(struct sheep_spot *s);

/* --- bs_sheepdog_step.c: p->x becomes the next request for it, all but done() --- */

void bs_sheepdog_step_read(struct sheep_piece *p);
void bs_sheepdog_step_write(struct sheep_piece *p);
void bs_sheepdog_step_create(struct sheep_piece *p);
void bs_sheepdog_step_slot(struct sheep_piece *p);  /* write the object's slot */
void bs_sheepdog_step_check(struct sheep_piece *p); /* was a snapshot taken? */
void bs_sheepdog_step_probe(struct sheep_piece *p);
void bs_sheepdog_step_discard(struct sheep_piece *p);
void bs_sheepdog_step_flush(struct sheep_piece *p);
/* SHEEP_PIECE_BYTES of zeroes, to be sent. */
struct sheep_cursor bs_sheepdog_step_zeroes(void);

/* bs_sheepdog_io.c */
void bs_sheepdog_io_piece_done(struct sheep_channel *ch, struct bs_req *req,
			       int err);
