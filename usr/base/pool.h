/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/pool.h - objects of one size, recycled without malloc.
 *
 * One thread owns a pool.  It grows by slabs up to @max objects and never
 * shrinks below what is in use; pool_get() returns NULL at the cap, which is
 * for the caller to answer.  Objects are not cleared.
 */
#pragma once
#include <stddef.h>

struct pool;

/* @align: a power of two, at least sizeof(void *).  NULL: out of memory. */
struct pool *pool_new(size_t obj_bytes, size_t align, unsigned int objs_per_slab,
		      unsigned int max);
void pool_free(struct pool *p);		/* every object must be back */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *obj);
unsigned int pool_in_use(const struct pool *p);

/* Give slabs back to the system if no object is in use. */
void pool_trim(struct pool *p);
