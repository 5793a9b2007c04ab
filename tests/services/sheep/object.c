/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * object.c - what the requests for objects do, traps included: a create wipes
 * what was there, a discard does not ask whose snapshot it is.
 */
#include "object.h"

#include <string.h>
#include "conn.h"
#include "gateway.h"
#include "inode.h"
#include "lock.h"
#include "request.h"
#include "store.h"

/* A map that may be old, and a client that wants to know. */
static bool is_stale(const struct request *r)
{
	return r->flags & FLAG_TGT &&
	       lock_is_invalidated(oid_vid(r->oid), r->conn->gateway->node);
}

static bool may_change(struct request *r)
{
	if (is_stale(r))
		r->result = RES_INODE_INVALIDATED;
	else if (oid_is_data(r->oid) && inode_is_snapshot(oid_vid(r->oid)))
		r->result = RES_READONLY;
	return r->result == RES_SUCCESS;
}

static uint32_t bytes_of(uint64_t oid)
{
	return oid_is_data(oid)	 ? inode_object_bytes(oid_vid(oid)) :
	       oid_is_inode(oid) ? WIRE_INODE_BYTES :
				   4U << 20;
}

void object_create(struct request *r)
{
	const uint64_t cow =
		r->flags & FLAG_COW ? le64_get(r->head.obj.cow_oid) : 0;

	if (!may_change(r))
		return;
	r->result = (uint32_t)store_create(r->oid, bytes_of(r->oid), r->offset,
					   r->payload_bytes, r->payload, cow);
	if (r->result == RES_SUCCESS && oid_is_inode(r->oid))
		inode_added(oid_vid(r->oid));
}

void object_read(struct request *r)
{
	const bool whole_map = oid_is_inode(r->oid) && !r->offset &&
			       r->data_bytes == WIRE_REFS_AT;
	void *to;

	if (is_stale(r) && !whole_map) {
		r->result = RES_INODE_INVALIDATED;
		return;
	}
	if (r->data_bytes > WIRE_MAX_BYTES)
		r->result = RES_INVALID_PARMS;
	else if (!store_has(r->oid))
		r->result = RES_NO_OBJ;
	if (r->result != RES_SUCCESS)
		return;
	to = request_reply_payload(r, r->data_bytes);
	if (!to)
		return;
	r->result = (uint32_t)store_read(r->oid, r->offset, r->data_bytes, to);
	if (whole_map)
		lock_map_read(oid_vid(r->oid), r->conn->gateway->node);
}

/* A range that cuts a slot in two is no client's; it is written as it is. */
static int write_slots(struct request *r)
{
	const uint32_t first = request_first_slot(r), nr = request_nr_slots(r);
	int res;

	if ((r->offset - WIRE_SLOTS_AT) % 4 || r->payload_bytes % 4)
		res = store_write(r->oid, r->offset, r->payload_bytes,
				  r->payload);
	else
		res = inode_set_slots(oid_vid(r->oid), first, nr, r->payload);
	if (res == RES_SUCCESS)
		lock_map_changed(oid_vid(r->oid), r->conn->gateway->node);
	return res;
}

void object_write(struct request *r)
{
	if (!may_change(r))
		return;
	if (request_is_slots(r))
		r->result = (uint32_t)write_slots(r);
	else
		r->result = (uint32_t)store_write(r->oid, r->offset,
						  r->payload_bytes, r->payload);
}

void object_remove(struct request *r)
{
	if (!store_has(r->oid)) {
		r->result = RES_NO_OBJ;
		return;
	}
	if (oid_is_inode(r->oid))
		inode_gone(oid_vid(r->oid));
	store_remove(r->oid);
}

/* Neither snapshots nor old maps are protected. */
void object_discard(struct request *r)
{
	const uint32_t vid = oid_vid(r->oid), index = oid_index(r->oid);
	const le32 none = le32_make(0);

	if (!oid_is_data(r->oid) || index >= WIRE_NR_SLOTS) {
		r->result = RES_INVALID_PARMS;
		return;
	}
	if (!inode_get(vid)) {
		r->result = RES_NO_OBJ;
		return;
	}
	if (!inode_slot(vid, index))
		return;
	r->result = (uint32_t)store_write(
		oid_inode(vid), WIRE_SLOTS_AT + 4 * index, sizeof(none), &none);
	if (r->result != RES_SUCCESS)
		return;
	store_remove(r->oid);
	lock_map_changed(vid, r->conn->gateway->node);
}

void object_describe_vdi(uint32_t vid, uint8_t *copies,
			 uint8_t *block_size_shift)
{
	const struct wire_inode *inode = inode_get(vid);

	if (!inode)
		return;
	*copies = inode->nr_copies;
	*block_size_shift = inode->block_size_shift;
}
