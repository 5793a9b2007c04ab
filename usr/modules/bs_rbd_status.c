/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_status.c - what of an image has data, from the differences to nothing.
 *
 * librbd asks object by object, so no more is looked at than what a few of them hold:
 * the answer may be shorter than the question.
 */
#include "bs_rbd.h"

#include <errno.h>
#include "base/macros.h"

#define OBJECTS_MAX	16U

#define STOP		(-ECANCELED)	/* any error ends the iteration */

struct status {
	uint64_t at;		/* from the beginning; so far it is all alike */
	bool known, mapped;
};

/* Extents come in order; what lies between them has no data. */
static int found(uint64_t off, size_t bytes, int exists, void *arg)
{
	struct status *s = arg;

	if (!exists || off + bytes <= s->at)
		return 0;
	if (!s->known) {
		s->known = true;
		s->mapped = off <= s->at;
	}
	if (!s->mapped || off > s->at) {
		if (!s->mapped)
			s->at = off;
		return STOP;
	}
	s->at = off + bytes;
	return 0;
}

int bs_rbd_status(struct bs_rbd_image *i, struct bs_req *req)
{
	const uint64_t max = i->info.obj_size * OBJECTS_MAX;
	const uint64_t len = MIN(req->len_bytes, max - req->off_bytes % i->info.obj_size);
	const uint64_t end = req->off_bytes + len;
	struct status s = { .at = req->off_bytes };
	const int ret = rbd_diff_iterate2(i->image, NULL, req->off_bytes, len, 1, 0, found, &s);

	if (ret < 0 && ret != STOP)
		return ret;
	if (ret >= 0 && !s.mapped)
		s.at = end;
	req->result = MIN(s.at, end) - req->off_bytes;
	if (s.mapped)
		req->flags |= BS_REQ_MAPPED;
	return 0;
}
