/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/task.h - one SCSI command from its arrival to its status.
 *
 * The memory belongs to the transport, which embeds it in its own command.  Two
 * parties hold a reference: the transport, from scsi_task_init() until it has
 * sent the answer (or gives up), and the store while I/O is in flight.  With
 * the last put the data buffer goes back and transport->release() runs.
 *
 * Threads: the reactor of the I_T nexus, throughout.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "lu/io.h"
#include "lu/loan.h"
#include "reactor/buffer.h"
#include "scsi/scsi.h"
#include "scsi/sense.h"

struct scsi_command;
struct scsi_device;
struct scsi_itl;
struct scsi_nexus;
struct scsi_task;

/* What a transport does for the core.  Never called from within its own call
 * to scsi_dispatch_start() or scsi_dispatch_data_ready(). */
struct scsi_transport {
	/* Bring t->out_bytes bytes into t->data, then scsi_dispatch_data_ready(). */
	void (*collect)(struct scsi_task *t);
	/* t->status, t->sense, and t->in_bytes bytes in t->data are ready.  The
	 * transport puts its reference when they are sent. */
	void (*respond)(struct scsi_task *t);
	/* The task ended without an answer (task management, reset, nexus loss):
	 * forget it and put the transport's reference.  Called once, from within
	 * scsi_task_abort(), whoever called that. */
	void (*aborted)(struct scsi_task *t);
	/* Nobody uses the task any more: recycle the memory. */
	void (*release)(struct scsi_task *t);
};

enum scsi_task_state {
	SCSI_TASK_NEW,
	SCSI_TASK_BUFFER,	/* waits for memory */
	SCSI_TASK_COLLECT,	/* the transport gathers Data-Out */
	SCSI_TASK_BLOCKED,	/* behind an ORDERED task */
	SCSI_TASK_RUNNING,	/* its handler has it, or the store */
	SCSI_TASK_DONE,		/* responded to, or aborted */
};

struct scsi_task {
	/* By the transport, before scsi_dispatch_start(). */
	const struct scsi_transport *transport;
	struct scsi_nexus *nexus;
	uint64_t lun;			/* the 8-byte field, as a big-endian number */
	uint64_t tag;
	enum scsi_attr attr;
	uint8_t cdb[SCSI_CDB_MAX];
	uint8_t cdb_bytes;		/* delivered; 16 unless extended */
	uint64_t out_max, in_max;	/* what the initiator will send, accept */
	bool may_borrow;		/* Data-In may be memory that changes until it is
					 * sent: only system calls read it */

	/* By dispatch. */
	const struct scsi_command *cmd;	/* NULL: unknown opcode */
	struct scsi_itl *itl;		/* NULL: no such logical unit */
	struct scsi_device *dev;	/* NULL: idem; itl holds the reference */
	uint64_t lba;
	uint64_t nr;			/* length field: blocks or bytes, as the row says */
	uint64_t want_bytes;		/* transfer length the CDB asks for: residuals */
	uint64_t out_bytes;		/* of it, what is to be collected */

	/* Result. */
	struct buffer data;		/* Data-Out or Data-In */
	uint64_t in_bytes;
	enum scsi_status status;
	uint8_t sense[SCSI_SENSE_MAX];
	uint8_t sense_bytes;
	struct lu_loan loan;		/* Data-In that was borrowed; data.iov[0] has it */
	bool loan_faulted;		/* by the transport: EFAULT when it was sent */

	/* scsi/ only. */
	enum scsi_task_state state;
	bool aborted;			/* no answer is given any more */
	bool started;			/* counted in nexus->nr_tasks */
	bool in_store;			/* t->io is submitted */
	bool collected;			/* the transport has nothing more to bring */
	uint64_t lingers;		/* aborted in the store: the how-manieth */
	uint16_t refs;
	bool granted;			/* it is its turn for memory */
	uint64_t memory_bytes;		/* charged to the I_T and I_T_L nexus */
	struct list_head node;		/* in itl->tasks from start to the last put */
	struct list_head finished;	/* waits for respond() in COMPLETE, for memory
					 * of its nexus, or lingers */
	struct buffer_waiter waiter;
	bool background;		/* answered, but goes on in the store: a copy */
	bool copies;			/* in the store: may write to copies_to */
	void (*stop)(struct scsi_task *t, int err);	/* if it copies: end soon */
	struct scsi_device *copies_to;
	const struct scsi_nexus *copies_as;	/* through this nexus; constant parts only */
	unsigned int copies_resets;	/* of copies_to, when it began */
	struct list_head copying;	/* of all tasks of this reactor that do */
	struct lu_io io;		/* for handlers */
	uint64_t step;			/* a handler's own progress */
	void (*after_io)(struct scsi_task *t, int err);
};

/* @t zeroed or recycled.  Leaves the transport's fields alone; one reference. */
void scsi_task_init(struct scsi_task *t);
void scsi_task_put(struct scsi_task *t);
static inline void scsi_task_get(struct scsi_task *t)
{
	t->refs++;
}

/*
 * For handlers that answered SCSI_PENDING: the end.  Also the transport's way
 * to end a task that it collects for (a data digest error, say): status and
 * sense are set before.  No effect on a task that was aborted.
 */
void scsi_task_complete(struct scsi_task *t, enum scsi_status status);

/*
 * From now on there is no respond() and no collect(); transport->aborted() is
 * called at once.  A task that is in the store keeps its memory and buffer until
 * the I/O returns.  No effect on a task that is done or aborted.
 */
void scsi_task_abort(struct scsi_task *t);

/* Aborted or responded to, but its I/O is still in the store. */
bool scsi_task_in_store(const struct scsi_task *t);

/* --- for command handlers --- */

/* Data-In of @bytes at @d, clipped to ALLOCATION LENGTH (t->nr).  SCSI_GOOD, or
 * SCSI_BUSY without memory. */
enum scsi_status scsi_task_reply(struct scsi_task *t, const void *d, size_t bytes);

/*
 * Instead of reading @bytes at @off_bytes: borrow them, if the transport and the
 * store agree.  Then no memory is needed, and when it runs the handler returns
 * scsi_task_lent().  By parse(), when t->want_bytes is known.
 */
void scsi_task_borrow(struct scsi_task *t, uint64_t off_bytes);
enum scsi_status scsi_task_lent(struct scsi_task *t);

/* CHECK CONDITION with this sense. */
enum scsi_status scsi_task_fail_sense(struct scsi_task *t, const struct scsi_sense *s);
enum scsi_status scsi_task_fail(struct scsi_task *t, enum scsi_sense_code code);
/* INVALID FIELD IN CDB, pointing at bit @bit (7 to 0, -1: whole byte) of @byte. */
enum scsi_status scsi_task_fail_cdb(struct scsi_task *t, unsigned int byte, int bit);
/* INVALID FIELD IN PARAMETER LIST, likewise. */
enum scsi_status scsi_task_fail_param(struct scsi_task *t, unsigned int byte, int bit);
/* With the INFORMATION field. */
enum scsi_status scsi_task_fail_info(struct scsi_task *t, enum scsi_sense_code code,
				     uint64_t info);

/*
 * Submit t->io (op, flags, range set by the caller; iov defaults to t->data)
 * and return SCSI_PENDING.  Then t->after_io(t, err) if set, else the task
 * completes with the status that @err means (one table, in scsi/sense.c).
 */
enum scsi_status scsi_task_submit(struct scsi_task *t);

/*
 * For a handler whose I/O is more than t->io (a copy): from enter on the task is
 * in the store.  It leaves with its status (and sense in @t); what ended meanwhile
 * is over then.  @stop asks for an end because of @err: -ECANCELED for the task's own
 * sake, -ECONNABORTED for that of the disk it writes to.
 */
void scsi_task_enter_store(struct scsi_task *t, void (*stop)(struct scsi_task *t, int err));
void scsi_task_leave_store(struct scsi_task *t, enum scsi_status status);
/* It now writes to @dev; NULL: nowhere. */
void scsi_task_copies_to(struct scsi_task *t, struct scsi_device *dev,
			 const struct scsi_nexus *as);
/* Answer with GOOD, and go on in the store.  False: it has ended already.  Not
 * from within run(). */
bool scsi_task_go_to_background(struct scsi_task *t);

/* Status and sense for an error of lu_io. */
enum scsi_status scsi_task_io_status(struct scsi_task *t, int err);
