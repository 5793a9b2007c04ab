/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_create.c - a logical unit comes: everything is checked, the number is
 * taken, the store opens on a worker, and only then is there a device in the
 * target's map.
 */
#include "mgmt/lun_create.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "mgmt/lun.h"
#include "mgmt/lun_params.h"
#include "mgmt/lun_update.h"
#include "mgmt/rpc.h"
#include "mgmt/system.h"
#include "mgmt/target.h"
#include "scsi/device.h"
#include "scsi/device_type.h"
#include "scsi/target.h"

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
	mgmt_lun_store_gone();
}

/* The number is given back, and the store that nobody got to see. */
static void opening_failed(struct opening *o, struct lu *lu, enum mgmt_error error,
			   const char *why)
{
	mgmt_lun_unlink(o->lun);
	free(o->lun);
	if (lu)
		lu_close(lu, closed_unused, NULL);
	else
		mgmt_lun_store_gone();
	mgmt_rpc_fail(o->call, error, NULL, "%s", why);
	free(o);
}

static void resized(void *arg)
{
	struct mgmt_lun *l = arg;

	log_info("target %d LUN %" PRIu64 ": %" PRIu64 " blocks now", l->target->tid,
		 l->lun, lu_geometry(l->lu)->nr_blocks);
	mgmt_lun_update_tell(l, BIT(MGMT_LUN_NEWS_CAPACITY));
}

static int publish(struct opening *o, struct lu *lu)
{
	struct mgmt_lun *l = o->lun;
	int err;

	mgmt_lun_update_apply(lu, &o->change);
	err = lu_qos_set(lu, &o->change.limits);
	if (err < 0)
		return err;
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
	mgmt_lun_update_warn(o->call, lu, &o->change);
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
	if (o->change.resize) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "params",
			      "the size can be given only to a LUN that exists");
		return false;
	}
	if (o->change.pr_clear) {
		mgmt_rpc_fail(call, MGMT_ERR_INVALID, "params",
			      "parameter 'pr_clear': there must be a LUN first: update it");
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

	o->lun = mgmt_lun_new(t, o->change.lun);
	if (!o->lun) {
		mgmt_rpc_fail_errno(o->call, -ENOMEM, "cannot add a logical unit");
		free(o);
		return;
	}
	mgmt_lun_store_new();
	err = lu_open(spec, &o->change.id, why, sizeof(why), opened, o);
	if (err < 0)
		opening_failed(o, NULL, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			       *why ? why : "out of memory");
}

void mgmt_lun_create_run(struct mgmt_call *call)
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
