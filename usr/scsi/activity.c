/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/activity.c - see activity.h. */
#include "scsi/activity.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "reactor/group.h"
#include "scsi/background.h"
#include "scsi/copy.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"
#include "scsi/task.h"

struct question {
	struct scsi_device *dev;	/* holds a reference */
	atomic_bool active;
	void (*answer)(void *arg, bool active);
	void *arg;
};

static bool has_tasks(const struct scsi_itl *itl)
{
	const struct scsi_task *t;

	list_for_each(t, &itl->tasks, node)
		if (t->in_store || scsi_task_is_owed(t))
			return true;
	return false;
}

static void ask_itl(struct scsi_itl *itl, void *arg)
{
	struct question *q = arg;

	if ((itl->dev == q->dev && has_tasks(itl)) || scsi_copy_uses(itl, q->dev))
		atomic_store(&q->active, true);
}

static void ask_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, ask_itl, arg);
}

/* Aborted with their sessions, perhaps, and no nexus has them any more. */
static void ask_lingering(struct question *q)
{
	const struct scsi_task *t;

	list_for_each(t, &scsi_task_local()->lingering, finished)
		if (t->dev == q->dev)
			atomic_store(&q->active, true);
}

static void ask_here(struct reactor_spread *s, void *arg)
{
	struct question *q = arg;

	scsi_nexus_each(NULL, ask_nexus, q);	/* any target: a copy may be of another */
	ask_lingering(q);
	reactor_group_spread_put(s);
}

static void asked(void *arg)
{
	struct question *q = arg;

	q->answer(q->arg, atomic_load(&q->active) || scsi_background_runs(q->dev));
	scsi_device_put(q->dev);
	free(q);
}

int scsi_activity_ask(struct scsi_device *dev, void (*answer)(void *arg, bool active),
		      void *arg)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->dev = scsi_device_get(dev);
	q->answer = answer;
	q->arg = arg;
	if (reactor_group_spread(ask_here, asked, q) < 0) {
		scsi_device_put(dev);
		free(q);
		return -ENOMEM;
	}
	return 0;
}
