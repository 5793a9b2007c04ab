/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock.h - locks of VDIs.  Their owner is a node (a gateway), not a connection:
 * they outlive clients, and normal ones also the server.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum lock_type { LOCK_NORMAL, LOCK_SHARED };

/* Take those of the last run from @file, and keep them there.  Not @on:
 * every lock is granted, and none is kept.  -errno. */
int lock_open(const char *file, bool on);

/* Results of the wire. */
int lock_take(uint32_t vid, uint32_t type, unsigned int node);
void lock_release(uint32_t vid, uint32_t type, unsigned int node);
void lock_release_any(uint32_t vid); /* as an administrator does */
void lock_node_died(unsigned int node);

/* Coherence of maps between those that share a lock. */
bool lock_is_invalidated(uint32_t vid, unsigned int node);
void lock_map_changed(uint32_t vid, unsigned int node);
void lock_map_read(uint32_t vid, unsigned int node);

bool lock_enabled(void);
/* For the checks: someone has locked @vid; @node has a shared lock of it. */
bool lock_held(uint32_t vid);
bool lock_shared_by(uint32_t vid, unsigned int node);

/* One line each, "vid normal" or "vid shared node=state ...", for people and
 * tests; at most @bytes. */
void lock_list(char *text, unsigned int bytes);
