/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strict.h - the rules of the protocol that a client has to keep, and a record of
 * each time that one was broken.  A real sheep says nothing: it loses data.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/macros.h"

struct conn;
struct request;
struct wire_request;

/* Breaches go to @path, a line each. */
bool strict_init(const char *path);
/* Do not record breaches of @rule; false: there is no such. */
bool strict_allow(const char *rule);

unsigned int strict_nr_breaches(void);
void strict_breach(const struct request *r, const char *rule, const char *fmt,
		   ...) PRINTF_LIKE(3, 4);

/* From now on requests may be repeats of what was done, and objects may be left
 * without a slot: a connection was lost, a rule of fault.h has struck, the store
 * is that of an earlier run. */
void strict_excuse(void);
bool strict_is_excused(void);

/* The life of a request, and of a connection. */
void strict_arrived(struct request *r);
void strict_executes(const struct request *r);
void strict_executed(const struct request *r);
void strict_conn_ended(const struct conn *c);

/* After @r nothing on the connection can be understood: false. */
bool strict_framing_holds(const struct request *r);
void strict_huge(struct conn *c, const struct wire_request *head);

/* Parts of it, each in its file. */
void strict_head_check(const struct request *r); /* the request by itself */
void strict_flight_add(struct request *r);	 /* against those in flight */
void strict_map_before(const struct request *r); /* against what is stored */
void strict_map_after(const struct request *r);
