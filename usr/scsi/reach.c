/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/reach.c - see reach.h. */
#include "scsi/reach.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/reservation.h"
#include "scsi/target.h"

static struct {
	pthread_mutex_t mutex;
	struct list_head list;
} all = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.list = LIST_HEAD_INIT(all.list),
};

void scsi_reach_put(struct scsi_reach *r)
{
	if (!r || !refcount_put(&r->refs))
		return;
	scsi_target_put(r->as.target);
	free(r->as.initiator_port);
	free(r->user);
	free(r->address);
	free(r);
}

void scsi_reach_enter(struct scsi_nexus *n, const char *user, const char *address)
{
	struct scsi_reach *r = calloc(1, sizeof(*r));

	if (!r)
		return;
	refcount_init(&r->refs, 1);
	r->as.id = n->id;
	r->as.target = scsi_target_get(n->target);
	r->as.target_port = n->target_port;
	r->as.initiator_port = strdup(n->initiator_port);
	r->address = strdup(address);
	r->user = user ? strdup(user) : NULL;
	if (!r->as.initiator_port || !r->address || (user && !r->user)) {
		scsi_reach_put(r);
		return;
	}
	n->reach = r;
	pthread_mutex_lock(&all.mutex);
	list_add_tail(&all.list, &r->node);
	pthread_mutex_unlock(&all.mutex);
}

void scsi_reach_leave(struct scsi_nexus *n)
{
	struct scsi_reach *r = n->reach;

	if (!r)
		return;
	n->reach = NULL;
	atomic_store(&r->gone, true);
	pthread_mutex_lock(&all.mutex);
	list_del(&r->node);
	pthread_mutex_unlock(&all.mutex);
	scsi_reach_put(r);
}

/* --- whose it is --- */

static bool same_name(const struct scsi_nexus *a, const struct scsi_nexus *b)
{
	const size_t bytes = scsi_nexus_name_bytes(a);

	return bytes == scsi_nexus_name_bytes(b) && !memcmp(a->initiator_port, b->initiator_port, bytes);
}

/* Has @mine shown what @other had to show? */
static bool is_his(const struct scsi_reach *mine, const struct scsi_reach *other)
{
	if (!same_name(&mine->as, &other->as))
		return false;
	if (other->user)
		return mine->user && !strcmp(mine->user, other->user);
	return !strcmp(mine->address, other->address);
}

/* --- finding --- */

static bool may_write(const struct scsi_reach *r, uint64_t lun, const struct scsi_device *dev)
{
	return scsi_alua_is_active(r->as.target, r->as.target_port, lun) &&
	       !scsi_reservation_denies(&r->as, dev->lu, LU_RESERVE_WRITE);
}

/* Under the mutex. */
struct found {
	struct scsi_reach *reach;	/* NULL: nothing yet */
	struct scsi_device *dev;	/* holds a reference */
	uint64_t lun;
	bool may_write, ambiguous;
};

static void look(struct scsi_reach *r,
		 bool (*is)(const struct scsi_device *dev, const void *arg), const void *arg,
		 struct found *f)
{
	uint64_t lun;
	struct scsi_device *dev = scsi_target_find_device(r->as.target, is, arg, &lun);

	if (!dev)
		return;
	if (f->dev && f->dev->lu != dev->lu)
		f->ambiguous = true;
	if (f->dev && (f->may_write || !may_write(r, lun, dev))) {
		scsi_device_put(dev);
		return;
	}
	scsi_device_put(f->dev);
	*f = (struct found){ r, dev, lun, may_write(r, lun, dev), f->ambiguous };
}

struct scsi_reach *scsi_reach_find(const struct scsi_nexus *n,
				   bool (*is)(const struct scsi_device *dev, const void *arg),
				   const void *arg, struct scsi_device **ret_dev,
				   uint64_t *ret_lun)
{
	struct found f = { 0 };
	struct scsi_reach *r;

	if (!n->reach)
		return NULL;
	pthread_mutex_lock(&all.mutex);
	list_for_each(r, &all.list, node)
		if (r->as.target != n->target && is_his(n->reach, r))
			look(r, is, arg, &f);
	if (f.reach && !f.ambiguous)
		refcount_get(&f.reach->refs);
	pthread_mutex_unlock(&all.mutex);
	if (f.ambiguous) {
		scsi_device_put(f.dev);
		return NULL;
	}
	*ret_dev = f.dev;
	*ret_lun = f.lun;
	return f.reach;
}
