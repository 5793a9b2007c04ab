/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/target.c - the set of targets, written by control, read by everyone.
 *
 * By name: a hash table of RCU chains.  By tid: a sorted array that is published
 * with its length.  A target with the highest tid is appended in place and a
 * deleted one leaves a hole, so that ten thousand come and go without copies;
 * only a tid in between, or a full array, makes a new one.
 */
#include "iscsi/target.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/macros.h"
#include "iscsi/account.h"
#include "iscsi/acl.h"
#include "iscsi/proto.h"
#include "scsi/target.h"

#define BUCKETS		4096
#define ROOM_MIN	64U
#define QUEUE_DEFAULT	128

struct index {				/* by tid */
	struct rcu_head rcu;
	unsigned int n, room;		/* n only grows while published */
	struct index_entry {
		int tid;
		struct iscsi_target *t;	/* RCU; NULL: deleted */
	} e[];
};

static struct iscsi_target *buckets[BUCKETS];	/* RCU */
static struct index *by_tid;			/* RCU; NULL: empty */
static struct {
	uint32_t interval_s, count;
} nop_default;					/* control's */

DEFINE_CLEANUP(struct iscsi_target_config *, iscsi_target_config_free)

bool iscsi_target_typed_name(const char *name)
{
	static const char *const types[] = { "iqn.", "eui.", "naa." };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strncmp(name, types[i], 4) && name[4])
			return true;
	return false;
}

bool iscsi_target_valid_name(const char *name)
{
	const size_t n = strlen(name);

	if (!n || n > ISCSI_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr(".-:", name[i]))
			return false;
	return true;
}

/* --- configuration --- */

void iscsi_target_config_free(struct iscsi_target_config *c)
{
	if (!c)
		return;
	iscsi_acl_free(c->acl);
	iscsi_account_free(c->accounts);
	iscsi_redirect_fini(&c->redirect);
	free(c);
}

static void config_free_rcu(struct rcu_head *head)
{
	iscsi_target_config_free(caa_container_of(head, struct iscsi_target_config,
						  rcu));
}

void iscsi_target_set_nop_default(uint32_t interval_s, uint32_t count)
{
	nop_default.interval_s = interval_s;
	nop_default.count = count;
}

struct iscsi_target_config *iscsi_target_config_new(void)
{
	struct iscsi_target_config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->params = iscsi_params_default;
	c->nop_interval_s = nop_default.interval_s;
	c->nop_count = nop_default.count;
	c->max_queue_cmd = QUEUE_DEFAULT;
	return c;
}

const struct iscsi_target_config *iscsi_target_config(const struct iscsi_target *t)
{
	return rcu_dereference(t->config);
}

struct iscsi_target_config *iscsi_target_config_copy(const struct iscsi_target *t)
{
	const struct iscsi_target_config *from = iscsi_target_config(t);
	_cleanup_(iscsi_target_config_freep) struct iscsi_target_config *c = NULL;

	c = malloc(sizeof(*c));
	if (!c)
		return NULL;
	*c = *from;
	c->acl = NULL;
	c->accounts = NULL;
	c->redirect.callback = NULL;
	if (iscsi_acl_copy(from->acl, &c->acl) < 0 ||
	    iscsi_account_copy(from->accounts, &c->accounts) < 0 ||
	    iscsi_redirect_copy(&from->redirect, &c->redirect) < 0)
		return NULL;
	return TAKE_PTR(c);
}

void iscsi_target_publish(struct iscsi_target *t, struct iscsi_target_config *c)
{
	struct iscsi_target_config *old = rcu_xchg_pointer(&t->config, c);

	call_rcu(&old->rcu, config_free_rcu);
}

/* --- references --- */

/* Its LUNs were removed before: what goes here is memory. */
static void target_free_rcu(struct rcu_head *head)
{
	struct iscsi_target *t = caa_container_of(head, struct iscsi_target, rcu);

	scsi_target_put(t->scsi);
	iscsi_target_config_free(t->config);
	free(t);
}

struct iscsi_target *iscsi_target_get(struct iscsi_target *t)
{
	refcount_get(&t->refs);
	return t;
}

void iscsi_target_put(struct iscsi_target *t)
{
	/* A reader may still stand on it, in the chain or the array. */
	if (refcount_put(&t->refs))
		call_rcu(&t->rcu, target_free_rcu);
}

/* --- by name --- */

static struct iscsi_target **bucket(const char *name)
{
	return &buckets[hash_string(name) % BUCKETS];
}

struct iscsi_target *iscsi_target_find(const char *name)
{
	struct iscsi_target *t;

	for (t = rcu_dereference(*bucket(name)); t; t = rcu_dereference(t->next))
		if (!strcmp(t->scsi->name, name))
			return refcount_get_unless_zero(&t->refs) ? t : NULL;
	return NULL;
}

static void unlink_name(struct iscsi_target *t)
{
	struct iscsi_target **at = bucket(t->scsi->name);

	while (*at != t)
		at = &(*at)->next;
	rcu_assign_pointer(*at, t->next);
}

/* --- by tid --- */

static void index_free_rcu(struct rcu_head *head)
{
	free(caa_container_of(head, struct index, rcu));
}

/* Position of the first entry with a tid of at least @tid. */
static unsigned int lower_bound(const struct index *x, unsigned int n, int tid)
{
	unsigned int lo = 0, hi = n;

	while (lo < hi) {
		const unsigned int mid = (lo + hi) / 2;

		if (x->e[mid].tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static unsigned int index_n(const struct index *x)
{
	return x ? __atomic_load_n(&x->n, __ATOMIC_ACQUIRE) : 0;
}

struct iscsi_target *iscsi_target_next(int tid)
{
	const struct index *x = rcu_dereference(by_tid);
	const unsigned int n = index_n(x);

	if (tid == INT_MAX)
		return NULL;
	for (unsigned int i = n ? lower_bound(x, n, tid + 1) : 0; i < n; i++) {
		struct iscsi_target *t = rcu_dereference(x->e[i].t);

		if (t)
			return t;
	}
	return NULL;
}

struct iscsi_target *iscsi_target_find_tid(int tid)
{
	struct iscsi_target *t = tid > 0 ? iscsi_target_next(tid - 1) : NULL;

	return t && t->scsi->tid == tid ? iscsi_target_get(t) : NULL;
}

void iscsi_target_each(void (*visit)(struct iscsi_target *t, void *arg), void *arg)
{
	const struct index *x = rcu_dereference(by_tid);
	const unsigned int n = index_n(x);

	for (unsigned int i = 0; i < n; i++) {
		struct iscsi_target *t = rcu_dereference(x->e[i].t);

		if (t)
			visit(t, arg);
	}
}

/* A copy of @x without its holes and with @t, at its place; NULL: no memory. */
static struct index *index_with(const struct index *x, struct iscsi_target *t)
{
	const unsigned int n = x ? x->n : 0, room = MAX(2 * (n + 1), ROOM_MIN);
	const struct index_entry added = { t->scsi->tid, t };
	struct index *new;
	bool placed = false;

	new = malloc(sizeof(*new) + room * sizeof(new->e[0]));
	if (!new)
		return NULL;
	new->n = 0;
	new->room = room;
	for (unsigned int i = 0; i < n; i++) {
		if (!x->e[i].t)
			continue;
		if (!placed && x->e[i].tid > added.tid) {
			new->e[new->n++] = added;
			placed = true;
		}
		new->e[new->n++] = x->e[i];
	}
	if (!placed)
		new->e[new->n++] = added;
	return new;
}

static int index_add(struct iscsi_target *t)
{
	struct index *x = by_tid, *new;
	const unsigned int n = x ? x->n : 0;
	const unsigned int at = n ? lower_bound(x, n, t->scsi->tid) : 0;

	if (at < n && x->e[at].tid == t->scsi->tid) {
		if (x->e[at].t)
			return -EEXIST;
		rcu_assign_pointer(x->e[at].t, t);
		return 0;
	}
	if (x && at == n && n < x->room) {
		x->e[n] = (struct index_entry){ t->scsi->tid, t };
		__atomic_store_n(&x->n, n + 1, __ATOMIC_RELEASE);
		return 0;
	}
	new = index_with(x, t);
	if (!new)
		return -ENOMEM;
	rcu_assign_pointer(by_tid, new);
	if (x)
		call_rcu(&x->rcu, index_free_rcu);
	return 0;
}

static void index_remove(const struct iscsi_target *t)
{
	struct index *x = by_tid;
	const unsigned int at = lower_bound(x, x->n, t->scsi->tid);

	assert(x->e[at].t == t);
	rcu_assign_pointer(x->e[at].t, NULL);
}

/* --- new, delete --- */

static int insert(struct iscsi_target *t)
{
	struct iscsi_target *other = iscsi_target_find(t->scsi->name);
	int err;

	if (other) {
		iscsi_target_put(other);
		return -EEXIST;
	}
	err = index_add(t);
	if (err < 0)
		return err;
	t->next = *bucket(t->scsi->name);
	rcu_assign_pointer(*bucket(t->scsi->name), t);
	return 0;
}

int iscsi_target_new(struct scsi_target *scsi, struct iscsi_target **ret_t)
{
	_cleanup_free_ struct iscsi_target *t = NULL;
	_cleanup_(iscsi_target_config_freep) struct iscsi_target_config *c = NULL;
	int err;

	if (!iscsi_target_valid_name(scsi->name) || scsi->tid <= 0)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	c = iscsi_target_config_new();
	if (!t || !c)
		return -ENOMEM;
	t->scsi = scsi;
	t->config = c;
	refcount_init(&t->refs, 2);	/* the set's and the caller's */
	err = insert(t);
	if (err < 0)
		return err;
	scsi_target_get(scsi);
	t->published = true;
	c = NULL;			/* the target's */
	*ret_t = TAKE_PTR(t);
	return 0;
}

bool iscsi_target_is_published(const struct iscsi_target *t)
{
	return t->published;
}

void iscsi_target_delete(struct iscsi_target *t)
{
	if (t->published) {
		t->published = false;
		index_remove(t);
		unlink_name(t);
		iscsi_target_put(t);	/* the set's */
	}
	iscsi_target_put(t);
}
