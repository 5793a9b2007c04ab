/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/config.c - a config is replaced by control only, so an edit travels there
 * and back.  The task may be aborted on the way; the edit stands all the same.
 */
#include "scsi/config.h"

#include <stdlib.h>
#include "reactor/group.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/task.h"
#include "scsi/unit_attention.h"

struct edit {
	struct mail mail;
	struct reactor *home;
	struct scsi_task *task;		/* holds a reference */
	struct scsi_device *dev;	/* holds a reference */
	uint64_t nexus_id, step;
	bool changed;
	int err;
	bool (*edit)(struct scsi_device_config *c, uint64_t step);
	void (*after)(struct scsi_task *t, int err);
};

static void told(void *arg)
{
	struct edit *e = arg;
	struct scsi_task *t = e->task;

	if (!t->aborted && t->state != SCSI_TASK_DONE)
		e->after(t, e->err);
	scsi_task_put(t);
	scsi_device_put(e->dev);
	free(e);
}

/* Without memory nobody is told; the change stands. */
static void edited(struct mail *m)
{
	struct edit *e = container_of(m, struct edit, mail);

	if (!e->changed ||
	    scsi_unit_attention_raise_then(e->dev, SCSI_SENSE_MODE_PARAMETERS_CHANGED,
					   e->nexus_id, told, e) < 0)
		told(e);
}

static void apply(struct mail *m)
{
	struct edit *e = container_of(m, struct edit, mail);
	struct scsi_device_config new = *scsi_device_config(e->dev);

	e->changed = e->edit(&new, e->step);
	if (e->changed) {
		e->err = scsi_device_set_config(e->dev, &new);
		e->changed = !e->err;
	}
	reactor_mailbox_send(e->home, &e->mail, edited);
}

enum scsi_status scsi_config_edit(struct scsi_task *t,
				  bool (*edit)(struct scsi_device_config *c, uint64_t step),
				  void (*after)(struct scsi_task *t, int err))
{
	struct edit *e = calloc(1, sizeof(*e));

	if (!e)
		return SCSI_BUSY;
	e->home = reactor_current();
	e->task = t;
	scsi_task_get(t);
	e->dev = scsi_device_get(t->dev);
	e->nexus_id = t->nexus->id;
	e->step = t->step;
	e->edit = edit;
	e->after = after;
	reactor_mailbox_send(reactor_group_control(), &e->mail, apply);
	return SCSI_PENDING;
}
