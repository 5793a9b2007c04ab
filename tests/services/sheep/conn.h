/* SPDX-License-Identifier: BSD-3-Clause */
/* conn.h - a client's connection: framing, and answers on their way. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "loop.h"

struct gateway;
struct request;

struct conn {
	struct source source;
	struct list_head node;	/* of its gateway, while it is open */
	struct list_head dirty; /* while there is something to send */
	struct gateway *gateway;
	unsigned int refs; /* its requests, and one while it is open */
	int fd;		   /* -1: closed */
	uint32_t client;   /* process at the other end; 0: not known */

	uint8_t *in;
	uint32_t in_bytes, in_space;
	struct list_head out;
	bool waits_for_room;
	bool ends;		 /* once all is sent */
	bool is_of_the_dead;	 /* its node died: requests go with it */
	struct conn *next_ended; /* the server's, before it frees it */
};

/* Takes @fd.  NULL: no memory. */
struct conn *conn_new(struct gateway *g, int fd);
void conn_put(struct conn *c);

/* Gives the answer of @r to its connection, at most @bytes of it, and frees @r.  If
 * that is not all the connection ends then. */
void conn_answer(struct request *r, uint32_t bytes);

/* Send what is there.  Of one: until it would wait. */
void conn_flush_all(void);
void conn_close(struct conn *c);

/* The other end has closed it, though that may not have been noticed. */
bool conn_is_gone(const struct conn *c);

/* Read no more from it for now. */
void conn_pause(struct conn *c, bool paused);
