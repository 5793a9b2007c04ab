/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_cluster.h - the addresses of a cluster's gateways, and which of them is
 * in use.  Disks whose --backing-store names the same gateways share one.
 */
#pragma once
#include <stdatomic.h>
#include <sys/socket.h>
#include "base/list.h"
#include "bs_sheepdog_spec.h"

struct sheep_address {
	struct sockaddr_storage sa;
	socklen_t bytes;
};

#define SHEEP_ADDRESSES_MAX 32

struct sheep_cluster {
	/* Constant. */
	char *key; /* the gateways as text */
	unsigned int nr;
	struct sheep_address addresses[SHEEP_ADDRESSES_MAX];
	char names[SHEEP_ADDRESSES_MAX][128]; /* for messages */

	/* Any thread: atomic.  Which is in use; modulo nr. */
	atomic_uint current;

	/* bs_sheepdog_cluster.c */
	struct list_head node;
	unsigned int refs;
};

/* Look up the addresses: may block.  0, or -errno and bs_say(). */
int bs_sheepdog_cluster_get(const struct sheep_spec *s,
			    struct sheep_cluster **ret);
void bs_sheepdog_cluster_put(struct sheep_cluster *c); /* may be NULL */

/* The address in use did not serve: let all try the next one. */
void bs_sheepdog_cluster_next(struct sheep_cluster *c, unsigned int failed);

static inline const struct sheep_address *
sheep_cluster_address(const struct sheep_cluster *c, unsigned int at)
{
	return &c->addresses[at % c->nr];
}

static inline const char *sheep_cluster_name(const struct sheep_cluster *c,
					     unsigned int at)
{
	return c->names[at % c->nr];
}

/* A new socket that is connecting, or connected: fd or -errno. */
int bs_sheepdog_cluster_connect(const struct sheep_cluster *c, unsigned int at);
