/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_rbd_io.c - from requests to librbd and back.
 *
 * librbd calls back on a thread of its own, and from there a request goes to its
 * reactor's mailbox: a burst wakes the reactor once.  (librbd can write to an eventfd
 * instead, but it has one per image, not per reactor, and writes for each request.)
 *
 * Unmapping is writing zeroes here: librbd's own discard leaves what does not fill
 * its granules as it was and calls that success, while its write_zeroes gives whole
 * objects back just the same and is exact to the byte.  So what was unmapped reads as
 * zeroes, always.
 *
 * librbd clips at the end of an image instead of failing.  An image may have become
 * smaller since the host has looked, hence the looks at size_bytes.
 *
 * req->priv: [0] the channel, [1] the image (a reference), [2] offset of a
 * difference, [3] memory of ours.
 */
#include "bs_rbd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"

#define PRIV_CHANNEL	0
#define PRIV_IMAGE	1
#define PRIV_DIFFERENCE	2
#define PRIV_MEMORY	3
static_assert(sizeof(uint64_t) <= sizeof(void *), "an offset is in a word");

struct channel {
	struct bs_rbd_image *image;	/* NULL: lost; holds a reference */
	unsigned int generation;
};

/* --- the end of a request --- */

static void finish(struct bs_req *req, int err)
{
	struct bs_channel *ch = req->priv[PRIV_CHANNEL];

	free(req->priv[PRIV_MEMORY]);
	bs_rbd_image_put(req->priv[PRIV_IMAGE]);
	bs_complete_from(ch, req, err);		/* the last touch */
}

/* What librbd returns, as bs_complete() takes it. */
static int error_of(const struct bs_req *req, ssize_t ret)
{
	const struct bs_rbd *d = ((struct bs_channel *)req->priv[PRIV_CHANNEL])->dev->priv;
	const bool reads = req->op == BS_READ;

	if (ret >= 0 && req->op != BS_FLUSH &&
	    (req->off_bytes + req->len_bytes > atomic_load(&d->size_bytes) ||
	     (reads && (uint64_t)ret < req->len_bytes)))
		return reads ? -ENODATA : -EIO;		/* it is not there any more */
	if (ret >= 0)
		return 0;
	switch (ret) {
	case -EROFS:
	case -ENOSPC:
	case -EILSEQ:
	case -EOPNOTSUPP:
	case -ETIMEDOUT:
		return (int)ret;
	case -EDQUOT:
		return -ENOSPC;
	case -ESHUTDOWN:
		return -ENXIO;
	default:
		return -EIO;
	}
}

static void done(rbd_completion_t c, void *arg);

/* FUA where librbd has a cache. */
static int flush_after(struct bs_req *req)
{
	const struct bs_rbd_image *i = req->priv[PRIV_IMAGE];
	rbd_completion_t c;
	int err = rbd_aio_create_completion(req, done, &c);

	if (err)
		return err;
	req->flags &= (uint16_t)~BS_REQ_FUA;
	err = rbd_aio_flush(i->image, c);
	if (err)
		rbd_aio_release(c);
	return err;
}

/* On a thread of librbd. */
static void done(rbd_completion_t c, void *arg)
{
	struct bs_req *req = arg;
	struct bs_rbd_image *i = req->priv[PRIV_IMAGE];
	const ssize_t ret = rbd_aio_get_return_value(c);
	int err = error_of(req, ret);

	rbd_aio_release(c);
	if (unlikely(ret == -ESHUTDOWN))
		bs_rbd_recover(i);
	/* Objects and blocks begin at multiples of 512; it is said from the
	 * beginning of the object, or of the image, as the version likes. */
	if (err == -EILSEQ)
		req->result = (uintptr_t)req->priv[PRIV_DIFFERENCE] % BS_RBD_ATOMIC_BYTES;
	if (!err && req->op == BS_WRITE && (req->flags & BS_REQ_FUA) && i->caches) {
		err = flush_after(req);
		if (!err)
			return;
	}
	finish(req, err);
}

/* --- its beginning --- */

/* @bytes of the list from @off in one piece: as they are, or in memory of ours at
 * @to, which has room. */
static const char *one_piece(const struct bs_req *req, uint64_t off, size_t bytes, char *to)
{
	size_t copied = 0;

	for (int n = 0; n < req->iovcnt; n++) {
		const struct iovec *v = &req->iov[n];
		size_t here;

		if (off >= v->iov_len) {
			off -= v->iov_len;
			continue;
		}
		here = MIN(v->iov_len - (size_t)off, bytes - copied);
		if (here == bytes)
			return (const char *)v->iov_base + off;
		memcpy(to + copied, (const char *)v->iov_base + off, here);
		copied += here;
		off = 0;
		if (copied == bytes)
			break;
	}
	return to;
}

/* librbd takes one piece, we have a list.  Mostly it has one entry. */
static char *memory(struct bs_req *req, size_t bytes)
{
	if (req->iovcnt == 1)
		return req->iov->iov_base;	/* not written to */
	req->priv[PRIV_MEMORY] = malloc(bytes);
	return req->priv[PRIV_MEMORY];
}

static int start_read(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c)
{
	return rbd_aio_readv(i->image, req->iov, req->iovcnt, req->off_bytes, c);
}

static int start_write(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c)
{
	return rbd_aio_writev(i->image, req->iov, req->iovcnt, req->off_bytes, c);
}

static int start_flush(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c)
{
	(void)req;
	return rbd_aio_flush(i->image, c);
}

#if LIBRBD_SUPPORTS_WRITE_ZEROES
static int start_unmap(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c)
{
	return rbd_aio_write_zeroes(i->image, req->off_bytes, req->len_bytes, c, 0, 0);
}

static int start_zeroes(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c)
{
	const int flags = req->flags & BS_REQ_UNMAP ? 0 : RBD_WRITE_ZEROES_FLAG_THICK_PROVISION;

	return rbd_aio_write_zeroes(i->image, req->off_bytes, req->len_bytes, c, flags, 0);
}
#endif

#if LIBRBD_SUPPORTS_WRITESAME
static int start_same(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c)
{
	const char *pattern;
	size_t bytes = 0;
	char *own;

	for (int n = 0; n < req->iovcnt; n++)
		bytes += req->iov[n].iov_len;
	assert(bytes);		/* the host's promise */
	own = memory(req, bytes);
	if (!own)
		return -ENOMEM;
	pattern = one_piece(req, 0, bytes, own);
	return rbd_aio_writesame(i->image, req->off_bytes, req->len_bytes, pattern, bytes, c, 0);
}
#endif

#if LIBRBD_SUPPORTS_COMPARE_AND_WRITE
static int start_compare(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c)
{
	const size_t bytes = req->len_bytes;
	char *own = memory(req, 2 * bytes);
	const char *expected, *wanted;

	if (!own)
		return -ENOMEM;
	expected = one_piece(req, 0, bytes, own);
	wanted = one_piece(req, bytes, bytes, own + bytes);
	req->priv[PRIV_DIFFERENCE] = NULL;
	return (int)rbd_aio_compare_and_write(i->image, req->off_bytes, bytes, expected, wanted, c,
					      (uint64_t *)&req->priv[PRIV_DIFFERENCE], 0);
}
#endif

typedef int start_fn(const struct bs_rbd_image *i, struct bs_req *req, rbd_completion_t c);

static start_fn *const starts[BS_NR_OPS] = {
	[BS_READ] = start_read,
	[BS_WRITE] = start_write,
	[BS_FLUSH] = start_flush,
#if LIBRBD_SUPPORTS_WRITE_ZEROES
	[BS_UNMAP] = start_unmap,
	[BS_WRITE_ZEROES] = start_zeroes,
#endif
#if LIBRBD_SUPPORTS_WRITESAME
	[BS_WRITE_SAME] = start_same,
#endif
#if LIBRBD_SUPPORTS_COMPARE_AND_WRITE
	[BS_COMPARE_AND_WRITE] = start_compare,
#endif
};

uint32_t bs_rbd_io_ops(const struct bs_rbd_image *i)
{
	uint32_t ops = BS_OP_BIT(BS_BLOCK_STATUS);

	for (unsigned int op = 0; op < BS_NR_OPS; op++)
		if (starts[op] && (!i->read_only || op == BS_READ))
			ops |= BS_OP_BIT(op);
	return ops;
}

/* On a worker. */
static int block_status(struct bs_dev *dev, struct bs_req *req)
{
	struct bs_rbd_image *i = req->priv[PRIV_IMAGE];
	const int ret = bs_rbd_status(i, req), err = error_of(req, ret);

	(void)dev;
	if (ret == -ESHUTDOWN)
		bs_rbd_recover(i);
	bs_rbd_image_put(i);
	return err;
}

static void start(struct bs_channel *ch, struct bs_req *req)
{
	const struct bs_rbd_image *i = req->priv[PRIV_IMAGE];
	rbd_completion_t c;
	int err = rbd_aio_create_completion(req, done, &c);

	if (!err) {
		err = starts[req->op](i, req, c);
		if (err)
			rbd_aio_release(c);
	}
	if (!err)
		return;
	free(req->priv[PRIV_MEMORY]);
	bs_rbd_image_put(req->priv[PRIV_IMAGE]);
	bs_complete(ch, req, err == -ENOMEM ? err : -EIO);
}

/* The disk has another image, or none.  Once for each channel. */
static void look_again(struct channel *c, struct bs_rbd *d)
{
	struct bs_rbd_image *old = c->image;

	pthread_mutex_lock(&d->mutex);
	c->generation = atomic_load(&d->generation);
	c->image = d->image;
	if (c->image)
		bs_rbd_image_get(c->image);
	pthread_mutex_unlock(&d->mutex);
	if (old)
		bs_rbd_image_put(old);
}

void bs_rbd_submit(struct bs_channel *ch, struct bs_req *req)
{
	struct bs_rbd *d = ch->dev->priv;
	struct channel *c = ch->priv;

	if (unlikely(c->generation != atomic_load_explicit(&d->generation, memory_order_acquire)))
		look_again(c, d);
	if (unlikely(!c->image)) {
		bs_complete(ch, req, -ENXIO);
		return;
	}
	bs_rbd_image_get(c->image);
	req->priv[PRIV_CHANNEL] = ch;
	req->priv[PRIV_IMAGE] = c->image;
	req->priv[PRIV_MEMORY] = NULL;
	if (req->op == BS_BLOCK_STATUS)
		bs_run_blocking(ch, req, block_status);
	else
		start(ch, req);
}

/* --- channels --- */

int bs_rbd_channel_open(struct bs_channel *ch)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	ch->priv = c;
	look_again(c, ch->dev->priv);
	return 0;
}

void bs_rbd_channel_close(struct bs_channel *ch)
{
	struct channel *c = ch->priv;

	if (c->image)
		bs_rbd_image_put(c->image);
	free(c);
}
