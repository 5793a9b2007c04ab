/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_create.c - a logical unit comes: everything is checked, the number is
 * taken, the store opens on a worker, and only then is there a device in the
 * target's map.
 */
#include "mgmt/lun_create.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
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
	struct mgmt_lun_spec spec;
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
	scsi_device_resized(l->dev);
	mgmt_lun_update_tell(l, BIT(MGMT_LUN_NEWS_CAPACITY));
}

int mgmt_lun_create_publish(struct mgmt_lun *l, const struct mgmt_lun_spec *s, struct lu *lu)
{
	struct mgmt_lun_change c = s->change;
	int err;

	mgmt_lun_update_restore(&c, lu_reserve(lu));
	mgmt_lun_update_apply(lu, &c);
	err = lu_qos_set(lu, &c.limits);
	if (err < 0)
		return err;
	l->dev = scsi_device_new(s->type, lu, &c.config);
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
	log_info("target %d LUN %" PRIu64 ": %s %s", l->target->tid, l->lun, lu->bstype,
		 lu_has_medium(lu) ? lu->path : "without a medium");
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
	err = mgmt_lun_create_publish(l, &o->spec, lu);
	if (err < 0) {
		opening_failed(o, lu, MGMT_ERR_NOMEM,
			       "out of memory while the logical unit was added");
		return;
	}
	mgmt_lun_update_warn(o->call, lu, &o->spec.change);
	if (!lu_has_medium(lu))
		mgmt_rpc_warn(o->call,
			      "LUN %" PRIu64 " is a drive without a medium: parameter 'path' puts one in",
			      l->lun);
	mgmt_rpc_reply(o->call, NULL);
	free(o);
}

static int __attribute__((format(printf, 3, 4)))
fault(struct mgmt_fault *f, const char *field, const char *fmt, ...)
{
	va_list ap;

	*f = (struct mgmt_fault){ .field = field, .error = MGMT_ERR_INVALID };
	va_start(ap, fmt);
	vsnprintf(f->sentence, sizeof(f->sentence), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static const char *text_of(const json_t *fields, const char *name)
{
	return json_string_value(json_object_get(fields, name));
}

/* What else may be wrong with it is said when it is opened. */
static bool is_empty(const struct bs_open_spec *open)
{
	bool nameless = false;
	char unused[512];

	return bs_open_check(open, unused, sizeof(unused), &nameless) == 0 && nameless;
}

int mgmt_lun_create_parse(const json_t *fields, const char *target_name, int tid,
			  struct mgmt_lun_spec *ret_s, struct mgmt_fault *ret_fault)
{
	const char *type = text_of(fields, "device_type");
	const char *flags = text_of(fields, "bsoflags");
	const json_t *block = json_object_get(fields, "blocksize");
	struct mgmt_lun_spec s = {
		.open.bstype = text_of(fields, "bstype") ?: "rdwr",
		.open.path = text_of(fields, "path") ?: "",
		.open.bsopts = text_of(fields, "bsopts"),
		.open.block_bytes = block ? (uint32_t)json_integer_value(block) : 512,
		.change = { .config = scsi_device_default, .write_cache = -1,
			    .target_name = target_name, .tid = tid },
	};
	struct lu_geometry unused;
	bool empty;

	s.change.lun = (uint64_t)json_integer_value(json_object_get(fields, "lun"));
	lu_identity_default(&s.change.id, target_name, tid, s.change.lun);
	s.type = scsi_device_type_find(type ? type : "disk");
	if (!s.type)
		return fault(ret_fault, "device_type",
			     "this tgtd has no devices of type '%s'", type);
	if (flags && parse_open_flags(flags, &s.open.flags) < 0)
		return fault(ret_fault, "bsoflags",
			     "the flags of a store are sync, direct, or sync:direct");
	if (lu_geometry_init(&unused, s.open.block_bytes, s.open.block_bytes, 0) < 0)
		return fault(ret_fault, "blocksize",
			     "a block is 512, 1024, 2048 or 4096 bytes, not %" PRIu32,
			     s.open.block_bytes);
	empty = is_empty(&s.open);
	s.change.config.removable = empty;
	if (mgmt_lun_params_set(&s.change, json_object_get(fields, "params"), ret_fault) < 0)
		return -EINVAL;
	if (empty && !s.change.config.removable)
		return fault(ret_fault, "path",
			     "%s needs a path: only a removable LUN can be without a medium",
			     s.open.bstype);
	if (s.change.resize)
		return fault(ret_fault, "params",
			     "the size can be given only to a LUN that exists");
	if (s.change.path)
		return fault(ret_fault, "params",
			     "parameter 'path': a LUN that is made has its store by the field 'path'");
	if (s.change.pr_clear)
		return fault(ret_fault, "params",
			     "parameter 'pr_clear': there must be a LUN first: update it");
	if (s.change.atomic_bytes % s.open.block_bytes)
		return fault(ret_fault, "params",
			     "parameter 'atomic_write': must be a multiple of the block size, %" PRIu32,
			     s.open.block_bytes);
	if (s.change.config.readonly)
		s.open.flags |= BS_OPEN_RDONLY;
	*ret_s = s;
	return 0;
}

static void start_opening(struct opening *o, struct mgmt_target *t)
{
	char why[512] = "";
	int err;

	o->lun = mgmt_lun_new(t, o->spec.change.lun);
	if (!o->lun) {
		mgmt_rpc_fail_errno(o->call, -ENOMEM, "cannot add a logical unit");
		free(o);
		return;
	}
	mgmt_lun_store_new();
	err = lu_open(&o->spec.open, &o->spec.change.id, o->spec.change.atomic_bytes, why,
		      sizeof(why), opened, o);
	if (err < 0)
		opening_failed(o, NULL, err == -ENOMEM ? MGMT_ERR_NOMEM : MGMT_ERR_INVALID,
			       *why ? why : "out of memory");
}

void mgmt_lun_create_run(struct mgmt_call *call)
{
	struct mgmt_target *t = mgmt_target_of(call);
	const uint64_t lun = (uint64_t)mgmt_rpc_int(call, "lun", 0);
	struct mgmt_fault why;
	struct opening *o;

	if (!t || !mgmt_system_accepts(call))
		return;
	if (mgmt_lun_find(t, lun)) {
		mgmt_rpc_fail(call, MGMT_ERR_LUN_EXISTS, "lun",
			      "target %d has LUN %" PRIu64 " already", t->tid, lun);
		return;
	}
	o = calloc(1, sizeof(*o));
	if (!o) {
		mgmt_rpc_fail_errno(call, -ENOMEM, "cannot add a logical unit");
		return;
	}
	o->call = call;
	if (mgmt_lun_create_parse(mgmt_rpc_params(call), t->scsi->name, t->tid, &o->spec,
				  &why) < 0) {
		mgmt_rpc_fail(call, why.error, why.field, "%s", why.sentence);
		free(o);
		return;
	}
	start_opening(o, t);
}
