/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inode.h - the inodes of all VDIs, read in place, and what follows when slots
 * change: objects that nobody names any more go.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "wire.h"

/*
 * @late_ns: how long after its last reference went an object is removed; a
 * cluster that recycles vids removes it before the answer (0).
 */
void inode_init(uint64_t late_ns);

/* NULL: there is no such inode object.  Valid until it is created or removed. */
const struct wire_inode *inode_get(uint32_t vid);
uint32_t inode_slot(uint32_t vid, uint32_t index);

bool inode_is_empty(uint32_t vid); /* no slot is in use */
bool inode_is_snapshot(uint32_t vid);
uint32_t inode_object_bytes(uint32_t vid); /* 4 MiB if there is no inode */

/* An inode, deleted VDIs included, has data object (@vid, @index) in its map. */
bool inode_names(uint32_t vid, uint32_t index);

/* The first inode after @vid in ascending order; false at the end. */
bool inode_next(uint32_t *vid);
/* To be told of every inode object that is made or removed. */
void inode_added(uint32_t vid);
void inode_gone(uint32_t vid);

/* Change a map.  Results of the wire.  What was named before loses a reference. */
int inode_set_slots(uint32_t vid, uint32_t first, uint32_t nr,
		    const void *slots);

/* (@vid, @index) is about to be removed. */
bool inode_removal_pending(uint32_t vid, uint32_t index);
/* Do what is due at @now_ns; returns when the next is, or UINT64_MAX. */
uint64_t inode_remove_due(uint64_t now_ns);
