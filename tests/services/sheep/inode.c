/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inode.c - inodes and references.
 *
 * A real sheep counts references to an object; here an object is referenced
 * while an inode names it, which is looked up when that matters.  Its trap is
 * kept: removal comes later, whatever was written to the object meanwhile.
 */
#include "inode.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/list.h"
#include "store.h"

#define DEFAULT_OBJECT_BYTES (4U << 20)

struct removal {
	struct list_head node;
	uint64_t oid;
	uint64_t due_ns;
};

static struct list_head removals = LIST_HEAD_INIT(removals);
static uint64_t late_ns;
static uint32_t *vids;		/* of all inodes, in their order */
static size_t nr_vids;

static void found(void *ctx, uint64_t oid)
{
	(void)ctx;
	if (oid_is_inode(oid))
		inode_added(oid_vid(oid));
}

void inode_init(uint64_t late)
{
	late_ns = late;
	store_each(found, NULL);
}

/* Where @vid is in the list, or would be. */
static size_t place_of(uint32_t vid)
{
	size_t i = 0;

	while (i < nr_vids && vids[i] < vid)
		i++;
	return i;
}

void inode_added(uint32_t vid)
{
	const size_t i = place_of(vid);

	if (i < nr_vids && vids[i] == vid)
		return;
	if (nr_vids % 64 == 0) {
		uint32_t *more = reallocarray(vids, nr_vids + 64, sizeof(*vids));

		if (!more)
			return;
		vids = more;
	}
	memmove(vids + i + 1, vids + i, (nr_vids++ - i) * sizeof(*vids));
	vids[i] = vid;
}

void inode_gone(uint32_t vid)
{
	const size_t i = place_of(vid);

	if (i == nr_vids || vids[i] != vid)
		return;
	memmove(vids + i, vids + i + 1, (--nr_vids - i) * sizeof(*vids));
}

bool inode_next(uint32_t *vid)
{
	const size_t i = place_of(*vid + 1);

	if (i == nr_vids)
		return false;
	*vid = vids[i];
	return true;
}

const struct wire_inode *inode_get(uint32_t vid)
{
	return store_map(oid_inode(vid), WIRE_REFS_AT);
}

static uint32_t slot_of(const struct wire_inode *inode, uint32_t index)
{
	le32 slot;

	memcpy(&slot, (const uint8_t *)inode + WIRE_SLOTS_AT + 4UL * index,
	       sizeof(slot));
	return le32_get(slot);
}

uint32_t inode_slot(uint32_t vid, uint32_t index)
{
	const struct wire_inode *inode = inode_get(vid);

	return inode && index < WIRE_NR_SLOTS ? slot_of(inode, index) : 0;
}

bool inode_is_empty(uint32_t vid)
{
	const struct wire_inode *inode = inode_get(vid);

	for (uint32_t i = 0; inode && i < WIRE_NR_SLOTS; i++)
		if (slot_of(inode, i))
			return false;
	return true;
}

bool inode_is_snapshot(uint32_t vid)
{
	const struct wire_inode *inode = inode_get(vid);

	return inode && le64_get(inode->snap_time);
}

uint32_t inode_object_bytes(uint32_t vid)
{
	const struct wire_inode *inode = inode_get(vid);

	if (!inode || !inode->block_size_shift || inode->block_size_shift > 31)
		return DEFAULT_OBJECT_BYTES;
	return 1U << inode->block_size_shift;
}

bool inode_names(uint32_t vid, uint32_t index)
{
	if (index >= WIRE_NR_SLOTS)
		return false;
	if (inode_slot(vid, index) == vid)
		return true;
	for (uint32_t v = 0; inode_next(&v);)
		if (inode_slot(v, index) == vid)
			return true;
	return false;
}

static void remove_later(uint64_t oid)
{
	struct removal *r = late_ns ? malloc(sizeof(*r)) : NULL;

	if (!r) {
		store_remove(oid);
		return;
	}
	*r = (struct removal){ .oid = oid, .due_ns = clock_now_ns() + late_ns };
	list_add_tail(&removals, &r->node);
}

int inode_set_slots(uint32_t vid, uint32_t first, uint32_t nr,
		    const void *slots)
{
	const uint32_t bytes = 4 * nr, at = WIRE_SLOTS_AT + 4 * first;
	const struct wire_inode *inode = inode_get(vid);
	uint32_t *old;
	int res;

	if (!inode)
		return RES_NO_OBJ;
	old = malloc(bytes + 1UL);
	if (!old)
		return RES_NO_SPACE;
	for (uint32_t i = 0; i < nr; i++)
		old[i] = slot_of(inode, first + i);
	res = store_write(oid_inode(vid), at, bytes, slots);
	for (uint32_t i = 0; res == RES_SUCCESS && i < nr; i++)
		if (old[i] && old[i] != slot_of(inode, first + i) &&
		    !inode_names(old[i], first + i))
			remove_later(oid_data(old[i], first + i));
	free(old);
	return res;
}

bool inode_removal_pending(uint32_t vid, uint32_t index)
{
	struct removal *r;

	list_for_each(r, &removals, node)
		if (r->oid == oid_data(vid, index))
			return true;
	return false;
}

uint64_t inode_remove_due(uint64_t now_ns)
{
	struct removal *r, *tmp;

	list_for_each_safe(r, tmp, &removals, node) {
		if (r->due_ns > now_ns)
			return r->due_ns;
		store_remove(r->oid);
		list_del(&r->node);
		free(r);
	}
	return UINT64_MAX;
}
