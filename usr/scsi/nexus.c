/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/nexus.c - I_T and I_T_L nexuses of one reactor; nobody else touches them.
 *
 * An I_T_L nexus that is dropped (nexus loss, LUN removed) leaves its bucket at
 * once and is freed with its last task, which may be in a store that hangs.
 */
#include "scsi/nexus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "lu/io.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "scsi/alua.h"
#include "scsi/copy.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/reach.h"
#include "scsi/target.h"
#include "scsi/task.h"
#include "scsi/usage.h"

static _Atomic uint64_t last_id;	/* never reused; 0 is nobody */

int scsi_nexus_open(struct scsi_nexus *n, struct scsi_target *target,
		    const char *initiator_port, uint16_t target_port)
{
	memset(n, 0, sizeof(*n));
	n->initiator_port = strdup(initiator_port);
	if (!n->initiator_port)
		return -ENOMEM;
	n->id = atomic_fetch_add(&last_id, 1) + 1;
	n->target = scsi_target_get(target);
	n->target_port = target_port;
	for (unsigned int i = 0; i < SCSI_NEXUS_BUCKETS; i++)
		list_init(&n->itls[i]);
	list_init(&n->strays);
	list_add_tail(&scsi_task_local()->nexuses, &n->node);
	return 0;
}

/* Without ",i,0x<ISID>", SPC-4 r37 7.6.4.5. */
size_t scsi_nexus_name_bytes(const struct scsi_nexus *n)
{
	const size_t tail = strlen(",i,0x") + 12, all = strlen(n->initiator_port);

	return all > tail && !memcmp(n->initiator_port + all - tail, ",i,0x", 5) ? all - tail :
										   all;
}

uint64_t scsi_nexus_initiator(const struct scsi_nexus *n)
{
	return hash_bytes(n->initiator_port, scsi_nexus_name_bytes(n), 0);
}

/* --- I_T_L nexuses --- */

static struct list_head *bucket(struct scsi_nexus *n, uint64_t lun)
{
	return &n->itls[lun % SCSI_NEXUS_BUCKETS];
}

static void itl_free(struct scsi_itl *itl)
{
	reactor_hook_disarm(&itl->unblock);
	scsi_usage_keep(itl);
	scsi_copy_forget(itl);
	if (itl->ch)
		lu_channel_put(itl->ch);
	scsi_memory_account_put(itl->account);
	scsi_device_put(itl->dev);
	free(itl);
}

/* Takes the reference on @dev. */
static struct scsi_itl *itl_new(struct scsi_nexus *n, uint64_t lun,
				struct scsi_device *dev)
{
	struct scsi_itl *itl = calloc(1, sizeof(*itl));

	if (itl)
		itl->account = scsi_memory_account_get(dev);
	if (!itl || !itl->account ||
	    (dev->lu && lu_channel_get(dev->lu, &itl->ch) < 0)) {
		if (itl)
			scsi_memory_account_put(itl->account);
		free(itl);
		scsi_device_put(dev);
		return NULL;
	}
	itl->nexus = n;
	itl->lun = lun;
	itl->dev = dev;
	list_init(&itl->tasks);
	list_init(&itl->starved);
	list_init(&itl->copies);
	reactor_hook_init(&itl->unblock, scsi_task_set_unblock);
	scsi_alua_refresh(itl);
	/* Power on, or nexus established, is all the same to it: SAM-5 6.2. */
	scsi_unit_attention_add(itl, SCSI_SENSE_POWER_ON_OR_RESET);
	list_add_tail(bucket(n, lun), &itl->node);
	return itl;
}

static struct scsi_itl *itl_make(struct scsi_nexus *n, uint64_t lun)
{
	struct scsi_device *dev;

	if (n->closing)
		return NULL;
	dev = scsi_target_find_lun(n->target, lun);
	return dev ? itl_new(n, lun, dev) : NULL;
}

struct scsi_itl *scsi_nexus_itl(struct scsi_nexus *n, uint64_t lun)
{
	struct list_head *b = bucket(n, lun);
	struct scsi_itl *itl;

	list_for_each(itl, b, node)
		if (likely(itl->lun == lun))
			return itl;
	return itl_make(n, lun);
}

void scsi_nexus_prevent_removal(struct scsi_itl *itl, bool prevent)
{
	if (itl->prevents == prevent)
		return;
	itl->prevents = prevent;
	if (prevent)
		atomic_fetch_add(&itl->dev->prevent_removal, 1);
	else
		atomic_fetch_sub(&itl->dev->prevent_removal, 1);
}

void scsi_nexus_drop_itl(struct scsi_itl *itl)
{
	list_del(&itl->node);
	itl->removed = true;
	scsi_copy_cancel_all(itl);
	scsi_nexus_prevent_removal(itl, false);
	if (itl->dev->lu)
		lu_reserve_lose(lu_reserve(itl->dev->lu), itl->nexus->id);
	if (list_empty(&itl->tasks))
		itl_free(itl);
}

/* --- the end of a nexus --- */

static void given_up(struct scsi_nexus *n)
{
	void (*const closed)(struct scsi_nexus *n) = n->closed;

	scsi_target_put(n->target);
	free(n->initiator_port);
	n->initiator_port = NULL;
	n->target = NULL;
	if (closed)
		closed(n);
}

void scsi_nexus_task_gone(struct scsi_nexus *n, struct scsi_itl *itl)
{
	if (itl && itl->removed && list_empty(&itl->tasks))
		itl_free(itl);
	if (!--n->nr_tasks && n->closing)
		given_up(n);
}

/* aborted() may release the task, and others with it. */
void scsi_nexus_abort_tasks(struct list_head *tasks)
{
	struct scsi_task *t;
	bool again;

	do {
		again = false;
		list_for_each(t, tasks, node)
			if (scsi_task_is_owed(t)) {
				scsi_task_abort(t);
				again = true;
				break;
			}
	} while (again);
}

void scsi_nexus_abort_all(struct scsi_nexus *n)
{
	struct scsi_itl *itl, *tmp;

	n->nr_tasks++;			/* ours: the last one does not end a nexus */
	scsi_nexus_abort_tasks(&n->strays);
	for (unsigned int i = 0; i < SCSI_NEXUS_BUCKETS; i++)
		list_for_each_safe(itl, tmp, &n->itls[i], node)
			scsi_nexus_abort_tasks(&itl->tasks);
	scsi_nexus_task_gone(n, NULL);
}

void scsi_nexus_close(struct scsi_nexus *n, void (*closed)(struct scsi_nexus *n))
{
	struct scsi_itl *itl, *tmp;

	assert(!n->closing);
	n->closing = true;
	n->closed = closed;
	list_del(&n->node);
	scsi_reach_leave(n);
	n->nr_tasks++;			/* ours: not given up before the end */
	scsi_nexus_abort_tasks(&n->strays);
	for (unsigned int i = 0; i < SCSI_NEXUS_BUCKETS; i++)
		list_for_each_safe(itl, tmp, &n->itls[i], node) {
			scsi_nexus_abort_tasks(&itl->tasks);
			scsi_nexus_drop_itl(itl);
		}
	scsi_nexus_task_gone(n, NULL);
}

/* --- walks; visit() may drop the I_T_L nexus it is given --- */

void scsi_nexus_each(const struct scsi_target *target,
		     void (*visit)(struct scsi_nexus *n, void *arg), void *arg)
{
	struct scsi_nexus *n, *tmp;

	list_for_each_safe(n, tmp, &scsi_task_local()->nexuses, node)
		if (!target || n->target == target)
			visit(n, arg);
}

void scsi_nexus_each_itl(struct scsi_nexus *n,
			 void (*visit)(struct scsi_itl *itl, void *arg), void *arg)
{
	struct scsi_itl *itl, *tmp;

	for (unsigned int i = 0; i < SCSI_NEXUS_BUCKETS; i++)
		list_for_each_safe(itl, tmp, &n->itls[i], node)
			visit(itl, arg);
}
