/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strict_flight.c - requests that may not be in flight together.
 *
 * A sheep executes what it has in any order, from one connection and from
 * several.  Each client (a process, if it can be told) is looked at by itself.
 */
#include <inttypes.h>
#include "conn.h"
#include "request.h"
#include "strict.h"

static struct list_head flight = LIST_HEAD_INIT(flight);

static bool changes(const struct request *r)
{
	return r->op->code != OP_READ && r->op->code != OP_FLUSH_VDI;
}

/* Nothing else of the object goes beside it. */
static bool is_alone(const struct request *r)
{
	return r->op->code == OP_CREATE || r->op->code == OP_DISCARD ||
	       r->op->code == OP_REMOVE;
}

static bool overlap(const struct request *a, const struct request *b)
{
	return a->offset < (uint64_t)b->offset + b->data_bytes &&
	       b->offset < (uint64_t)a->offset + a->data_bytes;
}

static void compare_same(const struct request *r, const struct request *old)
{
	if (is_alone(r) || is_alone(old))
		strict_breach(r, "alone", "a %s of the object is in flight",
			      old->op->name);
	else if (overlap(r, old) && changes(r) && changes(old))
		strict_breach(r, "overlap",
			      "a %s of %u bytes at %u is in flight",
			      old->op->name, old->data_bytes, old->offset);
	else if (overlap(r, old) && (changes(r) || changes(old)))
		strict_breach(r, "overlap-read",
			      "a %s of %u bytes at %u is in flight",
			      old->op->name, old->data_bytes, old->offset);
}

/* The object waits for its slot, and the slot for its object. */
static bool is_slot_of(const struct request *slots, const struct request *obj)
{
	return request_is_slots(slots) && oid_is_data(obj->oid) &&
	       changes(obj) && oid_vid(slots->oid) == oid_vid(obj->oid) &&
	       oid_index(obj->oid) - request_first_slot(slots) <
		       request_nr_slots(slots);
}

static void compare(const struct request *r, const struct request *old)
{
	if (r->conn == old->conn &&
	    le32_get(r->head.id) == le32_get(old->head.id))
		strict_breach(r, "id", "another request in flight has it");
	if (!r->op || !r->op->is_object || !old->op || !old->op->is_object ||
	    r->op->code == OP_FLUSH_VDI || old->op->code == OP_FLUSH_VDI)
		return;
	if (r->oid == old->oid)
		compare_same(r, old);
	else if (is_slot_of(r, old) || is_slot_of(old, r))
		strict_breach(r, "slot-order",
			      "a %s of %016" PRIx64 " is in flight",
			      old->op->name, old->oid);
}

void strict_flight_add(struct request *r)
{
	struct request *old;

	list_for_each(old, &flight, flight)
		if (old->conn->client == r->conn->client &&
		    (old->conn == r->conn || !conn_is_gone(old->conn)))
			compare(r, old);
	list_add_tail(&flight, &r->flight);
}
