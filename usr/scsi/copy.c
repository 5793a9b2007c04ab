/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/copy.c - see copy.h.
 *
 * A running operation has a scsi_copy_run; it holds references on what it copies
 * between, its buffers, and (as the store does) on the task.
 */
#include "scsi/copy.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/be.h"
#include "lu/copy.h"
#include "lu/lu.h"
#include "scsi/alua.h"
#include "scsi/background.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/reach.h"
#include "scsi/reservation.h"
#include "scsi/target.h"
#include "scsi/task.h"

struct end {
	struct scsi_device *dev;	/* holds a reference; NULL: a bare LU */
	uint64_t lun;
	struct scsi_reach *through;	/* holds a reference; NULL: the task's own nexus */
	unsigned int resets;		/* of dev, when the operation began */
	struct lu_channel *ch;		/* holds a reference */
};

struct scsi_copy_run {
	struct scsi_copy *copy;
	struct scsi_task *task;
	const struct scsi_copy_ops *ops;
	void *arg;
	struct mail mail;
	bool immediate;
	bool began;			/* something was given to the store */
	struct lu_copy lu;
	unsigned int nr_ends, nr_segments, room;
	struct end ends[SCSI_COPY_ENDS_MAX];
	struct scsi_copy_segment segments[];
};

static atomic_uint running;		/* of the daemon */

/* --- records --- */

static void run_free(struct scsi_copy_run *r)
{
	if (r->ops && r->ops->over)
		r->ops->over(r->arg);
	for (unsigned int i = 0; i < r->nr_ends; i++) {
		lu_channel_put(r->ends[i].ch);
		scsi_device_put(r->ends[i].dev);
		scsi_reach_put(r->ends[i].through);
	}
	lu_copy_fini(&r->lu);
	atomic_fetch_sub(&running, 1);
	r->task->nexus->nr_copies--;
	free(r);
}

static void record_free(struct scsi_copy *c)
{
	list_del(&c->node);
	if (c->run)
		run_free(c->run);
	free(c->result);
	free(c);
}

void scsi_copy_drop(struct scsi_copy *c)
{
	record_free(c);
}

void scsi_copy_forget(struct scsi_itl *itl)
{
	struct scsi_copy *c, *tmp;

	list_for_each_safe(c, tmp, &itl->copies, node)
		record_free(c);
}

struct scsi_copy *scsi_copy_find(struct scsi_itl *itl, uint32_t list_id)
{
	struct scsi_copy *c;

	list_for_each(c, &itl->copies, node)
		if (c->identified && c->list_id == list_id)
			return c;
	return NULL;
}

static bool run_uses(const struct scsi_copy_run *r, const struct scsi_device *dev)
{
	for (unsigned int i = 0; i < r->nr_ends; i++)
		if (lu_channel_lu(r->ends[i].ch) == dev->lu)
			return true;
	return false;
}

bool scsi_copy_uses(const struct scsi_itl *itl, const struct scsi_device *dev)
{
	const struct scsi_copy *c;

	list_for_each(c, &itl->copies, node)
		if (c->run && run_uses(c->run, dev))
			return true;
	return false;
}

uint64_t scsi_copy_progress(const struct scsi_copy *c)
{
	return c->done_bytes + (c->run ? lu_copy_progress(&c->run->lu) : 0);
}

/* Room for one more: the oldest that is over goes. */
static bool make_room(struct scsi_itl *itl)
{
	struct scsi_copy *c, *oldest = NULL;
	unsigned int n = 0;

	list_for_each(c, &itl->copies, node) {
		n++;
		if (!oldest && !c->run)
			oldest = c;
	}
	if (n < SCSI_COPY_RECORDS_MAX)
		return true;
	if (!oldest)
		return false;
	record_free(oldest);
	return true;
}

static struct scsi_copy *record_new(struct scsi_task *t, unsigned int nr_segments)
{
	struct scsi_copy *c = calloc(1, sizeof(*c));
	struct scsi_copy_run *r = calloc(1, sizeof(*r) +
					    nr_segments * sizeof(r->segments[0]));

	if (!c || !r || t->nexus->nr_copies >= SCSI_COPY_SHARE) {
		free(c);
		free(r);
		return NULL;
	}
	if (atomic_fetch_add(&running, 1) >= SCSI_COPY_RUNNING_MAX) {
		atomic_fetch_sub(&running, 1);
		free(c);
		free(r);
		return NULL;
	}
	r->copy = c;
	r->task = t;
	r->room = nr_segments;
	t->nexus->nr_copies++;
	c->run = r;
	c->sa = t->cdb[1] & 0x1f;
	c->state = SCSI_COPY_FOREGROUND;
	c->block_bytes = lu_geometry(t->dev->lu)->block_bytes;
	list_add_tail(&t->itl->copies, &c->node);
	return c;
}

/* List identifiers, SPC-4 r37 5.17.4.2. */
enum scsi_status scsi_copy_claim(struct scsi_task *t, uint32_t list_id)
{
	struct scsi_copy *c = scsi_copy_find(t->itl, list_id);

	if (c && c->run)
		return scsi_task_fail(t, SCSI_SENSE_OPERATION_IN_PROGRESS);
	if (c)
		record_free(c);
	return SCSI_GOOD;
}

struct scsi_copy *scsi_copy_new(struct scsi_task *t, uint32_t list_id, bool identified,
				unsigned int nr_segments,
				const struct scsi_copy_ops *ops, void *arg)
{
	struct scsi_copy *c = make_room(t->itl) ? record_new(t, nr_segments) : NULL;

	if (!c)
		return NULL;
	c->list_id = list_id;
	c->identified = identified;
	c->run->ops = ops;
	c->run->arg = arg;
	return c;
}

/* --- ends and segments --- */

int scsi_copy_add_device(struct scsi_copy *c, struct scsi_device *dev, uint64_t lun,
			 struct scsi_reach *through)
{
	struct scsi_copy_run *r = c->run;
	struct end *e = &r->ends[r->nr_ends];
	int err = r->nr_ends == SCSI_COPY_ENDS_MAX ? -ENOSPC :
						     lu_channel_get(dev->lu, &e->ch);

	if (err) {
		scsi_device_put(dev);
		scsi_reach_put(through);
		return err;
	}
	e->dev = dev;
	e->lun = lun;
	e->through = through;
	e->resets = atomic_load(&dev->resets);
	return (int)r->nr_ends++;
}

int scsi_copy_add_source(struct scsi_copy *c, struct lu *lu)
{
	struct scsi_copy_run *r = c->run;
	struct end *e = &r->ends[r->nr_ends];
	const int err = r->nr_ends == SCSI_COPY_ENDS_MAX ? -ENOSPC :
							   lu_channel_get(lu, &e->ch);

	lu_put(lu);		/* the channel has its own */
	return err ? err : (int)r->nr_ends++;
}

void scsi_copy_add_segment(struct scsi_copy *c, const struct scsi_copy_segment *s)
{
	struct scsi_copy_run *r = c->run;

	assert(r->nr_segments < r->room);
	r->segments[r->nr_segments++] = *s;
}

/* --- may it go on? --- */

static const struct scsi_nexus *nexus_of(const struct scsi_copy_run *r, const struct end *e)
{
	return e->through ? &e->through->as : r->task->nexus;
}

static int check_end(const struct scsi_copy_run *r, const struct end *e, bool writes)
{
	const struct scsi_nexus *n = nexus_of(r, e);
	const struct scsi_device *dev = e->dev;
	struct scsi_sense why;

	if (!dev)
		return 0;
	if (e->through && atomic_load(&e->through->gone))
		return -ENXIO;
	if (e->resets != atomic_load(&dev->resets))
		return dev == r->task->dev ? -ECANCELED : -ECONNABORTED;
	/* Through the port of that nexus, as a command to it would be. */
	if (atomic_load(&n->target->offline) || !scsi_target_has(n->target, e->lun, dev) ||
	    !scsi_alua_is_active(n->target, n->target_port, e->lun))
		return -ENXIO;
	if (!scsi_device_config(dev)->online || atomic_load(&dev->stopped) ||
	    atomic_load(&dev->ejected))
		return -ENOMEDIUM;
	if (scsi_background_refuses(dev, writes ? SCSI_CMD_WRITES : 0, &why))
		return -EAGAIN;
	if (scsi_reservation_denies(n, dev->lu,
				    writes ? LU_RESERVE_WRITE : LU_RESERVE_READ))
		return -EBUSY;
	return writes && !scsi_device_writable(dev) ? -EROFS : 0;
}

static int check_all(const struct scsi_copy_run *r)
{
	const struct scsi_copy_segment *s = &r->segments[r->copy->done_segments];
	int err = r->copy->stop;

	if (!err && s->src != SCSI_COPY_ZEROES)
		err = check_end(r, &r->ends[s->src], false);
	if (!err)
		err = check_end(r, &r->ends[s->dst], true);
	if (!err && r->ops && r->ops->check)
		err = r->ops->check(r->arg);
	return err;
}

static int check(struct lu_copy *lc)
{
	return check_all(container_of(lc, struct scsi_copy_run, lu));
}

/* --- ending before its time --- */

static void stop_run(struct scsi_copy_run *r, int err)
{
	if (r->copy->stop)
		return;
	r->copy->stop = err;
	lu_copy_cancel(&r->lu, err);
}

static void stop(struct scsi_task *t, int err)
{
	struct scsi_copy *c;

	list_for_each(c, &t->itl->copies, node)
		if (c->run && c->run->task == t)
			stop_run(c->run, err);
}

void scsi_copy_cancel(struct scsi_copy *c)
{
	if (c->run)
		stop_run(c->run, -ECANCELED);
}

void scsi_copy_cancel_all(struct scsi_itl *itl)
{
	struct scsi_copy *c;

	list_for_each(c, &itl->copies, node)
		scsi_copy_cancel(c);
}

/* --- running --- */

/* COMMAND-SPECIFIC INFORMATION: which segment, SPC-4 r37 5.17.8.3. */
static void add_segment_number(struct scsi_task *t, unsigned int segment)
{
	uint8_t *p = t->sense;

	if ((p[0] & 0x7f) == 0x70) {
		be_store(p + 10, 2, segment);
		return;
	}
	p += t->sense_bytes;
	memset(p, 0, 12);
	p[0] = 0x01;
	p[1] = 0x0a;
	be_store(p + 6, 2, segment);
	t->sense_bytes += 12;
	t->sense[7] += 12;
}

static enum scsi_status fail(struct scsi_copy_run *r, int err)
{
	struct scsi_task *t = r->task;

	if (r->ops && r->ops->sense)
		return r->ops->sense(t, err, r->lu.reading);
	/* Later, ranges that overlap would not be copied again as they were. */
	if (!r->began && (err == -ENOMEM || err == -EAGAIN))
		return SCSI_BUSY;
	scsi_task_fail(t, err == -ENXIO ? SCSI_SENSE_COPY_TARGET_NOT_REACHABLE :
			  err == -ECANCELED ? SCSI_SENSE_COPY_ABORTED :
					      SCSI_SENSE_THIRD_PARTY_DEVICE_FAILURE);
	add_segment_number(t, r->copy->done_segments);
	return SCSI_CHECK_CONDITION;
}

static void finish(struct scsi_copy_run *r, int err)
{
	struct scsi_copy *c = r->copy;
	struct scsi_task *t = r->task;
	const uint8_t sense_bytes = t->sense_bytes;
	uint8_t sense[SCSI_SENSE_MAX];

	memcpy(sense, t->sense, sizeof(sense));
	c->done_bytes += lu_copy_progress(&r->lu);
	if (!err)
		c->done_segments = (uint16_t)r->nr_segments;
	c->state = !err ? SCSI_COPY_DONE :
		   err == -ECANCELED ? SCSI_COPY_TERMINATED : SCSI_COPY_FAILED;
	c->status = err ? fail(r, err) : SCSI_GOOD;
	if (c->status == SCSI_CHECK_CONDITION) {
		c->sense_bytes = t->sense_bytes;
		memcpy(c->sense, t->sense, t->sense_bytes);
	}
	if (scsi_task_in_store(t)) {	/* answered: the transport may still send it */
		t->sense_bytes = sense_bytes;
		memcpy(t->sense, sense, sizeof(sense));
	}
	c->run = NULL;
	scsi_task_copies_to(t, NULL, NULL);
	run_free(r);
	scsi_task_leave_store(t, c->status);	/* @c may go with it */
}

static void begin_segment(struct scsi_copy_run *r)
{
	const struct scsi_copy_segment *s = &r->segments[r->copy->done_segments];
	const struct end *dst = &r->ends[s->dst];
	struct lu_copy *lc = &r->lu;
	const int err = check_all(r);

	lc->reading = false;
	if (err) {
		lc->next = 0;
		finish(r, err);
		return;
	}
	lc->dst = dst->ch;
	lc->dst_bytes = s->dst_bytes;
	lc->dst_block = lu_geometry(lu_channel_lu(dst->ch))->block_bytes;
	lc->src = NULL;
	lc->src_block = lc->dst_block;
	if (s->src != SCSI_COPY_ZEROES) {
		lc->src = r->ends[s->src].ch;
		lc->src_bytes = s->src_bytes;
		lc->src_block = lu_geometry(lu_channel_lu(lc->src))->block_bytes;
	}
	lc->len_bytes = s->len_bytes;
	lc->unmap = scsi_device_is_thin(dst->dev);
	scsi_task_copies_to(r->task, dst->dev, nexus_of(r, dst));
	r->began = true;
	lu_copy_start(lc);
}

static void segment_done(struct lu_copy *lc, int err)
{
	struct scsi_copy_run *r = container_of(lc, struct scsi_copy_run, lu);
	struct scsi_copy *c = r->copy;

	if (err || c->done_segments + 1U == r->nr_segments) {
		finish(r, err);
		return;
	}
	c->done_bytes += lc->len_bytes;
	c->done_segments++;
	begin_segment(r);
}

static void started(struct mail *m)
{
	struct scsi_copy_run *r = container_of(m, struct scsi_copy_run, mail);

	if (r->immediate && scsi_task_go_to_background(r->task))
		r->copy->state = SCSI_COPY_BACKGROUND;
	if (r->nr_segments)
		begin_segment(r);
	else
		finish(r, 0);
}

enum scsi_status scsi_copy_start(struct scsi_copy *c, bool immediate)
{
	struct scsi_copy_run *r = c->run;

	if (lu_copy_init(&r->lu)) {
		scsi_copy_drop(c);
		return SCSI_BUSY;
	}
	r->immediate = immediate;
	r->lu.check = check;
	r->lu.done = segment_done;
	scsi_task_enter_store(r->task, stop);
	reactor_mailbox_send(reactor_current(), &r->mail, started);
	return SCSI_PENDING;
}

void scsi_copy_succeed(struct scsi_copy *c, uint64_t done_bytes, uint8_t *result,
		       uint16_t result_bytes)
{
	c->state = SCSI_COPY_DONE;
	c->done_bytes = done_bytes;
	c->done_segments = 1;
	c->result = result;
	c->result_bytes = result_bytes;
	run_free(c->run);
	c->run = NULL;
}
