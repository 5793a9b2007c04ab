/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_cache.c - initiators that see the cache off send no SYNCHRONIZE CACHE
 * any more, not even for what they wrote while it was on: so that is flushed
 * here, as MODE SELECT does it.
 */
#include "mgmt/lun_cache.h"

#include <errno.h>
#include <stdlib.h>
#include "base/macros.h"
#include "lu/io.h"

struct flush {
	struct lu_io io;
	struct lu_channel *ch;		/* control's own; keeps the LU */
	void (*done)(void *arg, int err);
	void *arg;
};

static void flushed(struct lu_io *io, int err)
{
	struct flush *f = container_of(io, struct flush, io);

	f->done(f->arg, err);
	lu_channel_put(f->ch);
	free(f);
}

void mgmt_lun_cache_flush(struct lu *lu, void (*done)(void *arg, int err), void *arg)
{
	struct flush *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;

	if (f)
		err = lu_channel_get(lu, &f->ch);
	if (err) {
		free(f);
		done(arg, err);
		return;
	}
	f->done = done;
	f->arg = arg;
	f->io.op = LU_FLUSH;
	f->io.done = flushed;
	lu_io_submit(f->ch, &f->io);
}
