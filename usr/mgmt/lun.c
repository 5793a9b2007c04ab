/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun.c - logical units come and go.
 *
 * In: everything is checked, the number is taken, the store opens on a worker,
 * and only then is there a device in the target's map.  Out: out of the map
 * first, then the store closes; a store that hangs keeps its memory and
 * nothing else.
 */
#include "mgmt/lun.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "mgmt/lun_cache.h"
#include "mgmt/lun_params.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "reactor/reactor.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/target.h"
#include "scsi/unit_attention.h"
#include "spc/spc.h"

static unsigned int nr_stores;

unsigned int mgmt_lun_nr_stores(void)
{
	return nr_stores;
}

static void store_gone(void)
{
	nr_stores--;
	mgmt_system_settled();
}

struct mgmt_lun *mgmt_lun_find(const struct mgmt_target *t, uint64_t lun)
{
	struct mgmt_lun *l;

	list_for_each(l, &t->luns, node)
		if (l->lun == lun)
			return l;
	return NULL;
}

static struct mgmt_lun *lun_new(struct mgmt_target *t, uint64_t lun)
{
	struct mgmt_lun *l = calloc(1, sizeof(*l)), *before;
	struct list_head *place = &t->luns;

	if (!l)
		return NULL;
	l->target = t;
	l->lun = lun;
	l->state = MGMT_LUN_OPENING;
	list_for_each(before, &t->luns, node)
		if (before->lun < lun)
			place = &before->node;
	list_add(place, &l->node);
	return l;
}

/* Off the target's list: the number is free. */
static void lun_unlink(struct mgmt_lun *l)
{
	struct mgmt_target *t = l->target;

	list_del(&l->node);
	l->target = NULL;
	if (l->awaited)
		mgmt_target_wait_over(t);
}

int mgmt_lun_add_controller(struct mgmt_target *t, struct scsi_device *controller)
{
	struct mgmt_lun *l = lun_new(t, 0);

	if (!l)
		return -ENOMEM;
	l->dev = scsi_device_get(controller);
	l->state = MGMT_LUN_READY;
	return 0;
}

void mgmt_lun_drop_controller(struct mgmt_target *t)
{
	struct mgmt_lun *l = mgmt_lun_find(t, 0);

	if (!l)
		return;
	list_del(&l->node);
	scsi_device_put(l->dev);
	free(l);
}

/* --- out -------------------------------------------------------------- */

static void tell_left(struct mgmt_lun *l, bool closed)
{
	void (*const left)(void *arg, bool closed) = l->left;

	l->left = NULL;
	if (left)
		left(l->left_arg, closed);
}

static void store_closed(void *arg)
{
	struct mgmt_lun *l = arg;

	reactor_timer_cancel(reactor_current(), &l->timer);
	tell_left(l, true);
	free(l);
	store_gone();
}

static void close_expired(struct timer *timer)
{
	struct mgmt_lun *l = container_of(timer, struct mgmt_lun, timer);

	log_warn("LUN %" PRIu64 ": its store has not closed within %d s", l->lun,
		 MGMT_LUN_CLOSE_MS / 1000);
	tell_left(l, false);
}

static void out_of_map(void *arg)
{
	struct mgmt_lun *l = arg;

	log_info("target %d LUN %" PRIu64 ": removed", l->target->tid, l->lun);
	lun_unlink(l);
	scsi_device_put(l->dev);
	l->lu->resized = NULL;
	l->timer.expired = close_expired;
	if (reactor_timer_arm(reactor_current(), &l->timer, MGMT_LUN_CLOSE_MS) < 0)
		log_warn("LUN %" PRIu64 ": out of memory for a timer", l->lun);
	lu_close(l->lu, store_closed, l);
}

int mgmt_lun_remove(struct mgmt_lun *l, void (*left)(void *arg, bool closed), void *arg)
{
	int err;

	assert(l->lu && l->state == MGMT_LUN_READY);
	l->state = MGMT_LUN_LEAVING;
	l->left = left;
	l->left_arg = arg;
	err = scsi_target_remove_lun(l->target->scsi, l->lun, out_of_map, l);
	if (err < 0) {
		l->state = MGMT_LUN_READY;
		l->left = NULL;
	}
	return err;
}

struct removal {		/* a lun.delete on its way */
	struct mgmt_call *call;
	const struct mgmt_target *target;	/* may be gone: to compare only */
	int tid;
	uint64_t lun;
};

static void deleted(void *arg, bool closed)
{
	struct mgmt_call *call = arg;

	if (!closed)
		mgmt_rpc_warn(call,
			      "the store has not closed within %d s: it is closed as soon as it answers",
			      MGMT_LUN_CLOSE_MS / 1000);
	mgmt_rpc_reply(call, NULL);
}

static void remove_now(struct mgmt_call *call, struct mgmt_lun *l)
{
	const int err = mgmt_lun_remove(l, deleted, call);

	if (err < 0)
		mgmt_rpc_fail_errno(call, err, "cannot remove the logical unit");
}

/* READY and not the controller, or NULL after the call was failed. */
static struct mgmt_lun *lun_of(struct mgmt_call *call)
{
	struct mgmt_target *t = mgmt_target_of(call);
	const uint64_t lun = (uint64_t)mgmt_rpc_int(call, "lun", 0);
	struct mgmt_lun *l;

	if (!t)
		return NULL;
	l = mgmt_lun_find(t, lun);
	if (l && l->state == MGMT_LUN_READY && l->lu)
		return l;
	if (!l || l->state == MGMT_LUN_OPENING)
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "lun",
			      "target %d has no LUN %" PRIu64 "%s", t->tid, lun,
			      l ? " yet: it is being opened" : "");
	else if (!l->lu)
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "lun",
			      "LUN 0 is the controller that every target has");
	else
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "lun",
			      "LUN %" PRIu64 " of target %d is being removed", lun,
			      t->tid);
	return NULL;
}

static void use_known(void *arg, bool in_use)
{
	struct removal *r = arg;
	struct mgmt_call *call = r->call;
	/* Meanwhile somebody else may have removed it, or its target. */
	const struct mgmt_target *t = mgmt_target_find(r->tid);
	struct mgmt_lun *l = t == r->target ? mgmt_lun_find(t, r->lun) : NULL;

	if (!l || l->state != MGMT_LUN_READY)
		mgmt_rpc_fail(call, MGMT_ERR_NO_LUN, "lun",
			      "LUN %" PRIu64 " is being removed", r->lun);
	else if (in_use)
		mgmt_rpc_fail(call, MGMT_ERR_LUN_ACTIVE, "lun",
			      "an initiator uses LUN %" PRIu64 " of target %d; --force removes it",
			      r->lun, r->tid);
	else
		remove_now(call, l);
	free(r);
}

void mgmt_lun_delete(struct mgmt_call *call)
{
	struct mgmt_lun *l = lun_of(call);
	struct removal *r;
	int err;

	if (!l)
		return;
	if (mgmt_rpc_bool(call, "force")) {
		remove_now(call, l);
		return;
	}
	if (atomic_load(&l->dev->prevent_removal)) {
		mgmt_rpc_fail(call, MGMT_ERR_PREVENT_REMOVAL, "lun",
			      "an initiator has locked the medium of LUN %" PRIu64
			      "; --force removes it", l->lun);
		return;
	}
	r = malloc(sizeof(*r));
	if (!r) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot remove the logical unit");
		return;
	}
	*r = (struct removal){ call, l->target, l->target->tid, l->lun };
	err = scsi_target_lun_in_use(l->target->scsi, l->lun, use_known, r);
	if (err < 0) {
		free(r);
		mgmt_rpc_fail_errno(call, err, "cannot ask who uses the logical unit");
	}
}

/* --- a change takes effect -------------------------------------------- */

static void tell_initiators(struct mgmt_lun *l, unsigned int news)
{
	static const enum scsi_sense_code codes[MGMT_LUN_NEWS_NR] = {
		[MGMT_LUN_NEWS_INQUIRY] = SCSI_SENSE_INQUIRY_DATA_HAS_CHANGED,
		[MGMT_LUN_NEWS_MODE] = SCSI_SENSE_MODE_PARAMETERS_CHANGED,
		[MGMT_LUN_NEWS_CAPACITY] = SCSI_SENSE_CAPACITY_DATA_HAS_CHANGED,
		[MGMT_LUN_NEWS_MEDIUM] = SCSI_SENSE_MEDIUM_MAY_HAVE_CHANGED,
	};

	for (unsigned int i = 0; i < MGMT_LUN_NEWS_NR; i++)
		if (news & BIT(i) && scsi_unit_attention_raise(l->dev, codes[i], 0) < 0)
			log_err("LUN %" PRIu64 ": out of memory for a unit attention",
				l->lun);
}

/* The parts of a change that are atomics of the LU. */
static void apply_to_lu(struct lu *lu, const struct mgmt_lun_change *c)
{
	atomic_store(&lu->read_only, c->config.readonly || lu_store_info(lu)->read_only ||
				     lu->open_flags & BS_OPEN_RDONLY);
	if (c->write_cache >= 0)
		atomic_store(&lu->write_cache, c->write_cache != 0);
}

/* 0, or -ENOMEM and nothing has changed. */
static int apply(struct mgmt_lun *l, const struct mgmt_lun_change *c)
{
	const struct lu_identity before = *lu_identity(l->lu);

	if (lu_set_identity(l->lu, &c->id) < 0)
		return -ENOMEM;
	if (scsi_device_set_config(l->dev, &c->config) < 0) {
		if (lu_set_identity(l->lu, &before) < 0)
			log_err("LUN %" PRIu64 ": out of memory, its ids have changed alone",
				l->lun);
		return -ENOMEM;
	}
	apply_to_lu(l->lu, c);
	return 0;
}

static void warn_of_change(struct mgmt_call *call, const struct lu *lu,
			   const struct mgmt_lun_change *c)
{
	if (*c->warning)
		mgmt_rpc_warn(call, "%s", c->warning);
	if (c->config.thin_provisioning &&
	    !(lu_store_info(lu)->ops & BS_OP_BIT(BS_UNMAP)))
		mgmt_rpc_warn(call,
			      "a store of type %s cannot give space back: thin provisioning is not offered",
			      lu->bstype);
	if (!c->config.readonly && lu->open_flags & BS_OPEN_RDONLY)
		mgmt_rpc_warn(call,
			      "the store was opened read-only: remove the LUN and add it anew to write");
}

void mgmt_lun_update(struct mgmt_call *call)
{
	struct mgmt_lun *l = lun_of(call);
	struct mgmt_lun_change c;
	struct mgmt_fault fault;
	bool wce;
	int err;

	if (!l)
		return;
	wce = atomic_load(&l->lu->write_cache);
	c = (struct mgmt_lun_change){
		.config = *scsi_device_config(l->dev),
		.id = *lu_identity(l->lu),
		.write_cache = wce,
		.target_name = l->target->scsi->name,
		.tid = l->target->tid,
		.lun = l->lun,
	};
	if (mgmt_lun_params_set(&c, mgmt_rpc_pairs(call, "params"), &fault) < 0) {
		mgmt_rpc_fail(call, fault.error, fault.field, "%s", fault.sentence);
		return;
	}
	if (c.write_cache == wce)	/* an initiator may be changing it: not ours */
		c.write_cache = -1;
	err = apply(l, &c);
	if (err < 0) {
		mgmt_rpc_fail_errno(call, err, "cannot change the logical unit");
		return;
	}
	tell_initiators(l, c.news);
	warn_of_change(call, l->lu, &c);
	if (!c.write_cache)
		mgmt_lun_cache_flush(l->lu, call);
	else
		mgmt_rpc_reply(call, NULL);
}

static void resized(void *arg)
{
	struct mgmt_lun *l = arg;

	log_info("target %d LUN %" PRIu64 ": %" PRIu64 " blocks now", l->target->tid,
		 l->lun, lu_geometry(l->lu)->nr_blocks);
	tell_initiators(l, BIT(MGMT_LUN_NEWS_CAPACITY));
}

/* --- in --------------------------------------------------------------- */

struct opening {		/* a lun.create on its way */
	struct mgmt_call *call;
	struct mgmt_lun *lun;
	const struct scsi_device_type *type;
	struct mgmt_lun_change change;
};

static int parse_open_flags(const char *text, uint32_t *ret)
{
	static const struct {
		const char *text;
		uint32_t flags;
	} words[] = {
		{ "", 0 },
		{ "sync", BS_OPEN_SYNC },
		{ "direct", BS_OPEN_DIRECT },
		{ "sync:direct", BS_OPEN_SYNC | BS_OPEN_DIRECT },
		{ "direct:sync", BS_OPEN_SYNC | BS_OPEN_DIRECT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].text, text)) {
			*ret |= words[i].flags;
			return 0;
		}
	return -EINVAL;
}

static void closed_unused(void *arg)
{
	(void)arg;
	store_gone();
}

/* The number is given back, and the store that nobody got to see. */
static void opening_failed(struct opening *o, struct lu *lu, enum mgmt_error error,
			   const char *why)
{
	lun_unlink(o->lun);
	free(o->lun);
	if (lu)
		lu_close(lu, closed_unused, NULL);
	else
		store_gone();
	mgmt_rpc_fail(o->call, error, NULL, "%s", why);
	free(o);
}

static int publish(struct opening *o, struct lu *lu)
{
	struct mgmt_lun *l = o->lun;
	int err;

	apply_to_lu(lu, &o->change);
	l->dev = scsi_device_new(o->type, lu, &o->change.config);
	if (!l->dev)
		return -ENOMEM;
	err = scsi_target_add_lun(l->target->scsi, l->lun, l->dev);
	if (err < 0) {
		scsi_device_put(l->dev);
		l->dev = NULL;
		return err;
	}
	l->lu = lu;
	lu->resized = resized;
	lu->resized_arg = l;
	l->state = MGMT_LUN_READY;
	return 0;
}

static void opened(void *arg, struct lu *lu, int err, const char *why)
{
	struct opening *o = arg;
	struct mgmt_lun *l = o->lun;

	if (err < 0) {
		opening_failed(o, NULL, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			       why);
		return;
	}
	if (l->target->leaving) {
		opening_failed(o, lu, MGMT_ERR_NO_TARGET, "the target is being removed");
		return;
	}
	err = publish(o, lu);
	if (err < 0) {
		opening_failed(o, lu, MGMT_ERR_NOMEM,
			       "out of memory while the logical unit was added");
		return;
	}
	log_info("target %d LUN %" PRIu64 ": %s %s", l->target->tid, l->lun, lu->bstype,
		 lu->path);
	warn_of_change(o->call, lu, &o->change);
	mgmt_rpc_reply(o->call, NULL);
	free(o);
}

/* All that can be wrong with a call before a store is touched; false after the
 * call was failed. */
static bool check_create(struct mgmt_call *call, const struct mgmt_target *t,
			 struct opening *o, struct bs_open_spec *spec)
{
	const char *type = mgmt_rpc_text(call, "device_type");
	const char *flags = mgmt_rpc_text(call, "bsoflags");
	struct lu_geometry unused;
	struct mgmt_fault fault;

	if (mgmt_lun_find(t, o->change.lun)) {
		mgmt_rpc_fail(call, MGMT_ERR_LUN_EXISTS, "lun",
			      "target %d has LUN %" PRIu64 " already", t->tid,
			      o->change.lun);
		return false;
	}
	o->type = scsi_device_type_find(type ? type : "disk");
	if (!o->type) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "device_type",
			      "this tgtd has no devices of type '%s'", type);
		return false;
	}
	if (flags && parse_open_flags(flags, &spec->flags) < 0) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "bsoflags",
			      "the flags of a store are sync, direct, or sync:direct");
		return false;
	}
	if (lu_geometry_init(&unused, spec->block_bytes, spec->block_bytes, 0) < 0) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "blocksize",
			      "a block is 512, 1024, 2048 or 4096 bytes, not %" PRIu32,
			      spec->block_bytes);
		return false;
	}
	if (mgmt_lun_params_set(&o->change, mgmt_rpc_pairs(call, "params"), &fault) < 0) {
		mgmt_rpc_fail(call, fault.error, fault.field, "%s", fault.sentence);
		return false;
	}
	if (o->change.config.readonly)
		spec->flags |= BS_OPEN_RDONLY;
	return true;
}

static void start_opening(struct opening *o, struct mgmt_target *t,
			  const struct bs_open_spec *spec)
{
	char why[512] = "";
	int err;

	o->lun = lun_new(t, o->change.lun);
	if (!o->lun) {
		mgmt_rpc_fail_errno(o->call, -ENOMEM, "cannot add a logical unit");
		free(o);
		return;
	}
	nr_stores++;
	err = lu_open(spec, &o->change.id, why, sizeof(why), opened, o);
	if (err < 0)
		opening_failed(o, NULL, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			       *why ? why : "out of memory");
}

void mgmt_lun_create(struct mgmt_call *call)
{
	struct mgmt_target *t = mgmt_target_of(call);
	struct bs_open_spec spec = {
		.bstype = mgmt_rpc_text(call, "bstype") ?: "rdwr",
		.path = mgmt_rpc_text(call, "path") ?: "",
		.bsopts = mgmt_rpc_text(call, "bsopts"),
		.block_bytes = (uint32_t)mgmt_rpc_int(call, "blocksize", 512),
	};
	struct opening *o;

	if (!t || !mgmt_system_accepts(call))
		return;
	o = malloc(sizeof(*o));
	if (!o) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot add a logical unit");
		return;
	}
	*o = (struct opening){
		.call = call,
		.change = { .config = scsi_device_default, .write_cache = -1,
			    .target_name = t->scsi->name, .tid = t->tid,
			    .lun = (uint64_t)mgmt_rpc_int(call, "lun", 0) },
	};
	lu_identity_default(&o->change.id, t->scsi->name, t->tid, o->change.lun);
	if (!check_create(call, t, o, &spec)) {
		free(o);
		return;
	}
	start_opening(o, t, &spec);
}
