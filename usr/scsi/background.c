/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/background.c - the course of an operation that has a logical unit to
 * itself.
 *
 *	claim -> end tasks, on every reactor -> lock -> request after request -> end
 *
 * The state is set first, so that after a reactor has ended the tasks of the
 * logical unit it starts no other.  What those still have in the store is over
 * when the lock is granted.  The lock lasts to the end: its own requests pass it.
 */
#include "scsi/background.h"

#include <errno.h>
#include <string.h>
#include "base/log.h"
#include "lu/lu.h"
#include "lu/range_lock.h"
#include "reactor/group.h"
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

void scsi_background_forget(struct scsi_device *dev)
{
	atomic_store(&dev->background.unrestricted, false);
	atomic_store(&dev->background.state, SCSI_BACKGROUND_NONE);
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

static void end(struct scsi_background_job *job, int err)
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

enum scsi_status scsi_background_start(struct scsi_task *t, struct scsi_background_job *job,
				       bool immed)
{
	const uint8_t before = atomic_load(&t->dev->background.state);
	struct scsi_sense s;

	job->dev = scsi_device_get(t->dev);
	job->ch = NULL;
	job->lock = NULL;
	job->task = NULL;
	job->origin = t;
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
	if (atomic_load(&t->dev->ejected)) {
		atomic_store(&t->dev->background.state, before);
		free_job(job);
		return scsi_task_fail(t, SCSI_SENSE_MEDIUM_NOT_PRESENT);
	}
	if (reactor_group_spread(end_tasks_here, lock, job) < 0) {
		atomic_store(&t->dev->background.state, before);
		free_job(job);
		return SCSI_BUSY;
	}
	lu_watch_revoke(t->dev->lu);	/* tokens for its data end */
	if (immed)
		return SCSI_GOOD;
	job->task = t;
	scsi_task_get(t);
	return SCSI_PENDING;
}
