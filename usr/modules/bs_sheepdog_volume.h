/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_volume.h - VDIs made and removed, for tgtimg.  All may block. */
#pragma once
#include <tgt/bs_module.h>

int bs_sheepdog_volume_create(const struct bs_volume_args *a);
int bs_sheepdog_volume_remove(const struct bs_volume_args *a);
int bs_sheepdog_volume_resize(const struct bs_volume_args *a);
int bs_sheepdog_volume_snapshot(const struct bs_volume_args *a);
int bs_sheepdog_volume_clone(const struct bs_volume_args *a);
int bs_sheepdog_volume_list(const struct bs_volume_args *a,
			    void (*found)(void *ctx, const char *name,
					  uint64_t size_bytes),
			    void *ctx);
int bs_sheepdog_volume_info(const struct bs_volume_args *a,
			    struct bs_volume_info *ret);
