/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_call.h - requests that wait for their answer, on a connection of their
 * own: opening, closing and volume operations.  On a worker or in a tool.
 */
#pragma once
#include "bs_sheepdog_cluster.h"

struct sheep_call {
	int fd;
	unsigned int at; /* the address */
	const struct sheep_cluster *cluster;
	uint32_t result;	  /* of the last request */
	struct sheep_reply reply; /* of the last request */
	uint32_t id;
	unsigned int wait_ms; /* for each request */
};

/* Connect to the first gateway that answers.  0, or -errno and bs_say(). */
int bs_sheepdog_call_open(struct sheep_call *c, struct sheep_cluster *cluster,
			  unsigned int wait_ms);
void bs_sheepdog_call_close(struct sheep_call *c);

/*
 * Send @h, with @out if it says so, and take up to @in_bytes into @in.  What heals by
 * itself is tried again until wait_ms are over.  0: there is an answer, its result is
 * in c->result.  -errno and bs_say(): there is none.
 */
int bs_sheepdog_call(struct sheep_call *c, const struct sheep_header *h,
		     const void *out, void *in, uint32_t in_bytes);

/* The same; any result but success is an error, said with @what was tried. */
int bs_sheepdog_call_ok(struct sheep_call *c, const char *what,
			const struct sheep_header *h, const void *out, void *in,
			uint32_t in_bytes);

/* Part of an object; any length. */
int bs_sheepdog_call_read(struct sheep_call *c, const char *what, uint64_t oid,
			  uint32_t off, void *in, uint32_t bytes);
int bs_sheepdog_call_write(struct sheep_call *c, const char *what, uint64_t oid,
			   uint32_t off, const void *out, uint32_t bytes);

/* LOCK_VDI or GET_VDI_INFO.  -ENOENT if there is none; c->result says which kind. */
int bs_sheepdog_call_lookup(struct sheep_call *c, enum sheep_op op,
			    const struct sheep_names *names, uint32_t snapid,
			    enum sheep_lock_type type, uint32_t *ret_vid);
