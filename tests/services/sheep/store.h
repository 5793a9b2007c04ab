/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.h - objects on disk: one file each, DIR/obj/<oid in hex>.  Results are
 * those of the wire (enum wire_result).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Make @dir if it is not there, and learn which objects it has.  -errno. */
int store_open(const char *dir);

/* There were objects when it was opened. */
bool store_was_used(void);

bool store_has(uint64_t oid);

/* What lies beyond the end of the object comes as a pattern: a client has no
 * business there. */
int store_read(uint64_t oid, uint32_t off, uint32_t bytes, void *to);

/* Writes beyond the end make the object longer. */
int store_write(uint64_t oid, uint32_t off, uint32_t bytes, const void *from);

/*
 * Replaces what is there, at once: another process sees the old or the new
 * object, also after a kill.  What @from does not cover is a copy of @cow_oid,
 * or zero if that is 0.
 */
int store_create(uint64_t oid, uint32_t object_bytes, uint32_t off,
		 uint32_t bytes, const void *from, uint64_t cow_oid);

void store_remove(uint64_t oid);

/* The bytes of an object that is read often; NULL if it is not there.  Valid
 * until the object is created or removed. */
const void *store_map(uint64_t oid, uint32_t bytes);

/* Call @found for each object; it may remove it. */
void store_each(void (*found)(void *ctx, uint64_t oid), void *ctx);
