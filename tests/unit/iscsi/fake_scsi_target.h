/* SPDX-License-Identifier: BSD-3-Clause */
/* fake_scsi_target.h - a SCSI target that is a name, a tid and a reference count;
 * for one test program each. */
#pragma once
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/rcu.h"
#include "scsi/target.h"

static atomic_int nr_scsi;		/* that exist */

struct scsi_target *scsi_target_get(struct scsi_target *t)
{
	refcount_get(&t->refs);
	return t;
}

void scsi_target_put(struct scsi_target *t)
{
	if (!refcount_put(&t->refs))
		return;
	nr_scsi--;
	free(t->name);
	free(t);
}

static inline struct scsi_target *scsi_new(const char *name, int tid)
{
	struct scsi_target *t = calloc(1, sizeof(*t));

	t->name = strdup(name);
	t->tid = tid;
	refcount_init(&t->refs, 1);
	nr_scsi++;
	return t;
}
