/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/latency.c - a row per reactor, control's the first; the owner alone writes it. */
#include "lu/latency.h"

#include <errno.h>
#include <stdlib.h>
#include "lu/internal.h"

const char *const lu_latency_names[LU_LATENCY_NR_KINDS] = {
	[LU_LATENCY_READ] = "read",
	[LU_LATENCY_WRITE] = "write",
	[LU_LATENCY_FLUSH] = "flush",
	[LU_LATENCY_UNMAP] = "unmap",
	[LU_LATENCY_OTHER] = "other",
};

static const uint8_t kinds[LU_NR_OPS] = {
	[LU_READ] = LU_LATENCY_READ,
	[LU_WRITE] = LU_LATENCY_WRITE,
	[LU_FLUSH] = LU_LATENCY_FLUSH,
	[LU_UNMAP] = LU_LATENCY_UNMAP,
	[LU_WRITE_ZEROES] = LU_LATENCY_OTHER,
	[LU_WRITE_SAME] = LU_LATENCY_OTHER,
	[LU_VERIFY] = LU_LATENCY_OTHER,
	[LU_COMPARE_AND_WRITE] = LU_LATENCY_OTHER,
	[LU_ORWRITE] = LU_LATENCY_OTHER,
	[LU_WRITE_ATOMIC] = LU_LATENCY_OTHER,
	[LU_PREFETCH] = LU_LATENCY_OTHER,
	[LU_BLOCK_STATUS] = LU_LATENCY_OTHER,
	[LU_COPY] = LU_LATENCY_OTHER,
};

int lu_latency_init(struct lu *lu, unsigned int reactors)
{
	lu->latency = calloc(reactors + 1, sizeof(lu->latency[0]));
	if (!lu->latency)
		return -ENOMEM;
	lu->nr_latency = reactors + 1;
	return 0;
}

void lu_latency_fini(struct lu *lu)
{
	for (unsigned int i = 0; i < lu->nr_latency; i++)
		for (unsigned int k = 0; k < LU_LATENCY_NR_KINDS; k++)
			free(atomic_load(&lu->latency[i].of[k]));
	free(lu->latency);
}

struct lu_latency *lu_latency_here(struct lu *lu)
{
	const unsigned int row = (unsigned int)(reactor_id(reactor_current()) + 1);

	assert(row < lu->nr_latency);
	return &lu->latency[row];
}

/* Without memory for it nothing is counted. */
static struct histogram *make(struct histogram *_Atomic *slot)
{
	struct histogram *h = calloc(1, sizeof(*h));

	atomic_store_explicit(slot, h, memory_order_release);
	return h;
}

void lu_latency_add(struct lu_channel *ch, unsigned int op, uint64_t ns)
{
	struct histogram *_Atomic *slot = &ch->latency->of[kinds[op]];
	struct histogram *h = atomic_load_explicit(slot, memory_order_relaxed);

	if (unlikely(!h))
		h = make(slot);
	if (likely(h))
		histogram_add(h, ns);
}

void lu_latency_sum(const struct lu *lu, enum lu_latency_kind kind, struct histogram *sum)
{
	for (unsigned int i = 0; i < lu->nr_latency; i++) {
		const struct histogram *h =
			atomic_load_explicit(&lu->latency[i].of[kind],
					     memory_order_acquire);

		if (h)
			histogram_merge(sum, h);
	}
}
