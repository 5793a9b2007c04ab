/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_uring.h - what the files of this module share. */
#pragma once
#include "bs_file.h"
#include <liburing.h>

enum uring_kind {
	URING_PLAIN,
	URING_SQPOLL,		/* a kernel thread submits */
	URING_IOPOLL,		/* ...and polls for completions, too */
	URING_NR_KINDS
};

struct uring_dev {
	struct bs_file f;	/* first: see bs_file.h */
	enum uring_kind kind;
};

/*
 * bs_uring_setup.c: make a ring.  0 or -errno.  say() is told why, in words, and
 * is bs_say() or bs_log().
 */
int bs_uring_setup(struct io_uring *ring, unsigned int entries, enum uring_kind kind,
		   void (*say)(const char *fmt, ...));

/* bs_uring_ring.c: a reactor's rings, one of each kind that is used.
 * Threads: the reactor. */
int bs_uring_group_open(struct bs_group *g);
void bs_uring_group_close(struct bs_group *g);
int bs_uring_channel_open(struct bs_channel *ch);
void bs_uring_channel_close(struct bs_channel *ch);
void bs_uring_ring_add(struct bs_channel *ch, struct bs_req *req);
void bs_uring_ring_flush(struct bs_group *g);
