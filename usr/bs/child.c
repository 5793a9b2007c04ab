/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/child.c - a store that a module stacks itself on.  The child is an ordinary
 * device, but for opening and closing, which happen here and now because the
 * parent's open() and close() are on a worker already.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/pool.h"
#include "bs/internal.h"

#define CHILD_IOS_PER_SLAB	32U
#define CHILD_IOS_MAX		4096U	/* of a channel; then -ENOMEM */

struct bs_child {
	struct bs_device *device;
};

struct bs_child_channel {
	struct bs_channel *ch;
	struct pool *ios;
};

struct child_io {
	struct bs_io io;
	struct bs_child_channel *cc;
	void (*done)(void *ctx, struct bs_req *child_req, int err);
	void *ctx;
};

int bs_child_open(const char *spec, const char *opts, const struct bs_open_args *parent,
		  struct bs_child **ret_child)
{
	const char *colon = strchr(spec, ':');
	_cleanup_free_ struct bs_child *c = malloc(sizeof(*c));
	_cleanup_free_ char *bstype = NULL;
	char why[BS_SAY_BYTES];
	struct bs_open_spec s;
	int err;

	if (!colon) {
		bs_say("'%s' does not name a store: bstype:path", spec);
		return -EINVAL;
	}
	bstype = strndup(spec, (size_t)(colon - spec));
	if (!c || !bstype)
		return -ENOMEM;
	s = (struct bs_open_spec){ .bstype = bstype, .path = colon + 1, .bsopts = opts,
				   .flags = parent->flags,
				   .block_bytes = parent->block_bytes };
	why[0] = '\0';
	err = bs_device_new(&s, why, sizeof(why), &c->device);
	if (err) {
		bs_say("%s", why);
		return err;
	}
	err = bs_device_open_now(c->device);
	if (err) {
		bs_say("%s", c->device->why);
		bs_device_free(c->device);
		return err;
	}
	*ret_child = TAKE_PTR(c);
	return 0;
}

void bs_child_close(struct bs_child *c)
{
	struct bs_device *d;

	if (!c)
		return;
	d = c->device;
	d->module->close(&d->dev);
	bs_device_free(d);
	free(c);
}

const struct bs_dev_info *bs_child_info(const struct bs_child *c)
{
	return bs_device_info(c->device);
}

int bs_child_size(struct bs_child *c, uint64_t *ret_bytes)
{
	struct bs_device *d = c->device;

	return d->module->size ? d->module->size(&d->dev, ret_bytes) : -EOPNOTSUPP;
}

struct bs_child_channel *bs_child_channel_open(struct bs_child *c)
{
	_cleanup_free_ struct bs_child_channel *cc = calloc(1, sizeof(*cc));

	if (!cc)
		return NULL;
	cc->ios = pool_new(sizeof(struct child_io), 64, CHILD_IOS_PER_SLAB, CHILD_IOS_MAX);
	if (!cc->ios)
		return NULL;
	if (bs_channel_get(c->device, &cc->ch)) {
		pool_free(cc->ios);
		return NULL;
	}
	return TAKE_PTR(cc);
}

void bs_child_channel_close(struct bs_child_channel *cc)
{
	if (!cc)
		return;
	bs_channel_put(cc->ch);
	pool_free(cc->ios);
	free(cc);
}

static void child_done(struct bs_io *io, int err)
{
	struct child_io *c = container_of(io, struct child_io, io);

	c->done(c->ctx, &io->req, err);
	pool_put(c->cc->ios, c);
}

int bs_child_submit(struct bs_child_channel *cc, const struct bs_req *req,
		    void (*done)(void *ctx, struct bs_req *child_req, int err), void *ctx)
{
	struct child_io *c = pool_get(cc->ios);

	if (!c)
		return -ENOMEM;
	c->cc = cc;
	c->done = done;
	c->ctx = ctx;
	c->io.req = *req;
	c->io.done = child_done;
	bs_channel_submit(cc->ch, &c->io);
	return 0;
}
