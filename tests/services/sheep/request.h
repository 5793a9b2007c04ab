/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.h - one request, from its arrival to its answer.
 *
 * arrived -> (held back) -> executed -> (held back) -> answered.  In flight is
 * what has arrived and is not answered: that is what a client cannot know the
 * order of.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "wire.h"

struct conn;
struct fault;

struct request {
	struct list_head queue;	 /* of the server: it waits there */
	struct list_head flight; /* while in flight */
	struct conn *conn;	 /* holds a reference */

	struct wire_request head;
	uint8_t *payload;
	uint32_t payload_bytes;

	/* Decoded from the head. */
	const struct op *op; /* NULL: there is no such */
	uint16_t flags;
	uint32_t data_bytes;
	uint64_t oid; /* of object requests, otherwise 0 */
	uint32_t offset;

	/* What is to happen to it. */
	const struct fault *fault; /* NULL: nothing bad */
	uint64_t due_ns;	   /* not before */
	bool executed;

	/* The answer. */
	uint32_t result;
	struct wire_reply *reply; /* followed by its payload */
	uint32_t reply_bytes;	  /* of the payload */
};

/* What a request may be. */
struct op {
	const char *name; /* of rules and counters */
	uint8_t code;
	bool is_object; /* the object part of the head applies */
	bool has_payload;
	void (*run)(struct request *r);
};

const struct op *op_of_code(uint8_t code);
const struct op *op_of_name(const char *name);
/* The table, for those who go through it. */
extern const struct op ops[];
extern const unsigned int nr_ops;

/* Takes @payload.  NULL: no memory. */
struct request *request_new(struct conn *c, const struct wire_request *head,
			    uint8_t *payload, uint32_t payload_bytes);
void request_free(struct request *r);

/* Run it, or do not: sets the answer. */
void request_execute(struct request *r);
void request_refuse(struct request *r, uint32_t result);

/* For run(): memory for @bytes of payload of the answer; NULL: the result is set. */
void *request_reply_payload(struct request *r, uint32_t bytes);

/* Epoch of the cluster: in every answer. */
extern uint32_t request_epoch;

/* --- what a request is about --- */

/* A write of the inode that lies wholly within the map. */
bool request_is_slots(const struct request *r);
/* Of such a one: which slots it touches. */
uint32_t request_first_slot(const struct request *r);
uint32_t request_nr_slots(const struct request *r);
