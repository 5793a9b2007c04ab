/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_cluster.h - connections to clusters, one per identity, counted.
 *
 * Threads: any that may block.
 */
#pragma once
#include "bs_rbd_spec.h"
#include <rados/librados.h>

struct bs_rbd_cluster;

/*
 * Connect, or share the connection that there is.  It does not take much longer than
 * the identity's timeout_s.  0, -ENOMEM, or -errno after @why.
 */
int bs_rbd_cluster_get(const struct bs_rbd_identity *i, struct bs_rbd_cluster **ret,
		       struct bs_rbd_why *why);
/* NULL is fine.  The last one disconnects: all that was opened must be closed. */
void bs_rbd_cluster_put(struct bs_rbd_cluster *c);

/* The cluster does not talk to this connection any more (blocklisted): the next
 * get() makes another one. */
void bs_rbd_cluster_spend(struct bs_rbd_cluster *c);

rados_t bs_rbd_cluster_rados(const struct bs_rbd_cluster *c);

/*
 * The pool and namespace of @s, to be given back with rados_ioctx_destroy() before
 * the cluster.  Writing to it when it is full fails instead of waiting.  0 or -errno
 * after @why.
 */
int bs_rbd_cluster_pool(struct bs_rbd_cluster *c, const struct bs_rbd_spec *s,
			rados_ioctx_t *ret, struct bs_rbd_why *why);
