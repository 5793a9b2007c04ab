/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/tmf.c - task management functions, SAM-5 r21 clause 7.
 *
 * A function aborts what it concerns, then waits for those of the aborted that
 * are in the store and may still write.  Each abort in the store has a number
 * (task->lingers); a wait covers the numbers given out before it began, so that
 * what is aborted later does not prolong it.
 *
 * Task sets are per I_T nexus (TST=001b), so CLEAR TASK SET is ABORT TASK SET
 * (7.4) and both are a matter of this reactor.  Resets go to all reactors.  Tasks
 * of the nexus that asked are not answered; those of other nexuses end in TASK
 * ABORTED (Control mode page, TAS=1), so that their initiators need not find out
 * by a timeout.
 */
#include "scsi/tmf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/probe.h"
#include "base/serial.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "reactor/group.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"
#include "scsi/target.h"
#include "scsi/unit_attention.h"

struct work_item {			/* one function on one reactor */
	struct list_head node;		/* in local->waits */
	struct timer timer;
	struct tmf_run *run;
	struct reactor_spread *spread;	/* NULL: this reactor only */
	uint64_t upto;			/* lingering numbers that it waits for */
};

struct tmf_run {
	struct scsi_tmf *tmf;		/* NULL: scsi_tmf_preempt(), with the last three fields */
	enum scsi_tmf_function fn;
	uint64_t nexus_id;		/* who asked */
	struct scsi_target *target;	/* holds a reference */
	struct scsi_device *dev;	/* idem; NULL: TARGET RESET */
	unsigned int resets;		/* of dev, with this one */
	const struct scsi_task *task;	/* ABORT TASK; only compared */
	atomic_bool late;		/* a store did not come back in time */
	bool (*picks)(const struct scsi_nexus *n, const struct scsi_device *dev, const void *arg);
	void (*done)(void *arg);
	void *arg;
	struct work_item items[];
};

/* --- answering --- */

static void answer_later(struct scsi_tmf *tmf, enum scsi_tmf_response rsp)
{
	struct scsi_local *l = scsi_task_local();

	tmf->rsp = rsp;
	list_add_tail(&l->answers, &tmf->node);
	reactor_hook_arm(reactor_current(), &l->deliver, REACTOR_COMPLETE);
}

static void answer(struct scsi_tmf *tmf, enum scsi_tmf_response rsp)
{
	PROBE(scsi, tmf_done, tmf->fn, rsp);
	tmf->done(tmf, rsp);
}

void scsi_tmf_deliver(struct list_head *answers)
{
	struct scsi_tmf *tmf;

	while ((tmf = list_pop(answers, struct scsi_tmf, node)))
		answer(tmf, tmf->rsp);
}

static void run_free(struct tmf_run *run)
{
	scsi_target_put(run->target);
	scsi_device_put(run->dev);
	free(run);
}

static enum scsi_tmf_response result(const struct tmf_run *run)
{
	return atomic_load(&run->late) ? SCSI_TMF_REJECTED : SCSI_TMF_COMPLETE;
}

static void all_done(void *arg)
{
	struct tmf_run *run = arg;
	struct scsi_tmf *tmf = run->tmf;
	const enum scsi_tmf_response rsp = result(run);

	run_free(run);
	answer(tmf, rsp);
}

/* --- waiting for the store --- */

static bool concerns(const struct tmf_run *run, const struct scsi_task *t)
{
	if (run->picks)
		return run->picks(t->nexus, t->dev, run->arg);
	/* It is in no task set any more, SAM-5 r21 5.5: only a reset ends it. */
	if (t->background && run->fn != SCSI_TMF_LUN_RESET &&
	    run->fn != SCSI_TMF_TARGET_RESET)
		return false;
	switch (run->fn) {
	case SCSI_TMF_ABORT_TASK:
		return t == run->task;
	case SCSI_TMF_ABORT_TASK_SET:
	case SCSI_TMF_CLEAR_TASK_SET:
		return t->nexus->id == run->nexus_id && t->dev == run->dev;
	case SCSI_TMF_LUN_RESET:
		return t->dev == run->dev;
	case SCSI_TMF_TARGET_RESET:
		return t->nexus->target == run->target;
	}
	return false;
}

/* It is of the target by which the task reaches it, and looks for that before each
 * piece. */
static bool was_reset(const struct scsi_task *t)
{
	return t->copies_resets != atomic_load(&t->copies_to->resets);
}

/* A command to another logical unit copies to one that is reset, or preempted; one
 * that begins later has seen it. */
static bool copies_to(const struct tmf_run *run, const struct scsi_task *t)
{
	if (!t->copies_to)
		return false;
	if (run->picks)
		return run->picks(t->copies_as, t->copies_to, run->arg);
	if (run->fn == SCSI_TMF_LUN_RESET)
		return t->copies_to == run->dev && serial32_lt(t->copies_resets, run->resets);
	return run->fn == SCSI_TMF_TARGET_RESET && t->copies_as->target == run->target &&
	       was_reset(t);
}

static bool is_copied_to(const struct tmf_run *run)
{
	const struct scsi_task *t;

	list_for_each(t, &scsi_task_local()->copying, copying)
		if (copies_to(run, t))
			return true;
	return false;
}

static void stop_copies(const struct tmf_run *run)
{
	struct scsi_task *t;

	list_for_each(t, &scsi_task_local()->copying, copying)
		if (t->lingers && concerns(run, t))
			t->stop(t, -ECANCELED);
		else if (copies_to(run, t))
			t->stop(t, -ECONNABORTED);
}

/* A task that only reads cannot change the medium any more. */
static bool must_wait(const struct work_item *w)
{
	const struct scsi_task *t;

	list_for_each(t, &scsi_task_local()->lingering, finished)
		if (t->lingers <= w->upto &&
		    (t->copies || t->cmd->flags & SCSI_CMD_WRITES) && concerns(w->run, t))
			return true;
	return is_copied_to(w->run);
}

static void item_done(struct work_item *w)
{
	reactor_timer_cancel(reactor_current(), &w->timer);
	list_del(&w->node);
	if (w->spread) {
		reactor_group_spread_put(w->spread);
	} else {
		answer_later(w->run->tmf, result(w->run));
		run_free(w->run);
	}
}

static void timed_out(struct timer *t)
{
	struct work_item *w = container_of(t, struct work_item, timer);

	atomic_store(&w->run->late, true);
	item_done(w);
}

static void wait_for_store(struct work_item *w)
{
	struct scsi_local *l = scsi_task_local();

	w->upto = l->lingered;
	list_add_tail(&l->waits, &w->node);
	stop_copies(w->run);
	if (!must_wait(w)) {
		item_done(w);
		return;
	}
	if (w->run->picks)	/* who preempts cannot be told that it went wrong */
		return;
	w->timer.expired = timed_out;
	if (reactor_timer_arm(reactor_current(), &w->timer, SCSI_TMF_WAIT_MS) < 0) {
		atomic_store(&w->run->late, true);
		item_done(w);
	}
}

void scsi_tmf_task_gone(const struct scsi_task *t)
{
	struct work_item *w, *tmp;

	list_for_each_safe(w, tmp, &scsi_task_local()->waits, node)
		if ((t->copies || concerns(w->run, t)) && !must_wait(w))
			item_done(w);
}

/* --- resets: on every reactor --- */

/* The transport may start others meanwhile; those are not ours. */
static void abort_for_other(struct scsi_itl *itl)
{
	struct scsi_task *t, *tmp;

	list_for_each_safe(t, tmp, &itl->tasks, node)
		scsi_task_end(t, SCSI_TASK_ABORTED);
}

/*
 * Logical unit reset, SAM-5 r21 6.3.3: every I_T nexus gets the unit attention,
 * the one that asked too (6.2 table 45: BUS DEVICE RESET FUNCTION OCCURRED).
 */
static void reset_itl(struct scsi_itl *itl, void *arg)
{
	const struct tmf_run *run = arg;

	if (run->dev && itl->dev != run->dev)
		return;
	if (itl->nexus->id == run->nexus_id)
		scsi_nexus_abort_tasks(&itl->tasks);
	else
		abort_for_other(itl);
	scsi_nexus_prevent_removal(itl, false);
	scsi_unit_attention_add(itl, SCSI_SENSE_BUS_DEVICE_RESET);
}

static void reset_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, reset_itl, arg);
}

static void reset_here(struct reactor_spread *s, void *arg)
{
	struct tmf_run *run = arg;
	struct work_item *w = &run->items[reactor_id(reactor_current())];

	/* A logical unit may be in more than one target. */
	scsi_nexus_each(run->dev ? NULL : run->target, reset_nexus, run);
	w->run = run;
	w->spread = s;
	wait_for_store(w);
}

static unsigned int reset_device(struct scsi_device *dev)
{
	if (dev->lu)
		lu_reserve_clear(lu_reserve(dev->lu));
	atomic_store(&dev->stopped, false);
	return atomic_fetch_add(&dev->resets, 1) + 1;
}

static void reset_devices(struct tmf_run *run)
{
	const struct scsi_lun_map *m = rcu_dereference(run->target->map);

	if (run->dev)
		run->resets = reset_device(run->dev);
	else
		for (unsigned int i = 0; i < m->n; i++)
			reset_device(m->e[i].dev);
}

/* --- preempting: some I_T_L nexuses on every reactor --- */

static void preempt_itl(struct scsi_itl *itl, void *arg)
{
	const struct tmf_run *run = arg;

	if (run->picks(itl->nexus, itl->dev, run->arg))
		abort_for_other(itl);
}

static void preempt_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, preempt_itl, arg);
}

static void preempt_here(struct reactor_spread *s, void *arg)
{
	struct tmf_run *run = arg;
	struct work_item *w = &run->items[reactor_id(reactor_current())];

	scsi_nexus_each(NULL, preempt_nexus, run);
	w->run = run;
	w->spread = s;
	wait_for_store(w);
}

static void preempted(void *arg)
{
	struct tmf_run *run = arg;

	run->done(run->arg);
	free(run);
}

int scsi_tmf_preempt(bool (*picks)(const struct scsi_nexus *n, const struct scsi_device *dev, const void *arg),
		     void (*done)(void *arg), void *arg)
{
	const unsigned int n = MAX(reactor_group_size(), 1U);
	struct tmf_run *run = calloc(1, sizeof(*run) + n * sizeof(run->items[0]));

	if (!run)
		return -ENOMEM;
	run->picks = picks;
	run->done = done;
	run->arg = arg;
	if (reactor_group_spread(preempt_here, preempted, run) < 0) {
		free(run);
		return -ENOMEM;
	}
	return 0;
}

/* --- starting --- */

static struct tmf_run *run_new(struct scsi_tmf *tmf, struct scsi_device *dev)
{
	const unsigned int n = MAX(reactor_group_size(), 1U);
	struct tmf_run *run = calloc(1, sizeof(*run) + n * sizeof(run->items[0]));

	if (!run) {
		scsi_device_put(dev);
		return NULL;
	}
	run->tmf = tmf;
	run->fn = tmf->fn;
	run->nexus_id = tmf->nexus->id;
	run->target = scsi_target_get(tmf->nexus->target);
	run->dev = dev;
	run->task = tmf->task;
	return run;
}

static bool start_reset(struct tmf_run *run)
{
	reset_devices(run);
	return reactor_group_spread(reset_here, all_done, run) == 0;
}

static void start_here(struct tmf_run *run, struct scsi_nexus *n, uint64_t lun)
{
	struct work_item *w = &run->items[0];

	if (run->fn == SCSI_TMF_ABORT_TASK) {
		scsi_task_abort(run->tmf->task);
	} else {
		struct scsi_itl *itl = scsi_nexus_itl(n, lun);

		if (itl)
			scsi_nexus_abort_tasks(&itl->tasks);
	}
	w->run = run;
	wait_for_store(w);
}

void scsi_tmf_start(struct scsi_tmf *tmf)
{
	struct scsi_device *dev = NULL;
	struct tmf_run *run;
	uint64_t lun = 0;

	PROBE(scsi, tmf_start, tmf->nexus->id, tmf->fn, tmf->lun);
	list_init(&tmf->node);
	if (tmf->fn != SCSI_TMF_TARGET_RESET && tmf->fn != SCSI_TMF_ABORT_TASK) {
		if (scsi_target_decode_lun(tmf->lun, &lun))
			dev = scsi_target_find_lun(tmf->nexus->target, lun);
		if (!dev) {
			answer_later(tmf, SCSI_TMF_NO_SUCH_LUN);
			return;
		}
	}
	run = run_new(tmf, dev);
	if (!run) {
		answer_later(tmf, SCSI_TMF_REJECTED);
		return;
	}
	if (run->fn != SCSI_TMF_LUN_RESET && run->fn != SCSI_TMF_TARGET_RESET) {
		start_here(run, tmf->nexus, lun);
	} else if (!start_reset(run)) {
		run_free(run);
		answer_later(tmf, SCSI_TMF_REJECTED);
	}
}
