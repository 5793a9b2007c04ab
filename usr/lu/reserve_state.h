/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve_state.h - who is registered with a logical unit and who has it
 * reserved, and what a request makes of that: a function from a state to the
 * next one, without threads, time or I/O.  SPC-4 r37 5.12 says what it must do.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/rcu.h"

#define LU_RESERVE_NAME_MAX	255	/* bytes of a name */
#define LU_RESERVE_REGS_MAX	1024	/* registrations of a logical unit */

enum lu_reserve_type {
	LU_RESERVE_NONE,
	LU_RESERVE_WRITE_EXCLUSIVE,	/* the holder writes, all read */
	LU_RESERVE_EXCLUSIVE_ACCESS,	/* the holder writes and reads */
	LU_RESERVE_WRITE_EXCLUSIVE_REGISTRANTS,	/* so may all who are registered; */
	LU_RESERVE_EXCLUSIVE_ACCESS_REGISTRANTS, /* one of them holds it */
	LU_RESERVE_WRITE_EXCLUSIVE_ALL,	/* and all of them hold it */
	LU_RESERVE_EXCLUSIVE_ACCESS_ALL,
	LU_RESERVE_NR_TYPES
};

/* A path from an initiator's port to one of ours.  Names compare without regard
 * to case: iSCSI names are lower case, but hexadecimal digits in them may be
 * anything. */
struct lu_reserve_who {
	char initiator[LU_RESERVE_NAME_MAX + 1];	/* of its port */
	char target[LU_RESERVE_NAME_MAX + 1];
	uint16_t port;			/* of the target, its number */
};

struct lu_reserve_reg {
	uint64_t key;			/* never 0 */
	struct lu_reserve_who who;
};

struct lu_reserve_state {		/* immutable once it is published */
	struct rcu_head rcu;
	uint32_t generation;
	bool durable;			/* survives the end of the daemon */
	enum lu_reserve_type type;
	int holder;			/* index; -1: none, or all of them */
	unsigned int n;
	struct lu_reserve_reg reg[];
};

enum lu_reserve_verb {
	LU_RESERVE_REGISTER,		/* new_key 0: unregister */
	LU_RESERVE_REGISTER_ANYWAY,	/* whatever key is there */
	LU_RESERVE_MOVE,		/* register others[0], who holds it from now on */
	LU_RESERVE_RESERVE,
	LU_RESERVE_RELEASE,
	LU_RESERVE_CLEAR,
	LU_RESERVE_PREEMPT,
	LU_RESERVE_FORGET,		/* an administrator's CLEAR: needs no key */
};

struct lu_reserve_request {
	enum lu_reserve_verb verb;
	struct lu_reserve_who who;	/* asks */
	uint64_t key;			/* that it says it has */
	uint64_t new_key;		/* to have, or to preempt */
	enum lu_reserve_type type;	/* NONE: one that does not exist */
	bool durable;			/* REGISTER*, MOVE */
	bool leave;			/* MOVE: unregister who asks */
	/* REGISTER*: the same for these ports of the target, too. */
	unsigned int nr_ports;
	const uint16_t *ports;
	/* REGISTER: register these as well, but for those that are. */
	unsigned int nr_others;
	const struct lu_reserve_who *others;
};

enum lu_reserve_result {
	LU_RESERVE_OK,
	LU_RESERVE_CONFLICT,		/* not registered, not that key, held by others */
	LU_RESERVE_BAD_KEY,		/* new_key cannot be that */
	LU_RESERVE_BAD_TYPE,		/* there is no such type */
	LU_RESERVE_BAD_OTHERS,		/* others must not be given, or not be that */
	LU_RESERVE_NOT_HOLDER,		/* MOVE by somebody else */
	LU_RESERVE_WRONG_TYPE,		/* RELEASE of another type than is held */
	LU_RESERVE_FULL,		/* too many registrations */
	LU_RESERVE_NO_MEMORY,
	LU_RESERVE_NOT_KEPT,		/* it must be durable, and the store fails */
};

/* What a registrant is to be told. */
enum lu_reserve_event {
	LU_RESERVE_NO_EVENT,
	LU_RESERVE_RELEASED,		/* the reservation is gone, or another */
	LU_RESERVE_PREEMPTED,		/* the reservation is taken away */
	LU_RESERVE_UNREGISTERED,	/* so is its registration */
};

/* With room for @max registrations.  NULL: no memory.  free() it. */
struct lu_reserve_state *lu_reserve_state_new(unsigned int max);

/*
 * What @q makes of @old: on OK *ret_new is the next state, or NULL if nothing
 * changes; event[i] is for @old's registration i (zeroed by the caller).
 */
enum lu_reserve_result lu_reserve_state_next(const struct lu_reserve_state *old,
					     const struct lu_reserve_request *q,
					     struct lu_reserve_state **ret_new,
					     uint8_t *event);

bool lu_reserve_same(const struct lu_reserve_who *a, const struct lu_reserve_who *b);
/* Index of its registration; -1: it has none. */
int lu_reserve_state_find(const struct lu_reserve_state *s, const struct lu_reserve_who *w);
/* Whether registration @i holds the reservation. */
bool lu_reserve_state_holds(const struct lu_reserve_state *s, int i);
/* Whether the one with registration @i (-1: a stranger) may do as the holder may. */
bool lu_reserve_state_may(const struct lu_reserve_state *s, int i);

/* "write-exclusive-registrants-only"; the state directory has these, too. */
const char *lu_reserve_type_name(enum lu_reserve_type type);

static inline bool lu_reserve_type_is_all(enum lu_reserve_type type)
{
	return type >= LU_RESERVE_WRITE_EXCLUSIVE_ALL;
}

/* For registrants, be they all holders or not. */
static inline bool lu_reserve_type_is_shared(enum lu_reserve_type type)
{
	return type >= LU_RESERVE_WRITE_EXCLUSIVE_REGISTRANTS;
}

static inline bool lu_reserve_type_lets_read(enum lu_reserve_type type)
{
	return type == LU_RESERVE_WRITE_EXCLUSIVE ||
	       type == LU_RESERVE_WRITE_EXCLUSIVE_REGISTRANTS ||
	       type == LU_RESERVE_WRITE_EXCLUSIVE_ALL;
}
