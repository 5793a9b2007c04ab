/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_spec.h - which image, in which cluster, as whom: what --backing-store and
 * --bsopts say of it.
 */
#pragma once
#include <stdbool.h>
#include <tgt/bs_module.h>

#define BS_RBD_POOL		"rbd"	/* where none is named */
#define BS_RBD_WHY_BYTES	256

/* A sentence for the user.  Not bs_say(): what blocks may run on a thread that the
 * host does not know, and is waited for by several. */
struct bs_rbd_why {
	char text[BS_RBD_WHY_BYTES];
};

/* Returns @err. */
int bs_rbd_why_set(struct bs_rbd_why *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* [pool/[namespace/]]image[@snapshot] */
struct bs_rbd_spec {
	char *pool;
	char *ns;		/* "": none */
	char *image;
	char *snap;		/* NULL: none */
};

/* 0, -ENOMEM, or -EINVAL after @why; *ret has to be freed in any case. */
int bs_rbd_spec_parse(const char *text, struct bs_rbd_spec *ret, struct bs_rbd_why *why);
/* The same for what holds images: [pool[/namespace]]; image and snap stay NULL. */
int bs_rbd_spec_parse_pool(const char *text, struct bs_rbd_spec *ret,
			   struct bs_rbd_why *why);
void bs_rbd_spec_free(struct bs_rbd_spec *s);

/* Who we are to which cluster.  Equal ones share a connection. */
struct bs_rbd_identity {
	char *conf;		/* NULL: where Ceph looks for it */
	char *cluster;
	char *id;		/* client.ID */
	char *key;		/* cephx_key=, or that of virsecretuuid=; NULL: keyring */
	char *override;		/* NAME=VALUE,...; NULL: none */
	unsigned int timeout_s;	/* of connecting, of what asks the monitors */
	bool cache;		/* librbd's */
	/* What the OSDs are asked fails after timeout_s.  Never for a disk: what has
	 * been given up may still be carried out. */
	bool osd_timeout;
};

/* Rows for the option table. */
#define BS_RBD_IDENTITY_OPTIONS							\
	{ "conf", BS_OPT_TEXT, .help =						\
		"path of the cluster's ceph.conf (/etc/ceph/CLUSTER.conf)" },	\
	{ "id", BS_OPT_TEXT, .fallback = "admin", .help =			\
		"user of the cluster: tgt for client.tgt" },			\
	{ "cluster", BS_OPT_TEXT, .fallback = "ceph", .help =			\
		"name of the cluster, which is in the names of its files" },	\
	{ "virsecretuuid", BS_OPT_TEXT, .help =					\
		"take the user's key from this secret of libvirt" },		\
	{ "cephx_key", BS_OPT_TEXT, .help =					\
		"the user's key itself; it is better kept in a keyring" },	\
	{ "override", BS_OPT_TEXT, .help =					\
		"settings of ceph.conf for this disk: NAME=VALUE,NAME=VALUE" },	\
	{ "timeout", BS_OPT_U64, 1, 3600, "10", 				\
		"seconds to connect, to open and to close (10)" },		\
	{ "cache", BS_OPT_BOOL, .fallback = "no", .help =			\
		"librbd's cache as ceph.conf has it; not where several gateways serve the image" }

/* 0, -ENOMEM, or -EINVAL after @why; *ret has to be freed in any case. */
int bs_rbd_identity_parse(const struct bs_params *p, struct bs_rbd_identity *ret,
			  struct bs_rbd_why *why);
void bs_rbd_identity_free(struct bs_rbd_identity *i);
bool bs_rbd_identity_equal(const struct bs_rbd_identity *a, const struct bs_rbd_identity *b);
/* -ENOMEM: *ret has to be freed. */
int bs_rbd_identity_copy(const struct bs_rbd_identity *from, struct bs_rbd_identity *ret);
