/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/volume.h - the volume operations of modules: make, remove and copy what stores
 * keep.  They block: for a tool, or a worker.  No reactor is needed.
 */
#pragma once
#include <stddef.h>
#include <tgt/bs_module.h>

enum bs_volume_op {
	BS_VOLUME_CREATE,
	BS_VOLUME_REMOVE,
	BS_VOLUME_RESIZE,
	BS_VOLUME_SNAPSHOT,
	BS_VOLUME_CLONE,
	BS_VOLUME_LIST,
	BS_VOLUME_INFO,
};

struct bs_volume_spec {		/* all is borrowed for the call */
	const char *bstype;
	const char *bsopts;	/* NULL or "" for none */
	struct bs_volume_args args;	/* params are made of bsopts */
	/* LIST */
	void (*found)(void *ctx, const char *name, uint64_t size_bytes);
	void *found_ctx;
	/* INFO */
	struct bs_volume_info *info;
};

/* 0, or -errno and in @why one sentence that names the volume: -ENOENT also for a
 * bstype that there is not, -EOPNOTSUPP if it does not have the operation. */
int bs_volume_run(enum bs_volume_op op, const struct bs_volume_spec *spec, char *why,
		  size_t why_bytes);
