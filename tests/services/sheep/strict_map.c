/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strict_map.c - requests against maps and objects: what of them would lose data
 * now, or would have lost it had someone died between them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "conn.h"
#include "inode.h"
#include "lock.h"
#include "request.h"
#include "store.h"
#include "strict.h"
#include "vdi.h"

/* Objects that were made and that no map names yet. */
struct unslotted {
	struct list_head node;
	uint64_t oid;
};

/* Who has written to which VDI. */
struct writer {
	struct list_head node;
	uint32_t client;
	uint32_t vid;
};

static struct list_head unslotted = LIST_HEAD_INIT(unslotted);
static struct list_head writers = LIST_HEAD_INIT(writers);

static bool is_flat(uint32_t vid)
{
	const struct wire_inode *inode = inode_get(vid);

	return inode && !inode->store_policy;
}

/* --- creates ------------------------------------------------------------- */

/* What a create may copy: what the map names, or, where a snapshot came between
 * a create and its slot, the object of an ancestor. */
static bool is_base(uint32_t vid, uint32_t index, uint64_t cow_oid)
{
	const uint32_t from = oid_vid(cow_oid), slot = inode_slot(vid, index);
	const struct wire_inode *inode = inode_get(vid);

	if (oid_index(cow_oid) != index)
		return false;
	if (from == slot)
		return slot != vid;
	for (int depth = 0; inode && depth < 1000; depth++) {
		const uint32_t parent = le32_get(inode->parent_vid);

		if (parent && parent == from)
			return inode_slot(from, index) == from;
		inode = inode_get(parent);
	}
	return false;
}

/* What @r would leave of an object that is there differs from what it has now, apart
 * from the payload. */
static bool loses_data(const struct request *r)
{
	const uint32_t bytes = inode_object_bytes(oid_vid(r->oid));
	const uint64_t cow_oid = le64_get(r->head.obj.cow_oid);
	const uint32_t end = MIN(r->offset + r->payload_bytes, bytes);
	uint8_t *is = malloc(bytes), *will_be = calloc(1, bytes);
	bool differs = true;

	if (is && will_be && r->offset <= bytes &&
	    store_read(r->oid, 0, bytes, is) == RES_SUCCESS) {
		if (r->flags & FLAG_COW)
			(void)store_read(cow_oid, 0, bytes, will_be);
		differs = memcmp(is, will_be, r->offset) != 0 ||
			  memcmp(is + end, will_be + end, bytes - end) != 0;
	}
	free(is);
	free(will_be);
	return differs;
}

static void check_create(const struct request *r)
{
	const uint32_t vid = oid_vid(r->oid), index = oid_index(r->oid);
	const uint32_t slot = inode_slot(vid, index);
	const bool whole = !r->offset &&
			   r->payload_bytes >= inode_object_bytes(vid);

	if (!oid_is_data(r->oid)) {
		if (oid_is_inode(r->oid))
			strict_breach(r, "inode-create", "it wipes the inode");
		return;
	}
	if (inode_is_snapshot(vid) || !is_flat(vid))
		return;
	if (inode_removal_pending(vid, index))
		strict_breach(r, "create-removed",
			      "the object is about to be removed");
	if (slot == vid && store_has(r->oid) &&
	    (!strict_is_excused() || loses_data(r)))
		strict_breach(r, "create-exists", "it wipes what is there");
	if (slot == vid || whole)
		return;
	if (!(r->flags & FLAG_COW) && slot)
		strict_breach(r, "cow-base",
			      "without a copy of the base 0x%06x", slot);
	if (r->flags & FLAG_COW &&
	    !is_base(vid, index, le64_get(r->head.obj.cow_oid)))
		strict_breach(r, "cow-base",
			      "copies %016" PRIx64 ", the slot is 0x%06x",
			      le64_get(r->head.obj.cow_oid), slot);
}

/* --- what no map names --------------------------------------------------- */

static void check_named(const struct request *r)
{
	const uint32_t vid = oid_vid(r->oid), index = oid_index(r->oid);

	if (!oid_is_data(r->oid) || !store_has(r->oid) || !is_flat(vid))
		return;
	if (r->op->code == OP_WRITE ? inode_slot(vid, index) != vid :
				      !inode_names(vid, index))
		strict_breach(r, "unslotted", "no map has the object");
}

static struct unslotted *find_unslotted(uint64_t oid)
{
	struct unslotted *u;

	list_for_each(u, &unslotted, node)
		if (u->oid == oid)
			return u;
	return NULL;
}

static void note_created(const struct request *r)
{
	struct unslotted *u;

	if (!oid_is_data(r->oid) || !is_flat(oid_vid(r->oid)) ||
	    find_unslotted(r->oid) ||
	    inode_slot(oid_vid(r->oid), oid_index(r->oid)) == oid_vid(r->oid))
		return;
	u = malloc(sizeof(*u));
	if (!u)
		return;
	u->oid = r->oid;
	list_add_tail(&unslotted, &u->node);
}

static void note_named(void)
{
	struct unslotted *u, *tmp;

	list_for_each_safe(u, tmp, &unslotted, node) {
		if (store_has(u->oid) &&
		    !inode_names(oid_vid(u->oid), oid_index(u->oid)))
			continue;
		list_del(&u->node);
		free(u);
	}
}

/* A client that goes in peace has named all that it made. */
static void check_release(const struct request *r)
{
	const uint32_t vid = le32_get(r->head.vdi.base_vid);
	const struct unslotted *u;

	if (strict_is_excused())
		return;
	list_for_each(u, &unslotted, node)
		if (oid_vid(u->oid) == vid)
			strict_breach(r, "unslotted",
				      "%016" PRIx64 " never got its slot",
				      u->oid);
}

/* --- writes of inodes ---------------------------------------------------- */

static void check_slot(const struct request *r, uint32_t index, uint32_t value)
{
	const uint32_t vid = oid_vid(r->oid), old = inode_slot(vid, index);

	if (value == old) {
		if (value && !strict_is_excused())
			strict_breach(r, "slot-unchanged",
				      "slot %u is 0x%06x already", index, old);
		return;
	}
	if (value && value != vid)
		strict_breach(r, "slot-value", "slot %u would be 0x%06x", index,
			      value);
	else if (value && !store_has(oid_data(value, index)))
		strict_breach(r, "slot-order",
			      "slot %u names an object that is not there",
			      index);
}

static void check_slots(const struct request *r)
{
	const uint32_t first = request_first_slot(r);
	le32 value;

	if ((r->offset - WIRE_SLOTS_AT) % 4 || r->payload_bytes % 4) {
		strict_breach(r, "slot-range", "it cuts a slot");
		return;
	}
	for (uint32_t i = 0; i < r->payload_bytes / 4; i++) {
		memcpy(&value, r->payload + 4UL * i, sizeof(value));
		check_slot(r, first + i, le32_get(value));
	}
}

/* Of the head a client may write the tag and the size. */
static bool is_for_clients(const struct request *r)
{
	static const struct {
		uint32_t from, to;
	} fields[] = {
		{ offsetof(struct wire_inode, tag),
		  offsetof(struct wire_inode, ctime) },
		{ offsetof(struct wire_inode, vdi_bytes),
		  offsetof(struct wire_inode, vm_state_bytes) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (r->offset >= fields[i].from &&
		    r->offset + r->payload_bytes <= fields[i].to)
			return true;
	return false;
}

static void check_inode_write(const struct request *r)
{
	const uint32_t vid = oid_vid(r->oid);

	if (!inode_get(vid))
		return;
	if (!is_flat(vid)) {
		if (request_is_slots(r))
			strict_breach(r, "slot-range",
				      "a tree is taken for a flat map");
		return;
	}
	if (request_is_slots(r))
		check_slots(r);
	else if (r->offset < WIRE_SLOTS_AT &&
		 r->offset + r->payload_bytes > WIRE_SLOTS_AT)
		strict_breach(r, "slot-range", "it begins before the map");
	else if (!is_for_clients(r))
		strict_breach(r, "inode-header",
			      "not the tag, the size or slots");
}

/* --- locks, snapshots ---------------------------------------------------- */

static bool descends(uint32_t vid, uint32_t from)
{
	const struct wire_inode *inode = inode_get(vid),
				*base = inode_get(from);

	for (int depth = 0; inode && base && depth < 1000; depth++) {
		const uint32_t parent = le32_get(inode->parent_vid);

		if (strncmp(inode->name, base->name, WIRE_NAME_BYTES) != 0)
			return false;
		if (parent == from)
			return true;
		inode = inode_get(parent);
	}
	return false;
}

/* Who has once written to what came after a snapshot writes no more to it. */
static void check_writer(const struct request *r)
{
	const uint32_t vid = oid_vid(r->oid);
	const struct writer *w;

	if (lock_enabled() && !lock_held(vid) && !inode_is_snapshot(vid))
		strict_breach(r, "unlocked", "nobody has locked the VDI");
	if (!inode_is_snapshot(vid))
		return;
	list_for_each(w, &writers, node)
		if (w->client == r->conn->client && descends(w->vid, vid)) {
			strict_breach(r, "old-vid",
				      "it has written to 0x%06x already",
				      w->vid);
			return;
		}
}

static void note_writer(const struct request *r)
{
	struct writer *w;

	list_for_each(w, &writers, node)
		if (w->client == r->conn->client && w->vid == oid_vid(r->oid))
			return;
	w = malloc(sizeof(*w));
	if (!w)
		return;
	*w = (struct writer){ .client = r->conn->client,
			      .vid = oid_vid(r->oid) };
	list_add_tail(&writers, &w->node);
}

static void check_discard(const struct request *r)
{
	const uint32_t vid = oid_vid(r->oid);

	if (inode_is_snapshot(vid))
		strict_breach(r, "discard", "of a snapshot's object");
	else if (inode_get(vid) && !inode_slot(vid, oid_index(r->oid)) &&
		 !strict_is_excused())
		strict_breach(r, "discard", "the slot is empty");
}

static void check_new(const struct request *r)
{
	const uint32_t base = le32_get(r->head.vdi.base_vid);

	if (base && !le32_get(r->head.vdi.snapid) && inode_get(base) &&
	    !inode_is_snapshot(base))
		strict_breach(r, "clone-base", "0x%06x is no snapshot", base);
}

static void check_delete(const struct request *r)
{
	const char *name = (const char *)r->payload;
	uint32_t vid;

	if (r->payload_bytes == 2UL * WIRE_NAME_BYTES &&
	    !vdi_find(name, name + WIRE_NAME_BYTES,
		      le32_get(r->head.vdi.snapid), &vid) &&
	    !inode_is_empty(vid))
		strict_breach(r, "delete-mapped",
			      "0x%06x has slots left, nothing happens", vid);
}

void strict_map_before(const struct request *r)
{
	const bool is_data = r->op->is_object && oid_is_data(r->oid);

	switch (r->op->code) {
	case OP_CREATE:
		check_create(r);
		break;
	case OP_READ:
		check_named(r);
		break;
	case OP_WRITE:
		check_named(r);
		if (oid_is_inode(r->oid))
			check_inode_write(r);
		break;
	case OP_DISCARD:
		check_discard(r);
		break;
	case OP_RELEASE_VDI:
		check_release(r);
		break;
	case OP_NEW_VDI:
		check_new(r);
		break;
	case OP_DEL_VDI:
		check_delete(r);
		break;
	}
	if (is_data && r->op->has_payload)
		check_writer(r);
}

void strict_map_after(const struct request *r)
{
	if (r->result != RES_SUCCESS)
		return;
	if (r->op->code == OP_CREATE)
		note_created(r);
	if (request_is_slots(r) || r->op->code == OP_DISCARD)
		note_named();
	if (r->op->is_object && oid_is_data(r->oid) && r->op->has_payload)
		note_writer(r);
}
