/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/target.c - targets and their maps from LUNs to devices.
 *
 * Control replaces the map and frees the old one after a grace period.  A LUN is
 * taken out in two steps: first from the map, so that nobody can find it any
 * more, then every reactor drops what it had made of it.
 */
#include "scsi/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "lu/lu.h"
#include "reactor/group.h"
#include "scsi/alua.h"
#include "scsi/device.h"
#include "scsi/internal.h"
#include "scsi/nexus.h"
#include "scsi/scsi.h"

/* --- LUN fields, SAM-5 r21 4.7 --- */

#define METHOD_PERIPHERAL	0U
#define METHOD_FLAT		1U

bool scsi_target_decode_lun(uint64_t field, uint64_t *ret_lun)
{
	const unsigned int first = (unsigned int)(field >> 48);
	const unsigned int method = first >> 14, value = first & 0x3fff;

	if (field & 0xffffffffffffULL)	/* a second level */
		return false;
	/* Peripheral device addressing: a bus identifier must be 0. */
	if (method > METHOD_FLAT || (method == METHOD_PERIPHERAL && value > 0xff))
		return false;
	*ret_lun = value;
	return true;
}

uint64_t scsi_target_encode_lun(uint64_t lun)
{
	const uint64_t method = lun > 0xff ? METHOD_FLAT : METHOD_PERIPHERAL;

	return (method << 14 | lun) << 48;
}

/* --- maps --- */

static struct scsi_lun_map *map_new(unsigned int n)
{
	struct scsi_lun_map *m = calloc(1, sizeof(*m) + n * sizeof(m->e[0]));

	if (m)
		m->n = n;
	return m;
}

static void map_free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct scsi_lun_map, rcu));
}

/* Index of @lun, or of the place where it would go. */
static unsigned int map_find(const struct scsi_lun_map *m, uint64_t lun, bool *ret_found)
{
	unsigned int lo = 0, hi = m->n;

	while (lo < hi) {
		const unsigned int mid = lo + (hi - lo) / 2;

		if (m->e[mid].lun < lun)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_found = lo < m->n && m->e[lo].lun == lun;
	return lo;
}

static struct scsi_lun_map *map_with(const struct scsi_lun_map *old, unsigned int at,
				     uint64_t lun, struct scsi_device *dev)
{
	struct scsi_lun_map *m = map_new(old->n + 1);

	if (!m)
		return NULL;
	memcpy(m->e, old->e, at * sizeof(m->e[0]));
	m->e[at] = (struct scsi_lun_entry){ .lun = lun, .dev = dev };
	memcpy(m->e + at + 1, old->e + at, (old->n - at) * sizeof(m->e[0]));
	return m;
}

static struct scsi_lun_map *map_without(const struct scsi_lun_map *old, unsigned int at)
{
	struct scsi_lun_map *m = map_new(old->n - 1);

	if (!m)
		return NULL;
	memcpy(m->e, old->e, at * sizeof(m->e[0]));
	memcpy(m->e + at, old->e + at + 1, (old->n - at - 1) * sizeof(m->e[0]));
	return m;
}

/* --- targets --- */

static void target_free(struct scsi_target *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; t->map && i < t->map->n; i++)
		scsi_device_put(t->map->e[i].dev);
	free(t->map);
	free(t->alua);
	free(t->name);
	free(t);
}
DEFINE_CLEANUP(struct scsi_target *, target_free)

struct scsi_target *scsi_target_new(const char *name, int tid,
				    struct scsi_device *controller)
{
	_cleanup_(target_freep) struct scsi_target *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->tid = tid;
	t->name = strdup(name);
	t->map = map_new(controller ? 1 : 0);
	if (!t->name || !t->map)
		return NULL;
	if (controller)
		t->map->e[0].dev = scsi_device_get(controller);
	refcount_init(&t->refs, 1);
	return TAKE_PTR(t);
}

struct scsi_target *scsi_target_get(struct scsi_target *t)
{
	refcount_get(&t->refs);
	return t;
}

/* With the last reference there is no nexus, hence no reader of the map. */
void scsi_target_put(struct scsi_target *t)
{
	if (t && refcount_put(&t->refs))
		target_free(t);
}

struct scsi_device *scsi_target_find_lun(struct scsi_target *t, uint64_t lun)
{
	struct scsi_device *dev = NULL;
	const struct scsi_lun_map *m;
	unsigned int at;
	bool found;

	rcu_read_lock();
	m = rcu_dereference(t->map);
	at = map_find(m, lun, &found);
	if (found && refcount_get_unless_zero(&m->e[at].dev->refs))
		dev = m->e[at].dev;
	rcu_read_unlock();
	return dev;
}

void scsi_target_set_offline(struct scsi_target *t, bool offline)
{
	atomic_store(&t->offline, offline);
	for (unsigned int i = 0; offline && i < t->map->n; i++)
		if (t->map->e[i].dev->lu)
			lu_watch_revoke(t->map->e[i].dev->lu);
}

struct scsi_device *scsi_target_find_device(struct scsi_target *t,
		bool (*is)(const struct scsi_device *dev, const void *arg),
		const void *arg, uint64_t *ret_lun)
{
	struct scsi_device *found = NULL;
	const struct scsi_lun_map *m;
	bool one = true;

	rcu_read_lock();
	m = rcu_dereference(t->map);
	for (unsigned int i = 0; i < m->n && one; i++) {
		struct scsi_device *dev = m->e[i].dev;

		if (!dev->lu || !is(dev, arg))
			continue;
		one = !found || found->lu == dev->lu;
		found = dev;
		*ret_lun = m->e[i].lun;
	}
	if (found && (!one || !refcount_get_unless_zero(&found->refs)))
		found = NULL;
	rcu_read_unlock();
	return found;
}

bool scsi_target_has(struct scsi_target *t, uint64_t lun, const struct scsi_device *dev)
{
	const struct scsi_lun_map *m;
	unsigned int at;
	bool found;

	rcu_read_lock();
	m = rcu_dereference(t->map);
	at = map_find(m, lun, &found);
	found = found && m->e[at].dev == dev;
	rcu_read_unlock();
	return found;
}

int scsi_target_add_lun(struct scsi_target *t, uint64_t lun, struct scsi_device *dev)
{
	struct scsi_lun_map *old = t->map, *m;
	unsigned int at;
	bool found;

	if (lun > SCSI_LUN_MAX)
		return -ERANGE;
	at = map_find(old, lun, &found);
	if (found)
		return -EEXIST;
	if (scsi_alua_forget_lun(t, lun) < 0)
		return -ENOMEM;
	m = map_with(old, at, lun, dev);
	if (!m)
		return -ENOMEM;
	scsi_device_get(dev);
	if (dev->lu)
		atomic_store(&dev->tpgs, scsi_alua_tpgs(t->alua));
	atomic_fetch_add(&dev->nr_luns, 1);
	rcu_assign_pointer(t->map, m);
	call_rcu(&old->rcu, map_free_rcu);
	/* The LUN is there even if nobody could be told. */
	return scsi_unit_attention_raise_target(t, SCSI_SENSE_REPORTED_LUNS_DATA_HAS_CHANGED);
}

/* --- removal --- */

struct removal {
	struct scsi_target *target;	/* holds a reference */
	struct scsi_device *dev;	/* the map's reference */
	uint64_t lun;
	void (*removed)(void *arg);
	void *arg;
};

static void drop_here(struct scsi_nexus *n, void *arg);

static void remove_here(struct reactor_spread *s, void *arg)
{
	struct removal *r = arg;

	scsi_nexus_each(r->target, drop_here, r);
	reactor_group_spread_put(s);
}

static void remove_done(void *arg)
{
	struct removal *r = arg;

	scsi_device_put(r->dev);
	scsi_target_put(r->target);
	r->removed(r->arg);
	free(r);
}

static void end_tasks(struct scsi_itl *itl)
{
	struct scsi_task *t, *tmp;

	/* An answer may release the task itself, no other. */
	list_for_each_safe(t, tmp, &itl->tasks, node)
		if (t->state != SCSI_TASK_DONE)
			scsi_task_end(t, scsi_task_fail(t, SCSI_SENSE_LUN_NOT_SUPPORTED));
}

static void drop_or_tell(struct scsi_itl *itl, void *arg)
{
	const struct removal *r = arg;

	if (itl->lun != r->lun || itl->dev != r->dev) {
		scsi_unit_attention_add(itl, SCSI_SENSE_REPORTED_LUNS_DATA_HAS_CHANGED);
		return;
	}
	end_tasks(itl);
	scsi_nexus_drop_itl(itl);
}

static void drop_here(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, drop_or_tell, arg);
}

int scsi_target_remove_lun(struct scsi_target *t, uint64_t lun,
			   void (*removed)(void *arg), void *arg)
{
	struct scsi_lun_map *old = t->map, *m;
	struct removal *r;
	unsigned int at;
	bool found;

	at = map_find(old, lun, &found);
	if (!found)
		return -ENOENT;
	r = malloc(sizeof(*r));
	m = map_without(old, at);
	if (!r || !m)
		goto no_memory;
	*r = (struct removal){ .target = scsi_target_get(t), .dev = old->e[at].dev,
			       .lun = lun, .removed = removed, .arg = arg };
	rcu_assign_pointer(t->map, m);
	if (reactor_group_spread(remove_here, remove_done, r) < 0) {
		/* A reader may have @m: it stays until nobody can. */
		rcu_assign_pointer(t->map, old);
		call_rcu(&m->rcu, map_free_rcu);
		scsi_target_put(t);
		free(r);
		return -ENOMEM;
	}
	atomic_fetch_sub(&r->dev->nr_luns, 1);
	/* Without memory they are forgotten when the number is used again. */
	(void)scsi_alua_forget_lun(t, lun);
	call_rcu(&old->rcu, map_free_rcu);
	if (r->dev->lu)		/* what was promised of its contents ends here */
		lu_watch_revoke(r->dev->lu);
	return 0;
no_memory:
	free(r);
	free(m);
	return -ENOMEM;
}
