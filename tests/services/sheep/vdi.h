/* SPDX-License-Identifier: BSD-3-Clause */
/* vdi.h - VDIs by name: lookup, new, snapshot, clone, delete. */
#pragma once
#include <stdint.h>
#include "wire.h"

struct vdi_defaults {
	uint8_t copies;
	uint8_t copy_policy;
	uint8_t block_size_shift;
	uint64_t ctime; /* of what is made, as in an inode; 0: the clock's */
};

void vdi_init(const struct vdi_defaults *defaults);
const struct vdi_defaults *vdi_get_defaults(void);

/*
 * @name and @tag are WIRE_NAME_BYTES long.  No tag and no snapid: the working
 * VDI; otherwise the newest snapshot that has the tag or the number.  Results of
 * the wire.
 */
int vdi_find(const char *name, const char *tag, uint32_t snapid,
	     uint32_t *ret_vid);

/* What NEW_VDI does: a VDI, a clone of @part->base_vid, or with a snapid a
 * snapshot of it. */
int vdi_new(const char *name, const struct wire_vdi_part *part,
	    uint32_t *ret_vid);

/* With slots left in its map: nothing, and success. */
int vdi_delete(uint32_t vid);

/* The bitmap of READ_VDIS, WIRE_VDIS_BYTES long. */
void vdi_bitmap(uint8_t *bits);
