/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/usage.c - each I_T_L nexus counts for itself, on its reactor; what it has
 * counted goes to the device when it is freed.
 */
#include "scsi/usage.h"

#include <errno.h>
#include <stdlib.h>
#include "reactor/group.h"
#include "scsi/device.h"
#include "scsi/nexus.h"

struct collection {
	struct scsi_device *dev;	/* holds a reference */
	struct lu_stats sum;
	void (*done)(void *arg, const struct lu_stats *sum);
	void *arg;
};

/* Several reactors add at once, unlike in lu_stats_sum(). */
static void add(struct lu_stats *to, const struct lu_stats *from)
{
#define ADD(field) atomic_fetch_add(&to->field, atomic_load_explicit(&from->field,	\
								     memory_order_relaxed))
	ADD(rd_subm_bytes);
	ADD(rd_subm_cmds);
	ADD(rd_done_bytes);
	ADD(rd_done_cmds);
	ADD(wr_subm_bytes);
	ADD(wr_subm_cmds);
	ADD(wr_done_bytes);
	ADD(wr_done_cmds);
	ADD(errs);
#undef ADD
}

void scsi_usage_keep(const struct scsi_itl *itl)
{
	add(&itl->dev->past, &itl->stats);
}

static void add_itl(struct scsi_itl *itl, void *arg)
{
	struct collection *c = arg;

	if (itl->dev == c->dev)
		add(&c->sum, &itl->stats);
}

static void add_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, add_itl, arg);
}

static void add_here(struct reactor_spread *s, void *arg)
{
	scsi_nexus_each(NULL, add_nexus, arg);
	reactor_group_spread_put(s);
}

static void collected(void *arg)
{
	struct collection *c = arg;

	c->done(c->arg, &c->sum);
	scsi_device_put(c->dev);
	free(c);
}

int scsi_usage_collect(struct scsi_device *dev,
		       void (*done)(void *arg, const struct lu_stats *sum), void *arg)
{
	struct collection *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->dev = scsi_device_get(dev);
	c->done = done;
	c->arg = arg;
	add(&c->sum, &dev->past);
	if (reactor_group_spread(add_here, collected, c) < 0) {
		scsi_device_put(dev);
		free(c);
		return -ENOMEM;
	}
	return 0;
}
