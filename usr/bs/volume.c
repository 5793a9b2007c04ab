/* SPDX-License-Identifier: BSD-3-Clause */
/* bs/volume.c - from a bstype and its options to a call of the module. */
#include "bs/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "bs/internal.h"
#include "bs/loader.h"
#include "bs/params.h"

DEFINE_CLEANUP(struct bs_params *, bs_params_free)

static int call(const struct bs_module *m, enum bs_volume_op op,
		const struct bs_volume_spec *spec, const struct bs_volume_args *a)
{
	int (*const plain[])(const struct bs_volume_args *) = {
		[BS_VOLUME_CREATE] = m->volume_create,
		[BS_VOLUME_REMOVE] = m->volume_remove,
		[BS_VOLUME_RESIZE] = m->volume_resize,
		[BS_VOLUME_SNAPSHOT] = m->volume_snapshot,
		[BS_VOLUME_CLONE] = m->volume_clone,
	};

	if (op == BS_VOLUME_LIST && m->volume_list)
		return m->volume_list(a, spec->found, spec->found_ctx);
	if (op == BS_VOLUME_INFO && m->volume_info)
		return m->volume_info(a, spec->info);
	if (op < ARRAY_SIZE(plain) && plain[op])
		return plain[op](a);
	bs_say("bstype %s does not have this operation", m->name);
	return -EOPNOTSUPP;
}

struct wanted {
	const char *name, *error;
};

static void if_wanted(void *ctx, const char *name, const struct bs_module *m,
		      const char *error)
{
	struct wanted *w = ctx;

	(void)m;
	if (error && !strcmp(name, w->name))
		w->error = error;
}

static const struct bs_module *find(const char *bstype, char *why, size_t why_bytes)
{
	const struct bs_module *m = bs_loader_find(bstype);
	struct wanted w = { bstype, "there is no such module" };

	if (m)
		return m;
	bs_loader_each(if_wanted, &w);
	snprintf(why, why_bytes, "bstype %s: %s", bstype, w.error);
	return NULL;
}

int bs_volume_run(enum bs_volume_op op, const struct bs_volume_spec *spec, char *why,
		  size_t why_bytes)
{
	_cleanup_(bs_params_freep) struct bs_params *params = NULL;
	const struct bs_module *m = find(spec->bstype, why, why_bytes);
	struct bs_volume_args args = spec->args;
	const char *said;
	int err;

	if (!m)
		return -ENOENT;
	err = bs_params_parse(m->name, m->options, spec->bsopts, why, why_bytes, &params);
	if (err == -ENOMEM)
		snprintf(why, why_bytes, "out of memory");
	if (err)
		return err;
	args.params = params;
	bs_host_say_start();
	err = call(m, op, spec, &args);
	said = bs_host_said();
	if (err)
		snprintf(why, why_bytes, "%s: %s", args.path,
			 *said ? said : strerrordesc_np(-err));
	return err;
}
