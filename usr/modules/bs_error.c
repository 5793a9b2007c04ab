/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_error - a store that fails by rule.  It stacks on another one:
 *
 *	tgtadm ... --bstype error --backing-store rdwr:/srv/disk.img
 *		--bsopts "op=write;after=10;error=EIO"
 *
 * --backing-store: "bstype:path" of the store beneath.  Options:
 *	opts=...	its --bsopts, with ',' in place of ';'
 *	control=PATH	rules apply only while this file exists; what hangs goes
 *			on when it is removed (seen within HELD_POLL_MS)
 *	reads_zero=no	what was unmapped has no contents that one can rely on
 *	compare=BYTES	others write to it past this daemon: it compares and
 *			writes at once up to so much
 * and one rule, or up to four: those of the second are op2, at2, ..., and so on.
 * The first rule that a request meets decides about it.
 *
 * Which requests:
 *	op=LIST		read, write, flush, unmap, write_zeroes, write_same,
 *			compare_and_write, block_status, prefetch, any;
 *			several with '+'
 *			(default any)
 *	at=BYTES len=BYTES	that touch this range (default: anywhere; len
 *			defaults to 1).  A flush has no range: it touches none
 *	after=N		let the first N of them pass (default 0)
 *	count=N		then hit N, let the others pass (default 0: all)
 * What happens to them, in this order:
 *	hang=yes	held until the control file is removed
 *	delay=MS	held for so long
 *	short=yes	read, write: the first half is done, the rest is not; it
 *			ends with the error (EIO if none is named)
 *	error=NAME	ends with EIO, ENODATA (a medium error), ENOSPC, EROFS,
 *			ENXIO (store gone), ETIMEDOUT, EOPNOTSUPP or ENOMEM
 * A request with neither short nor error is then served as usual.
 *
 * What else a store needs to be (a cache, its other capabilities) is the child's.
 */
#include "bs_error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/macros.h"

#define HELD_POLL_MS	10

struct device {
	struct bs_child *child;
	char *control;		/* NULL: rules always apply */
	uint32_t block_bytes;
	struct error_rules rules;
};

struct channel {
	struct bs_channel *ch;
	struct bs_child_channel *child;
	struct bs_req *held;	/* hanging, chained by REQ_HELD_NEXT; latest first */
	struct bs_timer *poll;	/* while something hangs */
};

/* Places in req->priv. */
enum { REQ_CHANNEL, REQ_RULE, REQ_TIMER, REQ_HELD_NEXT, REQ_IOV };

/* --- device --- */

static void device_free(struct device *d)
{
	if (!d)
		return;
	bs_child_close(d->child);
	free(d->control);
	free(d);
}
DEFINE_CLEANUP(struct device *, device_free)

static int open_child(struct device *d, const struct bs_open_args *args)
{
	const char *opts = bs_param_text(args->params, "opts");
	_cleanup_free_ char *copy = strdup(opts ? opts : "");

	if (!copy)
		return -ENOMEM;
	for (char *p = copy; (p = strchr(p, ','));)
		*p++ = ';';
	return bs_child_open(args->path, copy, args, &d->child);
}

static void set_info(struct bs_dev_info *info, const struct device *d, const struct bs_params *p)
{
	*info = *bs_child_info(d->child);
	info->copies_between = false;	/* its devices are not the child's */
	if (!bs_param_bool(p, "reads_zero"))
		info->reads_zero = false;
	if (bs_param_is_set(p, "compare")) {
		info->shared = true;
		info->atomic_bytes = (uint32_t)bs_param_u64(p, "compare");
	}
}

static int error_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	const char *control = bs_param_text(args->params, "control");
	_cleanup_(device_freep) struct device *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->block_bytes = args->block_bytes;
	if (control) {
		d->control = strdup(control);
		if (!d->control)
			return -ENOMEM;
	}
	err = bs_error_rules_parse(&d->rules, args->params);
	if (!err)
		err = open_child(d, args);
	if (err)
		return err;
	set_info(&dev->info, d, args->params);
	dev->priv = TAKE_PTR(d);
	return 0;
}

static int error_size(struct bs_dev *dev, uint64_t *ret_bytes)
{
	struct device *d = dev->priv;

	return bs_child_size(d->child, ret_bytes);
}

static void error_close(struct bs_dev *dev)
{
	device_free(dev->priv);
}

/* --- the way to the child --- */

static void finish(struct bs_channel *ch, struct bs_req *req, int err)
{
	free(req->priv[REQ_IOV]);
	bs_complete(ch, req, err);
}

static void child_done(void *ctx, struct bs_req *child_req, int err)
{
	struct bs_req *req = ctx;
	struct channel *c = req->priv[REQ_CHANNEL];
	const struct error_rule *rule = req->priv[REQ_RULE];

	req->result = child_req->result;
	req->flags = child_req->flags;
	if (!err && rule && rule->cut)
		err = rule->error;
	finish(c->ch, req, err);
}

static void to_child(struct channel *c, struct bs_req *req, const struct bs_req *what)
{
	const int err = bs_child_submit(c->child, what, child_done, req);

	if (err)
		finish(c->ch, req, err);
}

/* The first half, in whole blocks; nothing of a single block. */
static void half_to_child(struct channel *c, struct bs_req *req)
{
	const struct device *d = c->ch->dev->priv;
	const struct error_rule *rule = req->priv[REQ_RULE];
	struct bs_req half = *req;
	uint64_t left = req->len_bytes / 2 / d->block_bytes * d->block_bytes;
	struct iovec *iov;

	if ((req->op != BS_READ && req->op != BS_WRITE) || !left) {
		finish(c->ch, req, rule->error);
		return;
	}
	iov = calloc((size_t)req->iovcnt, sizeof(*iov));
	if (!iov) {
		finish(c->ch, req, -ENOMEM);
		return;
	}
	req->priv[REQ_IOV] = iov;
	half.iov = iov;
	half.iovcnt = 0;
	half.len_bytes = left;
	for (int i = 0; left; i++) {
		iov[i] = req->iov[i];
		iov[i].iov_len = MIN((uint64_t)iov[i].iov_len, left);
		left -= iov[i].iov_len;
		half.iovcnt++;
	}
	to_child(c, req, &half);
}

/* --- rules --- */

static bool armed(const struct device *d)
{
	return !d->control || !access(d->control, F_OK);
}

static void outcome(struct channel *c, struct bs_req *req)
{
	const struct error_rule *rule = req->priv[REQ_RULE];

	if (rule->cut)
		half_to_child(c, req);
	else if (rule->error)
		finish(c->ch, req, rule->error);
	else
		to_child(c, req, req);
}

static void delayed(void *ctx)
{
	struct bs_req *req = ctx;

	bs_timer_free(req->priv[REQ_TIMER]);
	outcome(req->priv[REQ_CHANNEL], req);
}

static void delay(struct channel *c, struct bs_req *req)
{
	const struct error_rule *rule = req->priv[REQ_RULE];

	if (rule->delay_ms) {
		req->priv[REQ_TIMER] = bs_timer_new(c->ch->group, rule->delay_ms, delayed, req);
		if (req->priv[REQ_TIMER])
			return;
	}
	outcome(c, req);
}

/* In the order in which they came. */
static void release_held(struct channel *c)
{
	struct bs_req *req, *next, *first = NULL;

	for (req = c->held; req; req = next) {
		next = req->priv[REQ_HELD_NEXT];
		req->priv[REQ_HELD_NEXT] = first;
		first = req;
	}
	c->held = NULL;
	for (req = first; req; req = next) {
		next = req->priv[REQ_HELD_NEXT];
		delay(c, req);
	}
}

static void poll_held(void *ctx)
{
	struct channel *c = ctx;

	bs_timer_free(c->poll);
	c->poll = NULL;
	if (armed(c->ch->dev->priv))
		c->poll = bs_timer_new(c->ch->group, HELD_POLL_MS, poll_held, c);
	if (!c->poll)		/* or no memory for a timer: nobody else would */
		release_held(c);
}

static void hold(struct channel *c, struct bs_req *req)
{
	req->priv[REQ_HELD_NEXT] = c->held;
	c->held = req;
	if (!c->poll)
		poll_held(c);
}

static void error_submit(struct bs_channel *ch, struct bs_req *req)
{
	struct device *d = ch->dev->priv;
	struct channel *c = ch->priv;
	const struct error_rule *rule = NULL;

	if (d->rules.n && armed(d))
		rule = bs_error_rules_match(&d->rules, req);
	req->priv[REQ_CHANNEL] = c;
	req->priv[REQ_RULE] = (void *)(uintptr_t)rule;
	req->priv[REQ_IOV] = NULL;
	if (!rule)
		to_child(c, req, req);
	else if (rule->hang)
		hold(c, req);
	else
		delay(c, req);
}

/* --- channels --- */

static int error_channel_open(struct bs_channel *ch)
{
	const struct device *d = ch->dev->priv;
	struct channel *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->ch = ch;
	c->child = bs_child_channel_open(d->child);
	if (!c->child) {
		free(c);
		return -ENOMEM;
	}
	ch->priv = c;
	return 0;
}

static void error_channel_close(struct bs_channel *ch)
{
	struct channel *c = ch->priv;

	bs_timer_free(c->poll);
	bs_child_channel_close(c->child);
	free(c);
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "error",
	.help = "fails by rule; stacks on another store (bstype:path)",
	.options = bs_error_options,
	.open_flags = BS_OPEN_SYNC | BS_OPEN_DIRECT | BS_OPEN_RDONLY,
	.flags = BS_MODULE_PATH,
	.open = error_open,
	.close = error_close,
	.size = error_size,
	.channel_open = error_channel_open,
	.channel_close = error_channel_close,
	.submit = error_submit,
};
