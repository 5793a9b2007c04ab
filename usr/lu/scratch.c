/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/scratch.c - the holder of the reserve needs nothing more to finish. */
#include "lu/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include "reactor/reactor.h"

static __thread struct {
	void *memory;		/* NULL: not there yet */
	bool taken;
	struct list_head queue;	/* struct lu_scratch */
} reserve;

static void reserve_free(void)
{
	free(reserve.memory);
	reserve.memory = NULL;
}

static int reserve_init(void)
{
	if (likely(reserve.memory))
		return 0;
	list_init(&reserve.queue);
	reserve.taken = false;
	reserve.memory = aligned_alloc(4096, LU_SCRATCH_RESERVE);
	if (!reserve.memory)
		return -ENOMEM;
	if (reactor_on_exit(reactor_current(), reserve_free)) {
		reserve_free();
		return -ENOMEM;
	}
	return 0;
}

static void reserve_give(struct lu_scratch *s)
{
	reserve.taken = true;
	s->is_reserve = true;
	s->b.iovcnt = 1;
	s->b.iov[0].iov_base = reserve.memory;
	s->b.iov[0].iov_len = MIN(s->want_bytes, (uint64_t)LU_SCRATCH_RESERVE);
	s->ready(s);
}

static void granted(struct buffer_waiter *w)
{
	struct lu_scratch *s = container_of(w, struct lu_scratch, waiter);

	if (reactor_buffer_get(&s->b, s->want_bytes)) {
		reactor_buffer_wait(w);
		return;
	}
	list_del(&s->node);
	s->ready(s);
}

int lu_scratch_get(struct lu_scratch *s, uint64_t bytes,
		   void (*ready)(struct lu_scratch *s))
{
	const int err = reserve_init();

	if (err)
		return err;
	s->is_reserve = false;
	s->want_bytes = MIN(bytes, (uint64_t)LU_SCRATCH_MAX);
	s->ready = ready;
	list_init(&s->node);
	list_init(&s->waiter.node);
	s->waiter.granted = granted;
	if (!reactor_buffer_get(&s->b, s->want_bytes)) {
		ready(s);
	} else if (!reserve.taken) {
		reserve_give(s);
	} else {
		list_add_tail(&reserve.queue, &s->node);
		reactor_buffer_wait(&s->waiter);
	}
	return 0;
}

void lu_scratch_put(struct lu_scratch *s)
{
	struct lu_scratch *next;

	if (!s->is_reserve) {
		reactor_buffer_put(&s->b);
		return;
	}
	s->is_reserve = false;
	s->b.iovcnt = 0;
	reserve.taken = false;
	next = list_pop(&reserve.queue, struct lu_scratch, node);
	if (next) {
		reactor_buffer_wait_cancel(&next->waiter);
		reserve_give(next);
	}
}
