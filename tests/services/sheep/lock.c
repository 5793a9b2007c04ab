/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock.c - locks, and which sharer's idea of the map is old.
 *
 * Of the sharers of a VDI at most one is "modified" (the last that changed the
 * map); those that have not read the map since are "invalidated".
 */
#include "lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/list.h"
#include "wire.h"

#define MAX_SHARERS 31

enum state { MODIFIED, SHARED, INVALIDATED };
static const char *const state_names[] = { "modified", "shared",
					   "invalidated" };

struct lock {
	struct list_head node;
	uint32_t vid;
	uint32_t type;
	unsigned int nr;
	struct {
		unsigned int node;
		enum state state;
	} sharers[MAX_SHARERS];
};

static struct list_head locks = LIST_HEAD_INIT(locks);
static const char *path;
static bool enabled;

static struct lock *find(uint32_t vid)
{
	struct lock *l;

	list_for_each(l, &locks, node)
		if (l->vid == vid)
			return l;
	return NULL;
}

static struct lock *add(uint32_t vid, uint32_t type)
{
	struct lock *l = calloc(1, sizeof(*l));

	if (l) {
		l->vid = vid;
		l->type = type;
		list_add_tail(&locks, &l->node);
	}
	return l;
}

static void drop(struct lock *l)
{
	list_del(&l->node);
	free(l);
}

static int sharer_of(const struct lock *l, unsigned int node)
{
	for (unsigned int i = 0; l && l->type == LOCK_SHARED && i < l->nr; i++)
		if (l->sharers[i].node == node)
			return (int)i;
	return -1;
}

/* Only normal locks outlive the server. */
static void keep(void)
{
	FILE *f = fopen(path, "we");
	struct lock *l;

	if (!f)
		return;
	list_for_each(l, &locks, node)
		if (l->type == LOCK_NORMAL)
			fprintf(f, "%06x\n", l->vid);
	fclose(f);
}

int lock_open(const char *file, bool on)
{
	unsigned int vid;
	FILE *f;

	path = file;
	enabled = on;
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (enabled && fscanf(f, "%6x", &vid) == 1)
		add(vid, LOCK_NORMAL);
	fclose(f);
	return 0;
}

static bool any_modified(const struct lock *l)
{
	for (unsigned int i = 0; i < l->nr; i++)
		if (l->sharers[i].state == MODIFIED)
			return true;
	return false;
}

static int take_shared(struct lock *l, unsigned int node)
{
	enum state state = MODIFIED;

	if (sharer_of(l, node) != -1 || l->nr == MAX_SHARERS)
		return RES_VDI_LOCKED;
	if (l->nr)
		state = any_modified(l) ? INVALIDATED : SHARED;
	l->sharers[l->nr].node = node;
	l->sharers[l->nr++].state = state;
	return RES_SUCCESS;
}

int lock_take(uint32_t vid, uint32_t type, unsigned int node)
{
	struct lock *l = find(vid);

	if (!enabled)
		return RES_SUCCESS;
	if (type > LOCK_SHARED)
		return RES_INVALID_PARMS;
	if (l && (type == LOCK_NORMAL || l->type == LOCK_NORMAL))
		return RES_VDI_LOCKED;
	if (!l)
		l = add(vid, type);
	if (!l)
		return RES_SYSTEM_ERROR;
	if (type == LOCK_SHARED)
		return take_shared(l, node);
	keep();
	return RES_SUCCESS;
}

static void leave(struct lock *l, unsigned int node)
{
	const int i = sharer_of(l, node);

	if (i == -1)
		return;
	memmove(&l->sharers[i], &l->sharers[i + 1],
		(--l->nr - (unsigned int)i) * sizeof(l->sharers[0]));
	if (!l->nr)
		drop(l);
}

void lock_release(uint32_t vid, uint32_t type, unsigned int node)
{
	struct lock *l = find(vid);

	if (!l || l->type != type)
		return;
	if (type == LOCK_SHARED)
		leave(l, node);
	else
		drop(l);
	keep();
}

void lock_release_any(uint32_t vid)
{
	struct lock *l = find(vid);

	if (l)
		drop(l);
	keep();
}

void lock_node_died(unsigned int node)
{
	struct lock *l, *tmp;

	list_for_each_safe(l, tmp, &locks, node)
		leave(l, node);
}

bool lock_is_invalidated(uint32_t vid, unsigned int node)
{
	const struct lock *l = find(vid);
	const int i = sharer_of(l, node);

	return i != -1 && l->sharers[i].state == INVALIDATED;
}

void lock_map_changed(uint32_t vid, unsigned int node)
{
	struct lock *l = find(vid);

	for (unsigned int i = 0; l && i < l->nr; i++)
		l->sharers[i].state = l->sharers[i].node == node ? MODIFIED :
								   INVALIDATED;
}

/* Other nodes that have an old map have to read it themselves. */
void lock_map_read(uint32_t vid, unsigned int node)
{
	struct lock *l = find(vid);

	if (!lock_is_invalidated(vid, node))
		return;
	for (unsigned int i = 0; i < l->nr; i++)
		if (l->sharers[i].node == node ||
		    l->sharers[i].state != INVALIDATED)
			l->sharers[i].state = SHARED;
}

bool lock_enabled(void)
{
	return enabled;
}

bool lock_held(uint32_t vid)
{
	return find(vid);
}

bool lock_shared_by(uint32_t vid, unsigned int node)
{
	return sharer_of(find(vid), node) != -1;
}

void lock_list(char *text, unsigned int bytes)
{
	struct lock *l;
	int at = 0;

	*text = '\0';
	list_for_each(l, &locks, node) {
		at += snprintf(text + at, bytes - (unsigned int)at, "%06x %s",
			       l->vid,
			       l->type == LOCK_SHARED ? "shared" : "normal");
		for (unsigned int i = 0; i < l->nr && at < (int)bytes - 40; i++)
			at += snprintf(text + at, bytes - (unsigned int)at,
				       " %u=%s", l->sharers[i].node,
				       state_names[l->sharers[i].state]);
		if (at > (int)bytes - 40)
			break;
		at += snprintf(text + at, bytes - (unsigned int)at, "\n");
	}
}
