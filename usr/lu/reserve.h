/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve.h - who has a logical unit to himself.
 *
 * There are two kinds, and never both at once: persistent reservations, whose
 * holders have names (lu/reserve_state.h), and the plain one, whose holder is a
 * number that is never used again in the life of the daemon (scsi_nexus.id, later
 * an NBD connection).
 *
 * The state belongs to an identity: logical units that the world takes for one
 * disk (two targets with one scsi_id) share it.  What else belongs to it hangs here,
 * see lu/keep.h.
 *
 * The check on a command's path is one load, lu_reserve_active().
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "lu/keep.h"
#include "lu/reserve_state.h"
#include "lu/reserve_store.h"
#include "reactor/mailbox.h"
#include "reactor/worker.h"

struct lu_reserve;

/* --- asking: RCU readers --- */

#define LU_RESERVE_READ		0x1U	/* to read the medium */
#define LU_RESERVE_WRITE	0x2U	/* to change something */
#define LU_RESERVE_USE		0x4U	/* to do anything else */

/* 0: nobody has reserved anything.  Else a number that is another one after each
 * change, whichever unit's, so that an answer below may be kept until then. */
uint64_t lu_reserve_active(const struct lu_reserve *r);
/* LU_RESERVE_* that are denied to @who, who is number @id. */
unsigned int lu_reserve_denied(const struct lu_reserve *r, const struct lu_reserve_who *who,
			       uint64_t id);
/* Valid for this turn. */
const struct lu_reserve_state *lu_reserve_state(const struct lu_reserve *r);
/* Somebody has the plain reservation. */
bool lu_reserve_is_taken(const struct lu_reserve *r);

/* --- the plain reservation: any reactor --- */

/* 0, also if @id has it.  -EPERM: somebody else has, or there are registrations
 * (but 0 and nothing done if those let @who do as he likes).  -EBUSY: a change is
 * on its way, ask again.  release: no effect unless it is @id's. */
int lu_reserve_take(struct lu_reserve *r, const struct lu_reserve_who *who, uint64_t id);
int lu_reserve_release(struct lu_reserve *r, const struct lu_reserve_who *who, uint64_t id);
/* @id is gone. */
void lu_reserve_lose(struct lu_reserve *r, uint64_t id);
/* Whoever has it (reset). */
void lu_reserve_clear(struct lu_reserve *r);

/* --- persistent reservations --- */

/*
 * A change.  Those of a unit happen one after the other; one that has to be kept
 * is in the store before it is seen by anybody and before done().
 */
struct lu_reserve_change {
	/* In. */
	struct lu_reserve_request q;	/* what it points to is the caller's */
	void (*done)(struct lu_reserve_change *c);

	/* Out. */
	enum lu_reserve_result result;
	const struct lu_reserve_state *old;	/* what events are about; NULL: nothing
						 * has changed */
	uint8_t *event;

	/* lu/ only. */
	struct lu_reserve *r;
	struct lu_reserve_state *new;
	struct list_head node;
	struct reactor *home;
	struct mail mail;
	struct work work;
	int err;
};

/* Takes the reference on @r.  Threads: a reactor or control; done() follows there,
 * not from within. */
void lu_reserve_submit(struct lu_reserve *r, struct lu_reserve_change *c);
/* After done(): give back what it points to. */
void lu_reserve_change_fini(struct lu_reserve_change *c);

/* --- life --- */

/* Before the first unit: where durable reservations are kept; NULL (at first):
 * nowhere, then none can be durable.  -ENOMEM. */
int lu_reserve_start(const struct lu_reserve_store *store);
void lu_reserve_stop(void);
bool lu_reserve_can_keep(void);

/*
 * That of the unit named @unit, with a reference; as it was kept, if nobody has it
 * now.  @done not from within, with @r NULL and a sentence if it cannot be read.
 * -ENOMEM.  Threads: control.
 */
int lu_reserve_open(const char *unit,
		    void (*done)(void *arg, struct lu_reserve *r, int err, const char *why),
		    void *arg);
/* The name; and what is kept of the unit, valid as long as @r. */
const char *lu_reserve_unit(const struct lu_reserve *r);
struct lu_keep *lu_reserve_keep(struct lu_reserve *r);
/* lu/ only: have a worker do what the state directory has to do with. */
void lu_reserve_work(struct work *w);

/* Any thread.  NULL from get: it is going away. */
struct lu_reserve *lu_reserve_get(struct lu_reserve *r);
void lu_reserve_put(struct lu_reserve *r);	/* accepts NULL */
