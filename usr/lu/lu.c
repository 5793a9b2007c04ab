/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/lu.c - the life of a logical unit.
 *
 * References are held by the owner (control) and by each reactor's channel.  The
 * last put gives up the device; when the store is closed, control learns it and
 * the memory goes.
 */
#include "lu/lu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/rcu.h"
#include "base/text.h"
#include "lu/internal.h"
#include "lu/journal.h"
#include "lu/latency.h"
#include "lu/reserve.h"
#include "lu/resize.h"
#include "reactor/group.h"

#define BLOCK_BYTES_DEFAULT	512

struct geometry {
	struct rcu_head rcu;
	struct lu_geometry g;		/* lu->geometry points here */
};

struct identity {
	struct rcu_head rcu;
	struct lu_identity id;		/* lu->identity points here */
};

struct opening {
	struct lu *lu;
	struct bs_device *dev;
	uint32_t block_bytes, atomic_bytes;
	int err;
	char why[512];
	void (*done)(void *arg, struct lu *lu, int err, const char *why);
	void *arg;
};

/* --- what is published --- */

static void geometry_free_rcu(struct rcu_head *h)
{
	free(container_of(h, struct geometry, rcu));
}

static void identity_free_rcu(struct rcu_head *h)
{
	free(container_of(h, struct identity, rcu));
}

struct lu_geometry *lu_geometry_new(const struct lu_geometry *g)
{
	struct geometry *new = malloc(sizeof(*new));

	if (!new)
		return NULL;
	new->g = *g;
	return &new->g;
}

void lu_geometry_free(struct lu_geometry *g)
{
	if (g)
		free(container_of(g, struct geometry, g));
}

void lu_geometry_publish(struct lu *lu, struct lu_geometry *g)
{
	struct lu_geometry *old = rcu_xchg_pointer(&lu->geometry, g);

	if (old)
		call_rcu(&container_of(old, struct geometry, g)->rcu, geometry_free_rcu);
}

int lu_set_geometry(struct lu *lu, const struct lu_geometry *g)
{
	struct lu_geometry *new = lu_geometry_new(g);

	if (!new)
		return -ENOMEM;
	lu_geometry_publish(lu, new);
	return 0;
}

int lu_set_identity(struct lu *lu, const struct lu_identity *id)
{
	struct identity *new = malloc(sizeof(*new));
	struct lu_identity *old;

	if (!new)
		return -ENOMEM;
	new->id = *id;
	old = rcu_xchg_pointer(&lu->identity, &new->id);
	if (old)
		call_rcu(&container_of(old, struct identity, id)->rcu, identity_free_rcu);
	return 0;
}

uint32_t lu_atomic_bytes(const struct lu *lu)
{
	return lu_journal_max_bytes(lu->journal);
}

const struct lu_geometry *lu_geometry(const struct lu *lu)
{
	return rcu_dereference(lu->geometry);
}

const struct lu_identity *lu_identity(const struct lu *lu)
{
	return rcu_dereference(lu->identity);
}

struct lu_reserve *lu_reserve(const struct lu *lu)
{
	return rcu_dereference(lu->reserve);
}

void lu_set_reserve(struct lu *lu, struct lu_reserve *r)
{
	lu_reserve_put(rcu_xchg_pointer(&lu->reserve, r));
}

/* Whether the cache of the next medium is used is for the next medium to say. */
const struct bs_dev_info lu_no_store = { .write_cache = true };

bool lu_has_medium(const struct lu *lu)
{
	return lu->dev != NULL;
}

const struct bs_dev_info *lu_store_info(const struct lu *lu)
{
	const struct bs_device *dev = rcu_dereference(lu->dev);

	return likely(dev) ? bs_device_info(dev) : &lu_no_store;
}

/* --- opening --- */

static void lu_free(struct lu *lu)
{
	if (!lu)
		return;
	lu_geometry_free(lu->geometry);
	if (lu->identity)
		free(container_of(lu->identity, struct identity, id));
	lu_watch_detach(lu);
	lu_reserve_put(lu->reserve);
	lu_range_lock_fini(&lu->locks);
	lu_latency_fini(lu);
	free(lu->bstype);
	free(lu->path);
	free(lu->bsopts);
	free(lu);
}
DEFINE_CLEANUP(struct lu *, lu_free)

static struct lu *lu_new(const struct bs_open_spec *spec, const struct lu_identity *id)
{
	_cleanup_(lu_freep) struct lu *lu = calloc(1, sizeof(*lu));

	if (!lu)
		return NULL;
	lu_range_lock_init(&lu->locks);
	lu_watch_init(&lu->watches);
	refcount_init(&lu->refs, 1);
	lu->open_flags = spec->flags;
	lu->bstype = strdup(spec->bstype);
	lu->path = strdup(spec->path ? spec->path : "");
	lu->bsopts = strdup(spec->bsopts ? spec->bsopts : "");
	if (!lu->bstype || !lu->path || !lu->bsopts || lu_set_identity(lu, id) ||
	    lu_latency_init(lu, reactor_group_size()))
		return NULL;
	return TAKE_PTR(lu);
}

static void journal_closed(void *arg)
{
	struct lu *lu = arg;
	void (*const closed)(void *arg) = lu->closed;
	void *const closed_arg = lu->closed_arg;

	lu_free(lu);
	if (closed)
		closed(closed_arg);
}

static void device_closed(void *arg)
{
	struct lu *lu = arg;

	lu_journal_close(lu->journal, journal_closed, lu);
}

static void device_resized(void *arg, uint64_t size_bytes)
{
	struct lu *lu = arg;

	/* The device outlives us by what is still on its way. */
	if (!refcount_get_unless_zero(&lu->refs))
		return;
	lu_resize_store_is(lu, size_bytes);
	lu_put(lu);
}

int lu_fit(const struct lu *lu, const struct bs_device *dev, uint32_t block_bytes,
	   struct lu_geometry *ret_g, char *why, size_t why_bytes)
{
	const struct bs_dev_info *i = bs_device_info(dev);
	const char *path = bs_device_path(dev);
	int err;

	if (i->align_bytes > block_bytes) {
		snprintf(why, why_bytes,
			 "%s %s needs a block size of at least %u bytes when opened like this, not %u",
			 lu->bstype, path, i->align_bytes, block_bytes);
		return -EINVAL;
	}
	err = lu_geometry_init(ret_g, i->size_bytes, block_bytes, i->phys_block_bytes);
	if (err)
		return err;
	if (!ret_g->nr_blocks) {
		snprintf(why, why_bytes, "%s %s has %llu bytes, less than one block of %u",
			 lu->bstype, path, (unsigned long long)i->size_bytes, block_bytes);
		return -EINVAL;
	}
	return 0;
}

void lu_attach(struct lu *lu, struct bs_device *dev)
{
	lu->store_bytes = dev ? bs_device_info(dev)->size_bytes : 0;
	rcu_assign_pointer(lu->dev, dev);
	if (!dev)
		return;
	bs_device_on_closed(dev, device_closed, lu);
	bs_device_on_resized(dev, device_resized, lu);
}

static void opening_over(void *arg)
{
	struct opening *o = arg;

	if (o->dev)
		bs_device_put(o->dev);
	lu_free(o->lu);
	o->done(o->arg, NULL, o->err, o->why);
	free(o);
}

static void opening_failed(struct opening *o, int err, const char *why)
{
	o->err = err;
	text_copy(o->why, sizeof(o->why), why);
	lu_journal_close(o->lu->journal, opening_over, o);
}

static void reserve_opened(void *arg, struct lu_reserve *r, int err, const char *why)
{
	struct opening *o = arg;
	struct lu *lu = o->lu;
	const struct bs_dev_info *i = o->dev ? bs_device_info(o->dev) : &lu_no_store;

	if (err) {
		opening_failed(o, err, why);
		return;
	}
	lu->reserve = r;
	atomic_init(&lu->read_only, i->read_only || (lu->open_flags & BS_OPEN_RDONLY));
	atomic_init(&lu->write_cache, i->write_cache);
	lu_attach(lu, o->dev);
	o->done(o->arg, lu, 0, NULL);
	free(o);
}

static void journal_opened(void *arg, struct lu_journal *j, int err, const char *why)
{
	struct opening *o = arg;

	o->lu->journal = j;
	if (!err) {
		err = lu_reserve_open(o->lu->identity->scsi_id, reserve_opened, o);
		why = strerrordesc_np(-err);
	}
	if (err)
		opening_failed(o, err, why);
}

static void device_opened(void *arg, struct bs_device *dev, int err, const char *why)
{
	struct opening *o = arg;
	struct bs_open_spec spec = { .bstype = o->lu->bstype, .path = o->lu->path };
	struct lu_geometry g;
	char text[512] = "";

	if (err) {
		opening_failed(o, err, why);
		return;
	}
	o->dev = dev;
	err = lu_fit(o->lu, dev, o->block_bytes, &g, text, sizeof(text));
	if (!err)
		err = lu_set_geometry(o->lu, &g);
	if (!err)
		err = lu_journal_open(dev, &spec, o->atomic_bytes, journal_opened, o);
	if (err)
		opening_failed(o, err, *text ? text : strerrordesc_np(-err));
}

/* A drive without a medium. */
static int open_empty(struct opening *o, char *why_buf, size_t why_bytes)
{
	struct lu_geometry g;

	if (o->atomic_bytes) {
		snprintf(why_buf, why_bytes,
			 "%s: atomic writes are of a medium: give its path", o->lu->bstype);
		return -EINVAL;
	}
	if (lu_geometry_init(&g, 0, o->block_bytes, 0) || lu_set_geometry(o->lu, &g))
		return -ENOMEM;
	return lu_reserve_open(o->lu->identity->scsi_id, reserve_opened, o);
}

int lu_open(const struct bs_open_spec *spec, const struct lu_identity *id,
	    uint32_t atomic_bytes, char *why_buf, size_t why_bytes,
	    void (*done)(void *arg, struct lu *lu, int err, const char *why), void *arg)
{
	struct bs_open_spec s = *spec;
	_cleanup_(lu_freep) struct lu *lu = NULL;
	_cleanup_free_ struct opening *o = NULL;
	struct lu_geometry g;
	bool empty;
	int err;

	if (!s.block_bytes)
		s.block_bytes = BLOCK_BYTES_DEFAULT;
	if (lu_geometry_init(&g, 0, s.block_bytes, 0)) {
		snprintf(why_buf, why_bytes,
			 "block size %u is not supported; use 512, 1024, 2048 or 4096",
			 s.block_bytes);
		return -EINVAL;
	}
	lu = lu_new(&s, id);
	o = malloc(sizeof(*o));
	if (!lu || !o)
		return -ENOMEM;
	*o = (struct opening){ .lu = lu, .block_bytes = s.block_bytes,
			       .atomic_bytes = atomic_bytes, .done = done, .arg = arg };
	err = bs_open_check(&s, why_buf, why_bytes, &empty);
	if (!err)
		err = empty ? open_empty(o, why_buf, why_bytes) :
			      bs_open(&s, why_buf, why_bytes, device_opened, o);
	if (err)
		return err;
	lu = NULL;		/* both are with device_opened(), or reserve_opened(), now */
	o = NULL;
	return 0;
}

/* --- closing --- */

struct lu *lu_get(struct lu *lu)
{
	refcount_get(&lu->refs);
	return lu;
}

static void gone(struct mail *m)
{
	device_closed(container_of(m, struct lu, gone));
}

void lu_put(struct lu *lu)
{
	if (!lu || !refcount_put(&lu->refs))
		return;
	if (lu->dev)
		bs_device_put(lu->dev);
	else
		reactor_mailbox_send(reactor_group_control(), &lu->gone, gone);
}

void lu_close(struct lu *lu, void (*closed)(void *arg), void *arg)
{
	lu->closed = closed;
	lu->closed_arg = arg;
	lu_put(lu);
}
