/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_cache.c - initiators that see the cache off send no SYNCHRONIZE CACHE
 * any more, not even for what they wrote while it was on: so that is flushed
 * here, as MODE SELECT does it.
 */
#include "mgmt/lun_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "lu/io.h"
#include "mgmt/rpc.h"

struct flush {
	struct lu_io io;
	struct lu_channel *ch;		/* control's own; keeps the LU */
	struct mgmt_call *call;
};

static void end(struct mgmt_call *call, int err)
{
	if (err)
		mgmt_rpc_warn(call,
			      "the write cache is off, but what it held was not flushed: %s",
			      strerrordesc_np(-err) ?: "unknown error");
	mgmt_rpc_reply(call, NULL);
}

static void flushed(struct lu_io *io, int err)
{
	struct flush *f = container_of(io, struct flush, io);

	end(f->call, err);
	lu_channel_put(f->ch);
	free(f);
}

void mgmt_lun_cache_flush(struct lu *lu, struct mgmt_call *call)
{
	struct flush *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;

	if (f)
		err = lu_channel_get(lu, &f->ch);
	if (err) {
		free(f);
		end(call, err);
		return;
	}
	f->call = call;
	f->io.op = LU_FLUSH;
	f->io.done = flushed;
	lu_io_submit(f->ch, &f->io);
}
