/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vdi.c - VDIs by name.
 *
 * A vid is the hash of the name, or the next that was never used: a deleted VDI
 * keeps its inode, without a name.
 */
#include "vdi.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/macros.h"
#include "inode.h"
#include "store.h"

static struct vdi_defaults defaults;

void vdi_init(const struct vdi_defaults *d)
{
	defaults = *d;
}

const struct vdi_defaults *vdi_get_defaults(void)
{
	return &defaults;
}

static uint64_t now(void)
{
	struct timespec ts;

	if (defaults.ctime)
		return defaults.ctime;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec << 32 | (uint64_t)ts.tv_nsec;
}

/* FNV-1a, 64 bits, of the name; its low 24. */
static uint32_t vid_of_name(const char *name)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < WIRE_NAME_BYTES && name[i]; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3ULL;
	return (uint32_t)h & WIRE_VID_MAX;
}

static bool same(const char *a, const char *b)
{
	return !strncmp(a, b, WIRE_NAME_BYTES);
}

static bool matches(const struct wire_inode *inode, const char *tag,
		    uint32_t snapid)
{
	const bool snapshot = le64_get(inode->snap_time);

	if (!*tag && !snapid)
		return !snapshot;
	return snapshot && ((*tag && same(inode->tag, tag)) ||
			    (snapid && le32_get(inode->snap_id) == snapid));
}

int vdi_find(const char *name, const char *tag, uint32_t snapid,
	     uint32_t *ret_vid)
{
	const struct wire_inode *inode;
	uint32_t best = 0;
	bool any = false;

	for (uint32_t vid = 0; *name && inode_next(&vid);) {
		inode = inode_get(vid);
		if (!inode || !same(inode->name, name))
			continue;
		any = true;
		if (!matches(inode, tag, snapid))
			continue;
		if (le32_get(inode->snap_id) >= best) {
			best = le32_get(inode->snap_id);
			*ret_vid = vid;
		}
	}
	if (best)
		return RES_SUCCESS;
	return any && (*tag || snapid) ? RES_NO_TAG : RES_NO_VDI;
}

static uint32_t last_snap_id(const char *name)
{
	const struct wire_inode *inode;
	uint32_t last = 0;

	for (uint32_t vid = 0; inode_next(&vid);) {
		inode = inode_get(vid);
		if (inode && same(inode->name, name))
			last = MAX(last, le32_get(inode->snap_id));
	}
	return last;
}

static int free_vid(const char *name, uint32_t *ret_vid)
{
	uint32_t vid = vid_of_name(name);

	for (uint32_t tried = 0; tried < WIRE_VID_MAX; tried++) {
		if (vid && !store_has(oid_inode(vid))) {
			*ret_vid = vid;
			return RES_SUCCESS;
		}
		vid = (vid + 1) & WIRE_VID_MAX;
	}
	return RES_FULL_VDI;
}

static int end_as_snapshot(uint32_t vid)
{
	const le64 t = le64_make(now());

	return store_write(oid_inode(vid),
			   offsetof(struct wire_inode, snap_time), sizeof(t),
			   &t);
}

static int make(uint32_t vid, const char *name,
		const struct wire_vdi_part *part)
{
	const uint32_t base = le32_get(part->base_vid);
	struct wire_inode *inode = calloc(1, WIRE_REFS_AT);
	int res;

	if (!inode)
		return RES_SYSTEM_ERROR;
	if (base)
		memcpy((char *)inode + WIRE_SLOTS_AT,
		       (const char *)inode_get(base) + WIRE_SLOTS_AT,
		       WIRE_REFS_AT - WIRE_SLOTS_AT);
	memcpy(inode->name, name, WIRE_NAME_BYTES);
	inode->ctime = le64_make(now());
	inode->vdi_bytes = part->vdi_bytes;
	inode->copy_policy = part->copy_policy ? part->copy_policy :
						 defaults.copy_policy;
	inode->store_policy = part->store_policy;
	inode->nr_copies = part->copies ? part->copies : defaults.copies;
	inode->block_size_shift = part->block_size_shift ?
					  part->block_size_shift :
					  defaults.block_size_shift;
	inode->snap_id = le32_make(last_snap_id(name) + 1);
	inode->vid = le32_make(vid);
	inode->parent_vid = part->base_vid;
	res = store_create(oid_inode(vid), WIRE_INODE_BYTES, 0, WIRE_REFS_AT,
			   inode, 0);
	free(inode);
	if (res == RES_SUCCESS)
		inode_added(vid);
	return res;
}

int vdi_new(const char *name, const struct wire_vdi_part *part,
	    uint32_t *ret_vid)
{
	const char no_tag[WIRE_NAME_BYTES] = "";
	const uint32_t base = le32_get(part->base_vid);
	const bool snapshot = le32_get(part->snapid);
	uint32_t working = 0, vid;
	int res;

	if (!*name)
		return RES_INVALID_PARMS;
	res = vdi_find(name, no_tag, 0, &working);
	if (!snapshot && res == RES_SUCCESS)
		return RES_VDI_EXIST;
	if (snapshot && res != RES_SUCCESS)
		return res;
	if (snapshot && working != base)
		return RES_INVALID_PARMS;
	if (base && !inode_get(base))
		return RES_BASE_VDI_READ;
	res = free_vid(name, &vid);
	if (res != RES_SUCCESS)
		return res;
	res = make(vid, name, part);
	if (res == RES_SUCCESS && snapshot)
		res = end_as_snapshot(base);
	if (res == RES_SUCCESS)
		*ret_vid = vid;
	return res;
}

int vdi_delete(uint32_t vid)
{
	const char no_name[WIRE_NAME_BYTES] = "";
	const le64 no_bytes = le64_make(0);
	int res;

	if (!inode_is_empty(vid))
		return RES_SUCCESS;
	res = store_write(oid_inode(vid),
			  offsetof(struct wire_inode, vdi_bytes),
			  sizeof(no_bytes), &no_bytes);
	if (res == RES_SUCCESS)
		res = store_write(oid_inode(vid),
				  offsetof(struct wire_inode, name),
				  WIRE_NAME_BYTES, no_name);
	return res;
}

void vdi_bitmap(uint8_t *bits)
{
	memset(bits, 0, WIRE_VDIS_BYTES);
	for (uint32_t vid = 0; inode_next(&vid);)
		bits[vid / 8] |= (uint8_t)BIT(vid % 8);
}
