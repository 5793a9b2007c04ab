/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/keep.h - what users of a logical unit have stored in it beside their data, and
 * what outlives the daemon: a few values, each of some bytes that mean nothing here.
 *
 * They belong to an identity, as reservations do, and hang on the same object.
 * Without a state directory nothing is kept: then all values are empty for good.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "reactor/worker.h"

struct lu_reserve;

enum lu_keep_what {
	LU_KEEP_INFORMATION,		/* by which people know the unit */
	LU_KEEP_TEXT_INFORMATION,
	LU_KEEP_MODE,			/* how it is to work from its start on */
	LU_KEEP_SANITIZE,		/* its medium is not to be used */
	LU_KEEP_NR,
};

#define LU_KEEP_BYTES_MAX	512U

struct lu_keep_value {
	uint16_t bytes;			/* 0: there is none */
	uint8_t b[LU_KEEP_BYTES_MAX];
};

struct lu_keep {
	pthread_mutex_t saving;		/* over the file */
	pthread_mutex_t lock;		/* over the values, for as long as a copy takes */
	struct lu_keep_value value[LU_KEEP_NR];
};

bool lu_keep_can(void);

/* Threads: any. */
void lu_keep_read(struct lu_keep *k, enum lu_keep_what what, struct lu_keep_value *ret_v);

struct lu_keep_change {
	/* In. */
	enum lu_keep_what what;
	struct lu_keep_value value;
	void (*done)(struct lu_keep_change *c);

	/* Out. */
	int err;			/* -errno: it is as it was */
	bool changed;

	/* lu/ only. */
	struct lu_reserve *owner;	/* holds a reference */
	struct work work;
};

/*
 * Keep a value: it is on stable storage before anybody sees it and before done().
 * Takes the reference on @r.  Threads: a reactor or control; done() follows there,
 * not from within.
 */
void lu_keep_submit(struct lu_reserve *r, struct lu_keep_change *c);

/* --- lu/ only --- */

void lu_keep_init(struct lu_keep *k);
void lu_keep_fini(struct lu_keep *k);
/* Blocks.  -EBADMSG, -errno and a sentence. */
int lu_keep_load(struct lu_keep *k, const char *unit, char *why, size_t why_bytes);

/* The format of a file.  malloc'ed text; NULL: no memory. */
char *lu_keep_format(const char *unit, const struct lu_keep_value value[LU_KEEP_NR]);
/* @text is changed; @value only on success.  -EBADMSG and a sentence. */
int lu_keep_parse(char *text, const char *unit, struct lu_keep_value value[LU_KEEP_NR],
		  char *why, size_t why_bytes);
