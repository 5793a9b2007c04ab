/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_volume.h - images as volumes: make, remove, resize, copy, list, look.
 *
 * Threads: any that may block.  They say with bs_say() what is wrong.
 */
#pragma once
#include <rados/librados.h>
#include <rbd/librbd.h>
#include "bs_rbd_cluster.h"
#include "bs_rbd_spec.h"

/* For struct bs_module.  A path is [pool/[namespace/]]image[@snapshot], that of list
 * [pool[/namespace]]; images take their space as it is written, always. */
int bs_rbd_volume_create(const struct bs_volume_args *a);
int bs_rbd_volume_remove(const struct bs_volume_args *a);	/* also a snapshot */
int bs_rbd_volume_resize(const struct bs_volume_args *a);
int bs_rbd_volume_snapshot(const struct bs_volume_args *a);
int bs_rbd_volume_clone(const struct bs_volume_args *a);	/* of a snapshot */
int bs_rbd_volume_list(const struct bs_volume_args *a,
		       void (*found)(void *ctx, const char *name, uint64_t size_bytes),
		       void *ctx);
int bs_rbd_volume_info(const struct bs_volume_args *a, struct bs_volume_info *ret);

/* Rows for the option table: what new images are like. */
#define BS_RBD_VOLUME_OPTIONS							\
	{ "object_size", BS_OPT_SIZE, 4096, 32 << 20, .help =			\
		"of a new image: size of its objects, a power of two (4M)" },	\
	{ "stripe_unit", BS_OPT_SIZE, 512, 32 << 20, .help =			\
		"of a new image: bytes in one object before the next (object_size)" }, \
	{ "stripe_count", BS_OPT_U64, 1, 65536, .help =				\
		"of a new image: objects that are striped over (1)" },		\
	{ "features", BS_OPT_TEXT, .help =					\
		"of a new image: layering,exclusive-lock,... (as ceph.conf has it)" }, \
	{ "data_pool", BS_OPT_TEXT, .help =					\
		"of a new image: the pool that its data goes to" },		\
	{ "full_copy", BS_OPT_BOOL, .fallback = "no", .help =			\
		"a clone shares nothing with its parent: all is copied" }

/* Where an operation works.  All of it is released by bs_rbd_session_end(). */
struct bs_rbd_session {
	struct bs_rbd_identity identity;
	struct bs_rbd_spec spec;
	struct bs_rbd_cluster *cluster;
	rados_ioctx_t io;	/* pool and namespace of spec */
	rbd_image_t image;	/* NULL: not opened */
};

enum bs_rbd_mode { BS_RBD_READ, BS_RBD_WRITE };

/* 0 or -errno after bs_say(); *ret has to be ended in any case. */
int bs_rbd_session_start(const struct bs_volume_args *a, struct bs_rbd_session *ret);
void bs_rbd_session_end(struct bs_rbd_session *s);
/* The image of spec, at @snap unless that is NULL. */
int bs_rbd_session_open(struct bs_rbd_session *s, enum bs_rbd_mode mode, const char *snap);
void bs_rbd_session_close(struct bs_rbd_session *s);

/* Says what librbd means by @err, for @what of @spec, and returns it. */
int bs_rbd_volume_error(const struct bs_rbd_session *s, const struct bs_rbd_spec *spec,
			const char *what, int err);

/* For what makes or changes an image: -EROFS after bs_say() if @spec names a snapshot. */
int bs_rbd_volume_refuse_snapshot(const struct bs_rbd_spec *spec);

/* What --bsopts say of a new image; *ret has to be destroyed unless that failed. */
int bs_rbd_volume_image_options(const struct bs_params *p, rbd_image_options_t *ret);

/* librbd's reports as those of the host.  It breaks off only where that undoes all:
 * elsewhere may_end is false, and it goes on. */
struct bs_rbd_report {
	const struct bs_volume_args *a;
	uint64_t total_bytes;
	bool may_end;
};
int bs_rbd_report(uint64_t done, uint64_t total, void *report);	/* librbd_progress_fn_t */

int bs_rbd_snapshot_remove(const struct bs_volume_args *a, struct bs_rbd_session *s);
/* Of the open image, those that users made and see.  -ENOMEM or what librbd says;
 * *ret_snaps to be given to bs_rbd_snapshot_list_free(). */
int bs_rbd_snapshot_list(rbd_image_t image, rbd_snap_info_t **ret_snaps, int *ret_n);
void bs_rbd_snapshot_list_free(rbd_snap_info_t *snaps);
