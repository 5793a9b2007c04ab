/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/task.c - the life of a task, its result, and its I/O.
 *
 * A task ends in one of two ways: its status becomes known (finish), or it is
 * aborted.  Both may happen while its I/O is still in the store; the reference
 * that the store holds then keeps the task and its buffer, and nothing else
 * follows when the I/O returns, except that task management is told.
 *
 * Results that are known within a call of the transport wait in a list of the
 * reactor for the COMPLETE stage; those that a store brings are passed on at
 * once.
 */
#include "scsi/task.h"

#include <errno.h>
#include <string.h>
#include "base/iov.h"
#include "base/probe.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"

static __thread struct scsi_local local;

static void respond(struct scsi_task *t)
{
	PROBE(scsi, task_respond, t->nexus->id, t->tag, t->status);
	t->state = SCSI_TASK_DONE;
	t->transport->respond(t);
}

static void deliver(struct reactor_hook *h)
{
	struct scsi_local *l = container_of(h, struct scsi_local, deliver);
	struct list_head batch;
	struct scsi_task *t;

	list_init(&batch);
	list_splice_tail(&batch, &l->finished);
	while ((t = list_pop(&batch, struct scsi_task, finished))) {
		if (t->state == SCSI_TASK_COLLECT)
			t->transport->collect(t);
		else
			respond(t);
	}
	scsi_tmf_deliver(&l->answers);
}

struct scsi_local *scsi_task_local(void)
{
	struct scsi_local *l = &local;

	if (unlikely(!l->deliver.run)) {
		list_init(&l->nexuses);
		list_init(&l->finished);
		list_init(&l->answers);
		list_init(&l->lingering);
		list_init(&l->copying);
		list_init(&l->accounts);
		list_init(&l->waits);
		reactor_hook_init(&l->deliver, deliver);
	}
	return l;
}

void scsi_task_deliver_later(struct scsi_task *t)
{
	list_add_tail(&local.finished, &t->finished);
	reactor_hook_arm(reactor_current(), &local.deliver, REACTOR_COMPLETE);
}

/* --- references --- */

static void waiter_granted(struct buffer_waiter *w)
{
	scsi_dispatch_advance(container_of(w, struct scsi_task, waiter));
}

void scsi_task_init(struct scsi_task *t)
{
	t->cmd = NULL;
	t->itl = NULL;
	t->dev = NULL;
	t->lba = t->nr = t->want_bytes = t->out_bytes = t->in_bytes = 0;
	t->data.iovcnt = 0;
	t->status = SCSI_GOOD;
	t->sense_bytes = 0;
	t->state = SCSI_TASK_NEW;
	t->memory_bytes = 0;
	t->granted = t->aborted = t->started = t->in_store = t->collected = false;
	t->background = t->copies = false;
	t->copies_to = NULL;
	t->may_borrow = false;
	t->loan.p = NULL;
	t->loan_faulted = false;
	t->lingers = 0;
	t->refs = 1;
	list_init(&t->copying);
	list_init(&t->node);
	list_init(&t->finished);
	list_init(&t->waiter.node);
	t->waiter.granted = waiter_granted;
	t->io.iov = NULL;
	t->io.flags = 0;
	t->step = 0;
	t->after_io = NULL;
}

static void give_back(struct scsi_task *t)
{
	lu_loan_put(&t->loan, t->loan_faulted);
	t->data.iovcnt = 0;
	scsi_task_set_sent(t);
}

void scsi_task_put(struct scsi_task *t)
{
	struct scsi_nexus *n = t->nexus;
	struct scsi_itl *itl = t->itl;
	const bool started = t->started;

	assert(t->refs > 0);
	if (--t->refs)
		return;
	list_del(&t->node);
	if (t->loan.p)
		give_back(t);
	scsi_memory_put(t);
	t->transport->release(t);
	if (started)
		scsi_nexus_task_gone(n, itl);
}

bool scsi_task_in_store(const struct scsi_task *t)
{
	return t->in_store && (t->aborted || t->state == SCSI_TASK_DONE);
}

/* --- the end --- */

static void count_result(struct scsi_task *t)
{
	struct lu_stats *s;

	if (!t->itl || !t->cmd || t->cmd->unit != SCSI_UNIT_BLOCKS)
		return;
	s = &t->itl->stats;
	if (t->status != SCSI_GOOD) {
		lu_stats_add(&s->errs, 1);
	} else if (t->cmd->flags & SCSI_CMD_WRITES) {
		lu_stats_add(&s->wr_done_cmds, 1);
		lu_stats_add(&s->wr_done_bytes, t->out_bytes);
	} else {
		lu_stats_add(&s->rd_done_cmds, 1);
		lu_stats_add(&s->rd_done_bytes, t->in_bytes);
	}
}

static void set_result(struct scsi_task *t, enum scsi_status status)
{
	t->status = status;
	if (status != SCSI_GOOD)
		t->in_bytes = 0;
	if (status != SCSI_CHECK_CONDITION)
		t->sense_bytes = 0;
	t->state = SCSI_TASK_DONE;
	count_result(t);
	scsi_task_set_leave(t);
}

void scsi_task_finish(struct scsi_task *t, enum scsi_status status)
{
	set_result(t, status);
	scsi_task_deliver_later(t);
}

void scsi_task_complete(struct scsi_task *t, enum scsi_status status)
{
	if (t->aborted || t->state == SCSI_TASK_DONE)
		return;
	list_del(&t->finished);		/* it was to be collected for */
	scsi_task_finish(t, status);
}

/* It has ended, but for what is in the store. */
static void linger(struct scsi_task *t)
{
	t->lingers = ++local.lingered;
	list_add_tail(&local.lingering, &t->finished);
	if (!t->copies)
		lu_io_cancel(&t->io);
	else if (!t->background)
		t->stop(t, -ECANCELED);
}

void scsi_task_end(struct scsi_task *t, enum scsi_status status)
{
	if (t->aborted || t->state == SCSI_TASK_DONE)
		return;
	reactor_buffer_wait_cancel(&t->waiter);
	list_del(&t->finished);
	set_result(t, status);
	if (!t->in_store) {
		scsi_task_deliver_later(t);
		return;
	}
	/* t->finished is needed for the other list, so the answer goes now; a
	 * caller is never within the transport's own call. */
	linger(t);
	respond(t);
}

void scsi_task_abort(struct scsi_task *t)
{
	if (!scsi_task_is_owed(t))
		return;
	PROBE(scsi, task_abort, t->nexus->id, t->tag, t->state);
	t->aborted = true;
	reactor_buffer_wait_cancel(&t->waiter);
	list_del(&t->finished);
	if (t->state != SCSI_TASK_DONE)
		scsi_task_set_leave(t);
	t->state = SCSI_TASK_DONE;
	if (t->in_store)
		linger(t);
	t->transport->aborted(t);
}

/* --- results for handlers --- */

enum scsi_status scsi_task_reply(struct scsi_task *t, const void *d, size_t bytes)
{
	const size_t n = MIN(bytes, t->nr);

	t->want_bytes = n;
	t->in_bytes = 0;
	if (!n)
		return SCSI_GOOD;
	reactor_buffer_put(&t->data);
	if (reactor_buffer_get(&t->data, n) < 0)
		return SCSI_BUSY;
	iov_write(t->data.iov, t->data.iovcnt, 0, d, n);
	t->in_bytes = n;
	return SCSI_GOOD;
}

void scsi_task_borrow(struct scsi_task *t, uint64_t off_bytes)
{
	/* Who waits for an ORDERED or HEAD OF QUEUE task waits until it is done,
	 * not until it was sent. */
	if (t->may_borrow && likely(t->attr == SCSI_ATTR_SIMPLE) && likely(t->want_bytes))
		lu_loan_get(t->itl->ch, off_bytes, t->want_bytes, &t->loan);
}

enum scsi_status scsi_task_lent(struct scsi_task *t)
{
	t->data.iov[0] = (struct iovec){ (void *)(uintptr_t)t->loan.p, t->want_bytes };
	t->data.iovcnt = 1;
	t->in_bytes = t->want_bytes;
	return SCSI_GOOD;
}

enum scsi_status scsi_task_fail_sense(struct scsi_task *t, const struct scsi_sense *s)
{
	const bool descriptor = t->dev && scsi_device_config(t->dev)->sense_descriptor;

	t->sense_bytes = (uint8_t)scsi_sense_format(s, descriptor, t->sense,
						    sizeof(t->sense));
	return SCSI_CHECK_CONDITION;
}

enum scsi_status scsi_task_fail(struct scsi_task *t, enum scsi_sense_code code)
{
	return scsi_task_fail_sense(t, &(struct scsi_sense){ .code = code });
}

static enum scsi_status fail_field(struct scsi_task *t, enum scsi_sense_code code,
				   bool in_cdb, unsigned int byte, int bit)
{
	return scsi_task_fail_sense(t, &(struct scsi_sense){
		.code = code,
		.has_field = true,
		.field_in_cdb = in_cdb,
		.field_byte = (uint16_t)byte,
		.field_bit = bit < 0 ? 8 : (uint8_t)bit,
	});
}

enum scsi_status scsi_task_fail_cdb(struct scsi_task *t, unsigned int byte, int bit)
{
	return fail_field(t, SCSI_SENSE_INVALID_FIELD_IN_CDB, true, byte, bit);
}

enum scsi_status scsi_task_fail_param(struct scsi_task *t, unsigned int byte, int bit)
{
	return fail_field(t, SCSI_SENSE_INVALID_FIELD_IN_PARAMETER_LIST, false, byte, bit);
}

enum scsi_status scsi_task_fail_info(struct scsi_task *t, enum scsi_sense_code code,
				     uint64_t info)
{
	return scsi_task_fail_sense(t, &(struct scsi_sense){
		.code = code, .has_info = true, .info = info });
}

enum scsi_status scsi_task_io_status(struct scsi_task *t, int err)
{
	if (!err)
		return SCSI_GOOD;
	if (err == -ENOMEM || err == -EAGAIN)
		return SCSI_BUSY;
	return scsi_task_fail(t, scsi_sense_of_errno(err, t->io.op != LU_READ &&
							  t->io.op != LU_VERIFY &&
							  t->io.op != LU_PREFETCH));
}

/* --- I/O --- */

/* What ended while it was in the store is over now. */
static void lingered(struct scsi_task *t)
{
	list_del(&t->finished);
	scsi_tmf_task_gone(t);
	scsi_task_put(t);
}

static void io_done(struct lu_io *io, int err)
{
	struct scsi_task *t = container_of(io, struct scsi_task, io);
	enum scsi_status status;

	t->in_store = false;
	scsi_memory_leave_store(t);
	if (unlikely(t->lingers)) {
		lingered(t);
		return;
	}
	if (t->after_io) {
		t->after_io(t, err);
	} else {
		status = scsi_task_io_status(t, err);
		if (status == SCSI_GOOD && t->cmd->data == SCSI_DATA_IN)
			t->in_bytes = t->want_bytes;
		set_result(t, status);
		respond(t);
	}
	scsi_task_put(t);
}

void scsi_task_enter_store(struct scsi_task *t, void (*stop)(struct scsi_task *t, int err))
{
	scsi_task_get(t);
	t->in_store = true;
	t->copies = true;
	t->stop = stop;
	list_add_tail(&scsi_task_local()->copying, &t->copying);
	scsi_memory_enter_store(t);
}

void scsi_task_leave_store(struct scsi_task *t, enum scsi_status status)
{
	t->in_store = false;
	list_del(&t->copying);
	scsi_memory_leave_store(t);
	if (t->lingers) {
		lingered(t);
		return;
	}
	scsi_tmf_task_gone(t);
	scsi_task_complete(t, status);
	scsi_task_put(t);
}

void scsi_task_copies_to(struct scsi_task *t, struct scsi_device *dev,
			 const struct scsi_nexus *as)
{
	t->copies_to = dev;
	t->copies_as = as;
	t->copies_resets = dev ? atomic_load(&dev->resets) : 0;
}

bool scsi_task_go_to_background(struct scsi_task *t)
{
	if (t->aborted || t->state == SCSI_TASK_DONE)
		return false;
	t->background = true;
	scsi_task_end(t, SCSI_GOOD);
	return true;
}

enum scsi_status scsi_task_submit(struct scsi_task *t)
{
	struct lu_io *io = &t->io;

	if (!io->iov) {
		io->iov = t->data.iov;
		io->iovcnt = t->data.iovcnt;
	}
	io->done = io_done;
	io->result = 0;
	scsi_task_get(t);
	t->in_store = true;
	scsi_memory_enter_store(t);
	PROBE(scsi, task_submit, t->nexus->id, t->tag, io->op);
	lu_io_submit(t->itl->ch, io);
	return SCSI_PENDING;
}
