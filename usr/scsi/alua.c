/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/alua.c - target port groups and what follows from their states.
 *
 * A change is published first, then taken over on every reactor: an I_T_L nexus
 * that is made meanwhile has the new state from the start.  Until its reactor was
 * there, an older one works by the old state; only then is the change answered.
 */
#include "scsi/alua.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "reactor/group.h"
#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/target.h"
#include "scsi/unit_attention.h"

/* --- looking --- */

const struct scsi_alua *scsi_alua_of(const struct scsi_target *t)
{
	return rcu_dereference(t->alua);
}

const struct scsi_alua_group *scsi_alua_find(const struct scsi_alua *a, uint16_t id)
{
	for (unsigned int i = 0; a && i < a->nr_groups; i++)
		if (a->group[i].id == id)
			return &a->group[i];
	return NULL;
}

const struct scsi_alua_group *scsi_alua_find_port(const struct scsi_alua *a, uint16_t port)
{
	for (unsigned int i = 0; a && i < a->nr_groups; i++)
		for (unsigned int k = 0; k < a->group[i].nr_ports; k++)
			if (a->group[i].port[k] == port)
				return &a->group[i];
	return NULL;
}

/* Index of the exception, or of the place where it would go. */
static unsigned int find_exception(const struct scsi_alua *a, uint64_t lun, uint16_t group,
				   bool *ret_found)
{
	const uint64_t key = lun << 16 | group;
	unsigned int lo = 0, hi = a->nr_exceptions;

	while (lo < hi) {
		const unsigned int mid = lo + (hi - lo) / 2;
		const struct scsi_alua_exception *x = &a->exception[mid];

		if ((x->lun << 16 | x->group) < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_found = lo < a->nr_exceptions && a->exception[lo].lun == lun &&
		     a->exception[lo].group == group;
	return lo;
}

struct scsi_alua_access scsi_alua_access(const struct scsi_alua *a,
					 const struct scsi_alua_group *g, uint64_t lun)
{
	bool found;
	const unsigned int at = find_exception(a, lun, g->id, &found);

	return found ? a->exception[at].access : g->access;
}

bool scsi_alua_is_active(const struct scsi_target *t, uint16_t port, uint64_t lun)
{
	const struct scsi_alua *a = scsi_alua_of(t);
	const struct scsi_alua_group *g = a ? scsi_alua_find_port(a, port) : NULL;

	return !g || scsi_alua_access(a, g, lun).state < SCSI_ALUA_STANDBY;
}

uint8_t scsi_alua_tpgs(const struct scsi_alua *a)
{
	uint8_t tpgs = 0;

	for (unsigned int i = 0; a && i < a->nr_groups; i++)
		tpgs |= a->group[i].tpgs;
	return tpgs;
}

void scsi_alua_refresh(struct scsi_itl *itl)
{
	const struct scsi_alua *a = scsi_alua_of(itl->nexus->target);
	const struct scsi_alua_group *g = scsi_alua_find_port(a, itl->nexus->target_port);

	/* The controller has no medium to which access could differ. */
	itl->access_state = g && itl->dev->lu ? scsi_alua_access(a, g, itl->lun).state :
						SCSI_ALUA_OPTIMIZED;
}

enum scsi_sense_code scsi_alua_sense(enum scsi_alua_state state)
{
	switch (state) {
	case SCSI_ALUA_OPTIMIZED:
	case SCSI_ALUA_NON_OPTIMIZED:
		break;
	case SCSI_ALUA_STANDBY:
		return SCSI_SENSE_NOT_READY_STANDBY;
	case SCSI_ALUA_UNAVAILABLE:
		return SCSI_SENSE_NOT_READY_UNAVAILABLE;
	case SCSI_ALUA_OFFLINE:
		return SCSI_SENSE_NOT_READY_OFFLINE;
	case SCSI_ALUA_TRANSITIONING:
		return SCSI_SENSE_NOT_READY_TRANSITIONING;
	}
	return SCSI_SENSE_NO_SENSE;
}

enum scsi_status scsi_alua_check(struct scsi_task *t)
{
	const enum scsi_alua_state state = t->itl->access_state;

	/* What we do not know at all is refused as that. */
	if (!t->cmd || t->cmd->access == SCSI_ACCESS_ANY)
		return SCSI_GOOD;
	if (t->cmd->access == SCSI_ACCESS_STANDBY && state == SCSI_ALUA_STANDBY)
		return SCSI_GOOD;
	return scsi_task_fail(t, scsi_alua_sense(state));
}

/* --- changing a copy --- */

struct scsi_alua *scsi_alua_new(unsigned int nr_exceptions)
{
	struct scsi_alua *a = calloc(1, sizeof(*a) + nr_exceptions * sizeof(a->exception[0]));

	if (a)
		a->room = nr_exceptions;
	return a;
}

struct scsi_alua *scsi_alua_copy(const struct scsi_target *t)
{
	const struct scsi_alua *old = scsi_alua_of(t);
	const unsigned int n = old ? old->nr_exceptions : 0;
	const unsigned int room = n + SCSI_ALUA_GROUPS_MAX;	/* one LUN's more */
	struct scsi_alua *a = scsi_alua_new(room);

	if (!a)
		return NULL;
	if (old)
		memcpy(a, old, sizeof(*a) + n * sizeof(a->exception[0]));
	a->room = room;
	return a;
}

int scsi_alua_add(struct scsi_alua *a, const struct scsi_alua_group *g)
{
	unsigned int at = 0;

	if (scsi_alua_find(a, g->id))
		return -EEXIST;
	if (a->nr_groups == SCSI_ALUA_GROUPS_MAX)
		return -ENOSPC;
	while (at < a->nr_groups && a->group[at].id < g->id)
		at++;
	memmove(&a->group[at + 1], &a->group[at],
		(a->nr_groups - at) * sizeof(a->group[0]));
	a->group[at] = *g;
	a->nr_groups++;
	return 0;
}

static void drop_exceptions(struct scsi_alua *a, uint16_t group)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < a->nr_exceptions; i++)
		if (a->exception[i].group != group)
			a->exception[kept++] = a->exception[i];
	a->nr_exceptions = kept;
}

void scsi_alua_remove(struct scsi_alua *a, struct scsi_alua_group *g)
{
	const unsigned int at = (unsigned int)(g - a->group);

	drop_exceptions(a, g->id);
	a->nr_groups--;
	memmove(g, g + 1, (a->nr_groups - at) * sizeof(*g));
}

void scsi_alua_set(struct scsi_alua *a, struct scsi_alua_group *g, struct scsi_alua_access access)
{
	drop_exceptions(a, g->id);
	g->access = access;
}

void scsi_alua_set_lun(struct scsi_alua *a, const struct scsi_alua_group *g, uint64_t lun,
		       struct scsi_alua_access access)
{
	bool found;
	const unsigned int at = find_exception(a, lun, g->id, &found);
	struct scsi_alua_exception *x = &a->exception[at];

	if (!found) {
		assert(a->nr_exceptions < a->room);
		memmove(x + 1, x, (a->nr_exceptions++ - at) * sizeof(*x));
	}
	*x = (struct scsi_alua_exception){ .lun = lun, .group = g->id, .access = access };
}

/* --- publishing --- */

struct publication {
	struct scsi_target *target;	/* holds a reference */
	struct scsi_alua_change change;
	void (*done)(void *arg);
	void *arg;
};

static void alua_free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct scsi_alua, rcu));
}

static void update_itl(struct scsi_itl *itl, void *arg)
{
	const struct scsi_alua_change *c = arg;

	if (!itl->dev->lu || (c->one_lun && itl->lun != c->lun))
		return;
	scsi_alua_refresh(itl);
	if (c->except == itl->nexus->id)
		return;
	if (c->inquiry)
		scsi_unit_attention_add(itl, SCSI_SENSE_INQUIRY_DATA_HAS_CHANGED);
	if (c->code != SCSI_SENSE_NO_SENSE)
		scsi_unit_attention_add(itl, c->code);
}

static void update_nexus(struct scsi_nexus *n, void *arg)
{
	scsi_nexus_each_itl(n, update_itl, arg);
}

static void update_here(struct reactor_spread *s, void *arg)
{
	struct publication *p = arg;

	scsi_nexus_each(p->target, update_nexus, &p->change);
	reactor_group_spread_put(s);
}

static void updated(void *arg)
{
	struct publication *p = arg;

	scsi_target_put(p->target);
	p->done(p->arg);
	free(p);
}

/* What initiators are told of the groups in INQUIRY goes with them. */
static void update_devices(const struct scsi_target *t, uint8_t tpgs)
{
	for (unsigned int i = 0; i < t->map->n; i++)
		if (t->map->e[i].dev->lu)
			atomic_store(&t->map->e[i].dev->tpgs, tpgs);
}

/* @old is not used any more, unless by a reader. */
static void retire(struct scsi_alua *old)
{
	if (old)
		call_rcu(&old->rcu, alua_free_rcu);
}

int scsi_alua_publish(struct scsi_target *t, struct scsi_alua *a,
		      const struct scsi_alua_change *change, void (*done)(void *arg),
		      void *arg)
{
	struct publication *p = malloc(sizeof(*p));
	struct scsi_alua *old = t->alua;

	if (!p) {
		free(a);
		return -ENOMEM;
	}
	*p = (struct publication){ .target = scsi_target_get(t), .change = *change,
				   .done = done, .arg = arg };
	rcu_assign_pointer(t->alua, a);
	if (reactor_group_spread(update_here, updated, p) < 0) {
		rcu_assign_pointer(t->alua, old);
		retire(a);
		scsi_target_put(t);
		free(p);
		return -ENOMEM;
	}
	retire(old);
	update_devices(t, scsi_alua_tpgs(a));
	return 0;
}

int scsi_alua_forget_lun(struct scsi_target *t, uint64_t lun)
{
	struct scsi_alua *old = t->alua, *a;
	unsigned int kept = 0;

	if (!old || !old->nr_exceptions)
		return 0;
	a = scsi_alua_copy(t);
	if (!a)
		return -ENOMEM;
	for (unsigned int i = 0; i < a->nr_exceptions; i++)
		if (a->exception[i].lun != lun)
			a->exception[kept++] = a->exception[i];
	a->nr_exceptions = kept;
	rcu_assign_pointer(t->alua, a);
	retire(old);
	return 0;
}
