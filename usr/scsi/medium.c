/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/medium.c - see medium.h.
 *
 *	hold -> on every reactor: end the tasks, change over to the new channel, unit
 *	attention -> release
 *
 * While SCSI_DEVICE_CHANGING is set dispatch lets nothing to the medium.  A WRITE that
 * waits for its data, for memory or for its turn has passed dispatch: it is ended, and
 * so is what the store has, whose answer would tell of the old medium.
 */
#include "scsi/medium.h"

#include <errno.h>
#include <stdlib.h>
#include "lu/lu.h"
#include "scsi/background.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"
#include "scsi/unit_attention.h"

struct scsi_medium_change {
	struct scsi_device *dev;	/* holds a reference until changed() */
	bool there;			/* a medium, after it */
	void (*changed)(void *arg);
	void (*closed)(void *arg, int err);
	void *arg;
};

int scsi_medium_hold(struct scsi_device *dev, struct scsi_medium_change **ret_change)
{
	struct scsi_medium_change *c = calloc(1, sizeof(*c));
	int err = 0;

	if (!c)
		return -ENOMEM;
	c->dev = scsi_device_get(dev);
	/* In this order: who starts to format it does it the other way round, so that
	 * one of the two sees the other. */
	atomic_fetch_or(&dev->ejected, SCSI_DEVICE_CHANGING);
	if (atomic_load(&dev->prevent_removal))
		err = -EBUSY;
	else if (scsi_background_runs(dev))
		err = -EINPROGRESS;
	if (err)
		scsi_medium_release(c);
	else
		*ret_change = c;
	return err;
}

void scsi_medium_release(struct scsi_medium_change *c)
{
	atomic_fetch_and(&c->dev->ejected, (uint8_t)~SCSI_DEVICE_CHANGING);
	scsi_device_put(c->dev);
	free(c);
}

static bool concerns_medium(const struct scsi_task *t)
{
	return t->state != SCSI_TASK_DONE && t->cmd &&
	       (t->in_store || !(t->cmd->flags & SCSI_CMD_NO_MEDIUM));
}

static void move_itl(struct scsi_itl *itl, void *arg)
{
	const struct scsi_medium_change *c = arg;
	struct scsi_task *t, *tmp;

	if (itl->dev != c->dev)
		return;
	/* An answer may release the task itself, no other. */
	list_for_each_safe(t, tmp, &itl->tasks, node)
		if (concerns_medium(t))
			scsi_task_end(t, scsi_task_fail(t, SCSI_SENSE_MEDIUM_NOT_PRESENT));
	lu_channel_put(itl->ch);
	/* Cannot fail: the channel is there. */
	if (lu_channel_get(c->dev->lu, &itl->ch) < 0)
		assert(false);
	if (c->there)
		scsi_unit_attention_add(itl, SCSI_SENSE_MEDIUM_MAY_HAVE_CHANGED);
}

static void move_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, move_itl, arg);
}

static void move(void *arg)
{
	scsi_nexus_each(NULL, move_nexus, arg);
}

/* What the medium brings with it, and then the drive closes. */
static void changed(void *arg)
{
	struct scsi_medium_change *c = arg;
	struct scsi_device *dev = c->dev;

	atomic_store(&dev->lu->read_only,
		     scsi_device_config(dev)->readonly || lu_store_info(dev->lu)->read_only ||
			     dev->lu->open_flags & BS_OPEN_RDONLY);
	scsi_background_load(dev);
	atomic_store(&dev->stopped, false);
	atomic_store(&dev->ejected, c->there ? 0 : SCSI_DEVICE_EMPTY);
	scsi_device_put(dev);
	c->dev = NULL;
	c->changed(c->arg);
}

static void closed(void *arg, int err)
{
	struct scsi_medium_change *c = arg;

	c->closed(c->arg, err);
	free(c);
}

void scsi_medium_change(struct scsi_medium_change *c, struct lu_medium *m,
			void (*done)(void *arg), void (*over)(void *arg, int err), void *arg)
{
	static const struct lu_medium_ops ops = { .move = move, .changed = changed,
						  .closed = closed };

	c->there = lu_medium_is_there(m);
	c->changed = done;
	c->closed = over;
	c->arg = arg;
	/* Copies to it that other tasks began end like those of a reset. */
	atomic_fetch_add(&c->dev->resets, 1);
	lu_medium_swap(m, &ops, c);
}
