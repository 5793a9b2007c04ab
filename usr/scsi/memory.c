/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/memory.c - data buffers of tasks, and who may have how much of them.
 *
 * The arena of a reactor serves all its sessions and logical units.
 *
 * A session that asks for much and takes nothing (reads whose answers it leaves in
 * the socket, writes whose data it never sends) must not starve the others: beyond
 * its share its tasks wait for its own earlier ones, in order.  A logical unit of
 * which it holds nothing gets some even then: its other units may be in stores
 * that hang.
 *
 * A store that hangs must not starve other stores: while tasks in the store hold
 * its part, others of the logical unit wait for them, whichever session they are
 * of.  What was aborted but is still in the store counts, so that an initiator
 * that comes back again and again cannot add to it.
 *
 * A logical unit that has a limit is as slow as that, and many may: it gets half of a
 * session's share, and while its requests wait for the limit a smaller part.
 */
#include <errno.h>
#include <stdlib.h>
#include "base/iov.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"
#include "scsi/task.h"

#define SHARES		32U		/* of the arena, for a session */
#define SHARE_MIN	(4ULL << 20)
#define PARTS		8U		/* of the arena, for a logical unit */
#define PARTS_THROTTLED	64U		/* ...that is held back by its limit */

struct scsi_memory_account {		/* of a device, on this reactor */
	struct list_head node;
	const struct scsi_device *dev;
	unsigned int refs;		/* I_T_L nexuses */
	uint64_t bytes;			/* of tasks in the store */
	bool starves;			/* tasks may wait for them */
};

struct scsi_memory_account *scsi_memory_account_get(const struct scsi_device *dev)
{
	struct list_head *accounts = &scsi_task_local()->accounts;
	struct scsi_memory_account *a;

	list_for_each(a, accounts, node)
		if (a->dev == dev) {
			a->refs++;
			return a;
		}
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->dev = dev;
	a->refs = 1;
	list_add(accounts, &a->node);
	return a;
}

void scsi_memory_account_put(struct scsi_memory_account *a)
{
	if (!a || --a->refs)
		return;
	assert(!a->bytes);
	list_del(&a->node);
	free(a);
}

static bool over_share(const struct scsi_task *t, uint64_t bytes)
{
	const uint64_t share = MAX(reactor_buffer_cap() / SHARES, SHARE_MIN);
	const struct scsi_itl *itl = t->itl;

	if (!itl->memory_bytes)
		return false;
	return t->nexus->memory_bytes + bytes > share ||
	       (itl->memory_bytes + bytes > share / 2 && itl->ch &&
		lu_channel_limited(itl->ch));
}

static bool over_part(const struct scsi_task *t, uint64_t bytes)
{
	const uint64_t cap = reactor_buffer_cap();
	const uint64_t held = t->itl->account->bytes;

	if (!held || likely(held + bytes <= cap / PARTS_THROTTLED))
		return false;
	return held + bytes > MAX(cap / PARTS, BUFFER_BYTES_MAX) ||
	       (t->itl->ch && lu_channel_throttled(t->itl->ch));
}

/* Its turn among those of its own I_T_L nexus; @t->finished is free in this
 * state.  In every queue somebody holds memory whose put moves it on: here one of
 * the same I_T_L nexus or device, in the reactor's queue anybody. */
static void wait_for_own(struct scsi_task *t)
{
	t->state = SCSI_TASK_BUFFER;
	t->nexus->starves = true;
	t->itl->account->starves = true;
	if (t->granted)			/* not yet: it keeps its place */
		list_add(&t->itl->starved, &t->finished);
	else
		list_add_tail(&t->itl->starved, &t->finished);
}

/* Charged before it is there, so that who waits in the reactor's queue is not
 * overtaken by others of its nexus. */
static void charge(struct scsi_task *t, uint64_t bytes)
{
	t->memory_bytes = bytes;
	t->itl->memory_bytes += bytes;
	t->nexus->memory_bytes += bytes;
}

static bool get(struct scsi_task *t, uint64_t bytes)
{
	int err;

	assert(t->itl);			/* no command of a stray needs any */
	if (!t->memory_bytes) {
		if (unlikely((!list_empty(&t->itl->starved) && !t->granted) ||
			     over_share(t, bytes) || over_part(t, bytes))) {
			wait_for_own(t);
			return false;
		}
		charge(t, bytes);
	}
	err = reactor_buffer_get(&t->data, bytes);
	if (likely(!err))
		return true;
	if (err == -EAGAIN) {
		t->state = SCSI_TASK_BUFFER;
		reactor_buffer_wait(&t->waiter);
	} else {
		scsi_task_finish(t, SCSI_BUSY);
	}
	return false;
}

bool scsi_memory_get(struct scsi_task *t, uint64_t bytes)
{
	struct buffer early;
	uint64_t off = 0;

	if (likely(!t->data.iovcnt))
		return get(t, bytes);
	if (iov_bytes(t->data.iov, t->data.iovcnt) >= bytes)
		return true;
	/* What came unasked moves to where all of it will be. */
	early = t->data;
	if (!get(t, bytes)) {
		t->data = early;
		return false;
	}
	for (int i = 0; i < early.iovcnt; i++)
		off += iov_write(t->data.iov, t->data.iovcnt, off,
				 early.iov[i].iov_base, early.iov[i].iov_len);
	reactor_buffer_put(&early);
	return true;
}

static void feed(struct scsi_itl *itl, void *arg)
{
	bool *const starves = arg;

	while (!list_empty(&itl->starved)) {
		struct scsi_task *t = list_pop(&itl->starved, struct scsi_task, finished);

		t->granted = true;
		scsi_dispatch_advance(t);
		t->granted = false;
		if (list_first(&itl->starved, struct scsi_task, finished) == t)
			break;
	}
	*starves |= !list_empty(&itl->starved);
}

static void feed_nexus(struct scsi_nexus *n)
{
	bool starves = false;

	if (!n->starves || n->closing)
		return;
	scsi_nexus_each_itl(n, feed, &starves);
	n->starves = starves;
}

struct feeding {
	struct scsi_memory_account *account;
	bool starves;
};

static void feed_of_account(struct scsi_itl *itl, void *arg)
{
	struct feeding *f = arg;

	if (itl->account == f->account)
		feed(itl, &f->starves);
}

static void feed_account_in(struct scsi_nexus *n, void *arg)
{
	if (n->starves && !n->closing)
		scsi_nexus_each_itl(n, feed_of_account, arg);
}

/* Tasks of any session may have waited for this device's part. */
static void feed_account(struct scsi_memory_account *a)
{
	struct feeding f = { .account = a };

	if (likely(!a->starves))
		return;
	a->refs++;		/* not to lose it with an I_T_L nexus meanwhile */
	scsi_nexus_each(NULL, feed_account_in, &f);
	a->starves = f.starves;
	scsi_memory_account_put(a);
}

void scsi_memory_put(struct scsi_task *t)
{
	reactor_buffer_put(&t->data);
	if (!t->memory_bytes)
		return;
	t->itl->memory_bytes -= t->memory_bytes;
	t->nexus->memory_bytes -= t->memory_bytes;
	t->memory_bytes = 0;
	feed_nexus(t->nexus);
}

void scsi_memory_enter_store(const struct scsi_task *t)
{
	t->itl->account->bytes += t->memory_bytes;
}

void scsi_memory_leave_store(const struct scsi_task *t)
{
	t->itl->account->bytes -= t->memory_bytes;
	feed_account(t->itl->account);
}
