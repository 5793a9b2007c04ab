/* SPDX-License-Identifier: BSD-3-Clause */
/* lu/resize.c - a new geometry with another number of blocks. */
#include "lu/resize.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/macros.h"
#include "lu/lu.h"

struct resize {
	struct lu *lu;			/* holds a reference */
	const struct bs_device *dev;	/* only compared */
	uint64_t bytes;
	void (*done)(void *arg, int err, const char *why);
	void *arg;
};

/* -ENOMEM: as before. */
static int publish(struct lu *lu)
{
	const uint64_t bytes = lu->limit_bytes ? MIN(lu->limit_bytes, lu->store_bytes) :
						 lu->store_bytes;
	struct lu_geometry g = *lu_geometry(lu);
	int err;

	if (g.nr_blocks == bytes >> g.block_exp)
		return 0;
	g.nr_blocks = bytes >> g.block_exp;
	err = lu_set_geometry(lu, &g);
	if (!err && lu->resized)
		lu->resized(lu->resized_arg);
	return err;
}

void lu_resize_store_is(struct lu *lu, uint64_t bytes)
{
	lu->store_bytes = bytes;
	(void)publish(lu);	/* without memory: with the next news */
}

/* 0, or -EINVAL and a sentence. */
static int check(const struct lu *lu, uint64_t store_bytes, uint64_t bytes, char *why,
		 size_t why_bytes)
{
	const uint32_t block = lu_geometry(lu)->block_bytes;

	if (bytes % block)
		snprintf(why, why_bytes, "%" PRIu64 " bytes are not whole blocks of %" PRIu32,
			 bytes, block);
	else if (bytes > store_bytes)
		snprintf(why, why_bytes,
			 "%s %s has only %" PRIu64 " bytes: make it larger, then tell us again",
			 lu->bstype, lu->path, store_bytes);
	else if (store_bytes < block)
		snprintf(why, why_bytes,
			 "%s %s has %" PRIu64 " bytes, less than one block of %" PRIu32,
			 lu->bstype, lu->path, store_bytes, block);
	else
		return 0;
	return -EINVAL;
}

static void probed(void *arg, int err, uint64_t size_bytes, const char *why)
{
	struct resize *r = arg;
	struct lu *lu = r->lu;
	const uint64_t before = lu->limit_bytes;
	char text[512];

	if (lu->dev != r->dev) {
		err = -ENOMEDIUM;
		why = "the medium was changed meanwhile";
	}
	if (!err) {
		err = check(lu, size_bytes, r->bytes, text, sizeof(text));
		why = text;
	}
	if (!err) {
		lu->store_bytes = size_bytes;
		lu->limit_bytes = r->bytes;
		err = publish(lu);
		why = "out of memory";
		if (err)
			lu->limit_bytes = before;
	}
	r->done(r->arg, err, err ? why : NULL);
	lu_put(lu);
	free(r);
}

int lu_resize_start(struct lu *lu, uint64_t bytes,
		    void (*done)(void *arg, int err, const char *why), void *arg)
{
	struct resize *r = malloc(sizeof(*r));
	char why[256];
	int err;

	if (!r)
		return -ENOMEM;
	*r = (struct resize){ lu_get(lu), lu->dev, bytes, done, arg };
	if (!lu->dev) {
		probed(r, -ENOMEDIUM, 0, "there is no medium");
		return 0;
	}
	err = bs_device_probe_size(lu->dev, probed, r);
	if (err == -EOPNOTSUPP && bytes) {	/* what it said last is all we have */
		probed(r, 0, lu->store_bytes, NULL);
		return 0;
	}
	if (err == -EOPNOTSUPP) {
		snprintf(why, sizeof(why), "a store of type %s does not tell its size anew",
			 lu->bstype);
		probed(r, err, 0, why);
		return 0;
	}
	if (err) {
		lu_put(lu);
		free(r);
	}
	return err;
}
