/* SPDX-License-Identifier: BSD-3-Clause */
/* base/pool.c - slabs chained for freeing; free objects chained through themselves. */
#include "base/pool.h"

#include <stdlib.h>
#include "base/macros.h"

struct slab {
	struct slab *next;
	void *memory;
};

struct pool {
	size_t obj_bytes, align;
	unsigned int objs_per_slab, max;
	unsigned int total, in_use;
	void *free;		/* first word of a free object: the next one */
	struct slab *slabs;
};

struct pool *pool_new(size_t obj_bytes, size_t align, unsigned int objs_per_slab,
		      unsigned int max)
{
	struct pool *p = calloc(1, sizeof(*p));

	assert(align >= sizeof(void *) && !(align & (align - 1)));
	if (!p)
		return NULL;
	p->align = align;
	p->obj_bytes = ROUND_UP(obj_bytes, align);
	p->objs_per_slab = objs_per_slab;
	p->max = max;
	return p;
}

static void free_slabs(struct pool *p)
{
	while (p->slabs) {
		struct slab *s = p->slabs;

		p->slabs = s->next;
		free(s->memory);
		free(s);
	}
	p->free = NULL;
	p->total = 0;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	assert(!p->in_use);
	free_slabs(p);
	free(p);
}

void pool_trim(struct pool *p)
{
	if (!p->in_use)
		free_slabs(p);
}

static void grow(struct pool *p)
{
	const unsigned int n = MIN(p->objs_per_slab, p->max - p->total);
	struct slab *s;

	if (!n)
		return;
	s = malloc(sizeof(*s));
	if (!s)
		return;
	s->memory = aligned_alloc(p->align, p->obj_bytes * n);
	if (!s->memory) {
		free(s);
		return;
	}
	s->next = p->slabs;
	p->slabs = s;
	p->total += n;
	for (unsigned int i = n; i-- > 0;) {
		void **obj = (void **)(void *)((char *)s->memory + i * p->obj_bytes);

		*obj = p->free;
		p->free = obj;
	}
}

void *pool_get(struct pool *p)
{
	void **obj;

	if (unlikely(!p->free))
		grow(p);
	obj = p->free;
	if (unlikely(!obj))
		return NULL;
	p->free = *obj;
	p->in_use++;
	return obj;
}

void pool_put(struct pool *p, void *obj)
{
	assert(p->in_use > 0);
	*(void **)obj = p->free;
	p->free = obj;
	p->in_use--;
}

unsigned int pool_in_use(const struct pool *p)
{
	return p->in_use;
}
