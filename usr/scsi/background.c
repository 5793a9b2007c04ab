/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/background.c - the course of an operation that has a logical unit to
 * itself.
 *
 *	claim -> [mark] -> end tasks, on every reactor -> lock -> request after request
 *	-> [take the mark away] -> end
 *
 * The state is set first, so that after a reactor has ended the tasks of the
 * logical unit it starts no other.  What those still have in the store is over
 * when the lock is granted.  The lock lasts to the end: its own requests pass it.
 *
 * Where there is a state directory, it is kept there that a SANITIZE is under way,
 * before anything of it is done or answered, until it has succeeded: one that is cut
 * off by a crash, or by the removal of its LUN, has failed.
 */
#include "scsi/background.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "lu/lu.h"
#include "lu/range_lock.h"
#include "lu/reserve.h"
#include "reactor/group.h"
#include "scsi/background_keep.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"

#define EVERYTHING	(UINT64_MAX >> 1)	/* bytes, more than any disk has */

static bool runs(enum scsi_background_state state)
{
	return state == SCSI_BACKGROUND_SANITIZE || state == SCSI_BACKGROUND_FORMAT;
}

/* --- what others see of it --- */

bool scsi_background_sense(const struct scsi_device *dev, struct scsi_sense *ret_sense)
{
	static const enum scsi_sense_code codes[] = {
		[SCSI_BACKGROUND_SANITIZE] = SCSI_SENSE_SANITIZE_IN_PROGRESS,
		[SCSI_BACKGROUND_FORMAT] = SCSI_SENSE_FORMAT_IN_PROGRESS,
		[SCSI_BACKGROUND_SANITIZE_FAILED] = SCSI_SENSE_SANITIZE_FAILED,
		[SCSI_BACKGROUND_FORMAT_FAILED] = SCSI_SENSE_MEDIUM_FORMAT_CORRUPTED,
	};
	const enum scsi_background_state state = atomic_load(&dev->background.state);

	if (state == SCSI_BACKGROUND_NONE)
		return false;
	*ret_sense = (struct scsi_sense){ .code = codes[state] };
	if (runs(state)) {
		ret_sense->has_progress = true;
		ret_sense->progress = atomic_load(&dev->background.progress);
	}
	return true;
}

bool scsi_background_refuses(const struct scsi_device *dev, unsigned int flags,
			     struct scsi_sense *ret_sense)
{
	const enum scsi_background_state state =
		atomic_load_explicit(&dev->background.state, memory_order_relaxed);

	if (likely(state == SCSI_BACKGROUND_NONE) || flags & SCSI_CMD_NO_UA)
		return false;
	if (flags & SCSI_CMD_REPAIRS && !runs(state))
		return false;
	/* The mode pages of a disk that is to be formatted again can be read. */
	if (state == SCSI_BACKGROUND_FORMAT_FAILED && flags & SCSI_CMD_NO_MEDIUM)
		return false;
	return scsi_background_sense(dev, ret_sense);
}

bool scsi_background_runs(const struct scsi_device *dev)
{
	return runs(atomic_load(&dev->background.state));
}

void scsi_background_load(struct scsi_device *dev)
{
	bool unrestricted = false;
	const bool failed = scsi_background_keep_find(dev, &unrestricted);

	if (failed)
		log_warn("%s: a sanitize of it was broken off: it is of no use until one succeeds",
			 dev->lu->path);
	atomic_store(&dev->background.unrestricted, failed && unrestricted);
	atomic_store(&dev->background.state,
		     failed ? SCSI_BACKGROUND_SANITIZE_FAILED : SCSI_BACKGROUND_NONE);
}

/* --- the task that asked --- */

static void forget_task(struct scsi_background_job *job)
{
	struct scsi_task *t = job->task;

	job->task = NULL;
	if (t)
		scsi_task_put(t);
}

/* Aborted: its memory need not wait for the end. */
static void look_after_task(struct scsi_background_job *job)
{
	if (job->task && (job->task->aborted || job->task->state == SCSI_TASK_DONE))
		forget_task(job);
}

/* --- the end --- */

static void free_job(struct scsi_background_job *job)
{
	struct scsi_device *dev = job->dev;

	if (job->lock)
		lu_range_lock_release(job->lock);
	if (job->ch)
		lu_channel_put(job->ch);
	lu_reserve_put(job->owner);
	job->free(job);
	scsi_device_put(dev);
}

static enum scsi_status status_of(struct scsi_background_job *job, int err)
{
	static const enum scsi_sense_code failed[] = {
		[SCSI_BACKGROUND_SANITIZE] = SCSI_SENSE_SANITIZE_FAILED,
		[SCSI_BACKGROUND_FORMAT] = SCSI_SENSE_FORMAT_FAILED,
	};

	return err ? scsi_task_fail(job->task, failed[job->kind]) : SCSI_GOOD;
}

static void over(struct scsi_background_job *job, int err)
{
	struct scsi_background *b = &job->dev->background;
	enum scsi_background_state state = SCSI_BACKGROUND_NONE;

	if (err) {
		state = job->kind == SCSI_BACKGROUND_SANITIZE ?
				SCSI_BACKGROUND_SANITIZE_FAILED :
				SCSI_BACKGROUND_FORMAT_FAILED;
		log_err("%s of %s failed: %s",
			job->kind == SCSI_BACKGROUND_SANITIZE ? "sanitize" : "format",
			job->dev->lu->path, strerrordesc_np(-err) ?: "unknown error");
	}
	atomic_store(&b->unrestricted, job->unrestricted);
	atomic_store(&b->state, state);
	look_after_task(job);
	if (job->task) {
		scsi_task_complete(job->task, status_of(job, err));
		forget_task(job);
	}
	free_job(job);
}

static void unmarked(struct lu_keep_change *c)
{
	over(container_of(c, struct scsi_background_job, mark), c->err);
}

static void end(struct scsi_background_job *job, int err)
{
	if (err || !job->owner) {
		over(job, err);
		return;
	}
	scsi_background_keep_clear(&job->mark);
	job->mark.done = unmarked;
	lu_keep_submit(TAKE_PTR(job->owner), &job->mark);
}

/* --- the work --- */

/* Of 65536.  A disk that has grown meanwhile has more to do than was thought. */
static uint16_t progress(const struct scsi_background_job *job)
{
	const uint64_t done = MIN(job->done_units, job->total_units);

	return job->total_units ?
		       (uint16_t)((__uint128_t)done * UINT16_MAX / job->total_units) : 0;
}

static void go_on(struct scsi_background_job *job)
{
	if (!atomic_load(&job->dev->nr_luns)) {	/* it is being taken away */
		end(job, -ECANCELED);
		return;
	}
	look_after_task(job);
	if (!job->next(job)) {
		end(job, 0);
		return;
	}
	atomic_store(&job->dev->background.progress, progress(job));
	job->io.flags |= LU_IO_LOCKED;
	lu_io_submit(job->ch, &job->io);
}

static void io_done(struct lu_io *io, int err)
{
	struct scsi_background_job *job = container_of(io, struct scsi_background_job, io);

	if (err)
		end(job, err);
	else
		go_on(job);
}

static void locked(void *arg, int err)
{
	struct scsi_background_job *job = arg;

	if (err) {
		job->lock = NULL;
		end(job, err);
	} else {
		go_on(job);
	}
}

static void lock(void *arg)
{
	struct scsi_background_job *job = arg;
	const int err = lu_range_lock_acquire(job->dev->lu, 0, EVERYTHING,
					      LU_RANGE_WRITERS, locked, job,
					      &job->lock);

	if (err)
		end(job, err);
}

/* --- the beginning --- */

static void end_tasks(struct scsi_itl *itl, void *arg)
{
	const struct scsi_background_job *job = arg;
	struct scsi_task *t, *tmp;
	struct scsi_sense s;

	if (itl->dev != job->dev)
		return;
	/* An answer may release the task itself, no other. */
	list_for_each_safe(t, tmp, &itl->tasks, node) {
		if (t == job->origin || t->state == SCSI_TASK_DONE || !t->cmd ||
		    !scsi_background_refuses(job->dev, t->cmd->flags, &s))
			continue;
		scsi_task_end(t, scsi_task_fail_sense(t, &s));
	}
}

static void end_tasks_of_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, end_tasks, arg);
}

static void end_tasks_here(struct reactor_spread *s, void *arg)
{
	scsi_nexus_each(NULL, end_tasks_of_nexus, arg);
	reactor_group_spread_put(s);
}

/* False: somebody was quicker, or it is not the way out of what failed. */
static bool claim(struct scsi_device *dev, const struct scsi_background_job *job)
{
	uint8_t state = atomic_load(&dev->background.state);

	do {
		if (runs(state) || (state == SCSI_BACKGROUND_SANITIZE_FAILED &&
				    job->kind != SCSI_BACKGROUND_SANITIZE))
			return false;
	} while (!atomic_compare_exchange_weak(&dev->background.state, &state,
					       (uint8_t)job->kind));
	atomic_store(&dev->background.progress, 0);
	return true;
}

/* Nothing has been done yet: it is as it was before. */
static enum scsi_status withdraw(struct scsi_background_job *job, enum scsi_status status)
{
	atomic_store(&job->dev->background.state, job->before);
	free_job(job);
	return status;
}

static int begin(struct scsi_background_job *job)
{
	if (reactor_group_spread(end_tasks_here, lock, job) < 0)
		return -ENOMEM;
	lu_watch_revoke(job->dev->lu);	/* tokens for its data end */
	return 0;
}

static void marked(struct lu_keep_change *c)
{
	struct scsi_background_job *job = container_of(c, struct scsi_background_job, mark);

	look_after_task(job);
	if (c->err) {
		if (job->task)
			scsi_task_complete(job->task,
				scsi_task_fail(job->task, SCSI_SENSE_INTERNAL_TARGET_FAILURE));
		forget_task(job);
		withdraw(job, SCSI_GOOD);
	} else if (begin(job)) {
		over(job, -ENOMEM);	/* the mark is there: as it says */
	} else if (job->immed && job->task) {
		scsi_task_complete(job->task, SCSI_GOOD);
		forget_task(job);
	}
}

static enum scsi_status mark(struct scsi_task *t, struct scsi_background_job *job)
{
	struct lu_reserve *owner = lu_reserve_get(lu_reserve(job->dev->lu));

	if (!owner)			/* it is being given another name */
		return withdraw(job, SCSI_BUSY);
	job->owner = lu_reserve_get(owner);
	scsi_background_keep_set(&job->mark, job->dev, job->unrestricted);
	job->mark.done = marked;
	job->task = t;
	scsi_task_get(t);
	lu_keep_submit(owner, &job->mark);
	return SCSI_PENDING;
}

enum scsi_status scsi_background_start(struct scsi_task *t, struct scsi_background_job *job,
				       bool immed)
{
	struct scsi_sense s;

	job->before = atomic_load(&t->dev->background.state);
	job->dev = scsi_device_get(t->dev);
	job->ch = NULL;
	job->lock = NULL;
	job->task = NULL;
	job->owner = NULL;
	job->origin = t;
	job->immed = immed;
	job->io.done = io_done;
	if (lu_channel_get(t->dev->lu, &job->ch)) {
		free_job(job);
		return SCSI_BUSY;
	}
	if (!claim(t->dev, job)) {
		free_job(job);
		return scsi_background_sense(t->dev, &s) ? scsi_task_fail_sense(t, &s) :
							   SCSI_BUSY;
	}
	/* The medium may have been taken since dispatch looked: scsi/medium.c. */
	if (atomic_load(&t->dev->ejected))
		return withdraw(job, scsi_task_fail(t, SCSI_SENSE_MEDIUM_NOT_PRESENT));
	if (job->kind == SCSI_BACKGROUND_SANITIZE && lu_keep_can())
		return mark(t, job);
	if (begin(job))
		return withdraw(job, SCSI_BUSY);
	if (immed)
		return SCSI_GOOD;
	job->task = t;
	scsi_task_get(t);
	return SCSI_PENDING;
}

/* --- the way out --- */

struct leaving {
	struct lu_keep_change mark;
	struct scsi_task *task;		/* holds a reference */
	struct scsi_device *dev;	/* holds a reference: the task may end before */
};

static void left(struct lu_keep_change *c)
{
	struct leaving *l = container_of(c, struct leaving, mark);

	atomic_store(&l->dev->background.state,
		     c->err ? SCSI_BACKGROUND_SANITIZE_FAILED : SCSI_BACKGROUND_NONE);
	scsi_task_complete(l->task, c->err ?
		scsi_task_fail(l->task, SCSI_SENSE_INTERNAL_TARGET_FAILURE) : SCSI_GOOD);
	scsi_task_put(l->task);
	scsi_device_put(l->dev);
	free(l);
}

/* Until the mark is away it counts as running: no other may set one meanwhile. */
static bool claim_exit(struct scsi_background *b)
{
	uint8_t failed = SCSI_BACKGROUND_SANITIZE_FAILED;

	atomic_store(&b->progress, UINT16_MAX);
	return atomic_compare_exchange_strong(&b->state, &failed, SCSI_BACKGROUND_SANITIZE);
}

enum scsi_status scsi_background_leave(struct scsi_task *t)
{
	struct scsi_background *b = &t->dev->background;
	uint8_t failed = SCSI_BACKGROUND_SANITIZE_FAILED;
	struct lu_reserve *owner = NULL;
	struct leaving *l;

	if (!lu_keep_can()) {
		atomic_compare_exchange_strong(&b->state, &failed, SCSI_BACKGROUND_NONE);
		return SCSI_GOOD;
	}
	if (atomic_load(&b->state) != failed)
		return SCSI_GOOD;
	l = calloc(1, sizeof(*l));
	if (l)
		owner = lu_reserve_get(lu_reserve(t->dev->lu));
	if (!owner || !claim_exit(b)) {
		lu_reserve_put(owner);
		free(l);
		return SCSI_BUSY;
	}
	scsi_background_keep_clear(&l->mark);
	l->mark.done = left;
	l->task = t;
	scsi_task_get(t);
	l->dev = scsi_device_get(t->dev);
	lu_keep_submit(owner, &l->mark);
	return SCSI_PENDING;
}
