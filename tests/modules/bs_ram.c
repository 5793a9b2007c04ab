/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_ram - a disk in memory that watches what it is asked for.  Options:
 *	size=BYTES
 *	minimal		has READ, WRITE and FLUSH only
 *	foreign		completes from a thread of its own, not from submit()
 *	in_order	serves by bs_run_in_order()
 *	read_only, align=BYTES, write_cache
 *	shared, atomic=BYTES	as struct bs_dev_info has them
 *	rival		has COMPARE_AND_WRITE; the first time for each block somebody else was
 *			faster, and has flipped the highest bit of its first byte
 *	vague		keeps a map that says "data, 0 bytes" everywhere
 * Tests read its counters with dlsym().
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <tgt/bs_module.h>

BS_EXPORT struct {
	atomic_uint ops[BS_NR_OPS], fua, batches, groups, channels, devices;
	atomic_uint unmap_flags;
	struct bs_dev *_Atomic dev;	/* the last that was opened */
	atomic_uint in_order, disorder;	/* served so; at once, or not in order */
} bs_ram_counters;

static const struct bs_option options[] = {
	{ .name = "size", .type = BS_OPT_SIZE, .min = 512, .fallback = "1M",
	  .help = "size in bytes" },
	{ .name = "minimal", .type = BS_OPT_BOOL, .help = "only what a store must have" },
	{ .name = "foreign", .type = BS_OPT_BOOL, .help = "complete from another thread" },
	{ .name = "in_order", .type = BS_OPT_BOOL, .help = "one after another" },
	{ .name = "vague", .type = BS_OPT_BOOL, .help = "" },
	{ .name = "read_only", .type = BS_OPT_BOOL, .help = "" },
	{ .name = "write_cache", .type = BS_OPT_BOOL, .fallback = "yes", .help = "" },
	{ .name = "shared", .type = BS_OPT_BOOL, .help = "" },
	{ .name = "atomic", .type = BS_OPT_U64, .fallback = "0", .help = "" },
	{ .name = "rival", .type = BS_OPT_BOOL, .help = "" },
	{ .name = "align", .type = BS_OPT_U64, .help = "alignment to ask for" },
	{ .name = "fail", .type = BS_OPT_TEXT, .help = "refuse to open, for this reason" },
	{ 0 },
};

struct queued {
	struct queued *next;
	struct bs_channel *ch;
	struct bs_req *req;
};

struct ram {
	char *bytes;
	char *met;			/* blocks that the rival has had; NULL: no rival */
	bool foreign, in_order;
	atomic_uint inside;		/* run_one() */
	uint64_t last_off;		/* its last one */
	pthread_t thread;
	pthread_mutex_t mutex;		/* of the queue */
	pthread_cond_t wake;
	pthread_mutex_t medium;		/* a disk does one thing at a time */
	struct queued *queue;
	bool stop;
};

static void copy(struct ram *r, const struct bs_req *req, bool write)
{
	char *p = r->bytes + req->off_bytes;

	for (int i = 0; i < req->iovcnt; p += req->iov[i++].iov_len)
		if (write)
			memcpy(p, req->iov[i].iov_base, req->iov[i].iov_len);
		else
			memcpy(req->iov[i].iov_base, p, req->iov[i].iov_len);
}

/* What differs first.  What to compare is one entry, and what to write, too, or both are. */
static int compare_and_write(struct ram *r, struct bs_req *req)
{
	char *p = r->bytes + req->off_bytes;
	const char *old = req->iov[0].iov_base;
	const char *new = req->iovcnt == 1 ? old + req->len_bytes : req->iov[1].iov_base;

	if (!r->met[req->off_bytes / 512]) {
		r->met[req->off_bytes / 512] = 1;
		*p ^= (char)0x80;
	}
	for (req->result = 0; req->result < req->len_bytes; req->result++)
		if (p[req->result] != old[req->result])
			return -EILSEQ;
	memcpy(p, new, req->len_bytes);
	return 0;
}

static int serve(struct ram *r, struct bs_req *req)
{
	int err = 0;

	pthread_mutex_lock(&r->medium);
	if (req->op == BS_READ || req->op == BS_WRITE)
		copy(r, req, req->op == BS_WRITE);
	else if (req->op == BS_BLOCK_STATUS)
		req->flags |= BS_REQ_MAPPED;
	else if (req->op == BS_UNMAP || req->op == BS_WRITE_ZEROES)
		memset(r->bytes + req->off_bytes, 0, req->len_bytes);
	else if (req->op == BS_COMPARE_AND_WRITE)
		err = compare_and_write(r, req);
	pthread_mutex_unlock(&r->medium);
	return err;
}

static void *thread_main(void *arg)
{
	struct ram *r = arg;

	pthread_mutex_lock(&r->mutex);
	while (!r->stop || r->queue) {
		struct queued *q = r->queue;

		if (!q) {
			pthread_cond_wait(&r->wake, &r->mutex);
			continue;
		}
		r->queue = q->next;
		pthread_mutex_unlock(&r->mutex);
		bs_complete_from(q->ch, q->req, serve(r, q->req));
		free(q);
		pthread_mutex_lock(&r->mutex);
	}
	pthread_mutex_unlock(&r->mutex);
	return NULL;
}

static int run_one(struct bs_dev *dev, struct bs_req *req)
{
	struct ram *r = dev->priv;
	int err;

	if (r->inside++ || (req->off_bytes && req->off_bytes <= r->last_off))
		bs_ram_counters.disorder++;
	r->last_off = req->off_bytes;
	err = serve(r, req);
	bs_ram_counters.in_order++;
	r->inside--;
	return err;
}

static int ram_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	const struct bs_params *p = args->params;
	const uint64_t size = bs_param_u64(p, "size");
	struct ram *r;

	if (bs_param_text(p, "fail")) {
		bs_say("%s", bs_param_text(p, "fail"));
		return -EIO;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->bytes = calloc(1, size);
	r->foreign = bs_param_bool(p, "foreign");
	r->in_order = bs_param_bool(p, "in_order");
	r->met = bs_param_bool(p, "rival") ? calloc(1, size / 512 + 1) : NULL;
	pthread_mutex_init(&r->mutex, NULL);
	pthread_mutex_init(&r->medium, NULL);
	pthread_cond_init(&r->wake, NULL);
	if (!r->bytes || (r->foreign && pthread_create(&r->thread, NULL, thread_main, r))) {
		free(r->bytes);
		free(r->met);
		free(r);
		return -ENOMEM;
	}
	dev->priv = r;
	dev->info = (struct bs_dev_info){
		.size_bytes = size,
		.ops = BS_OP_BIT(BS_READ) | BS_OP_BIT(BS_WRITE) | BS_OP_BIT(BS_FLUSH),
		.align_bytes = (uint32_t)bs_param_u64(p, "align"),
		.read_only = bs_param_bool(p, "read_only"),
		.write_cache = bs_param_bool(p, "write_cache"),
		.shared = bs_param_bool(p, "shared"),
		.atomic_bytes = (uint32_t)bs_param_u64(p, "atomic"),
	};
	if (!bs_param_bool(p, "minimal"))
		dev->info.ops |= BS_OP_BIT(BS_UNMAP) | BS_OP_BIT(BS_WRITE_ZEROES);
	if (r->met)
		dev->info.ops |= BS_OP_BIT(BS_COMPARE_AND_WRITE);
	if (bs_param_bool(p, "vague"))
		dev->info.ops |= BS_OP_BIT(BS_BLOCK_STATUS);
	bs_ram_counters.devices++;
	atomic_store(&bs_ram_counters.dev, dev);
	return 0;
}

static void ram_close(struct bs_dev *dev)
{
	struct ram *r = dev->priv;

	if (r->foreign) {
		pthread_mutex_lock(&r->mutex);
		r->stop = true;
		pthread_cond_signal(&r->wake);
		pthread_mutex_unlock(&r->mutex);
		pthread_join(r->thread, NULL);
	}
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->mutex);
	pthread_mutex_destroy(&r->medium);
	free(r->bytes);
	free(r->met);
	free(r);
	bs_ram_counters.devices--;
}

static int ram_group_open(struct bs_group *g)
{
	(void)g;
	bs_ram_counters.groups++;
	return 0;
}

static void ram_group_close(struct bs_group *g)
{
	(void)g;
	bs_ram_counters.groups--;
}

static int ram_channel_open(struct bs_channel *ch)
{
	(void)ch;
	bs_ram_counters.channels++;
	return 0;
}

static void ram_channel_close(struct bs_channel *ch)
{
	(void)ch;
	bs_ram_counters.channels--;
}

static void ram_submit(struct bs_channel *ch, struct bs_req *req)
{
	struct ram *r = ch->dev->priv;
	struct queued *q;

	bs_ram_counters.ops[req->op]++;
	if (req->flags & BS_REQ_FUA)
		bs_ram_counters.fua++;
	if (req->flags & BS_REQ_UNMAP)
		bs_ram_counters.unmap_flags++;
	if (r->in_order) {
		bs_run_in_order(ch, req, run_one);
		return;
	}
	if (!r->foreign) {
		bs_complete(ch, req, serve(r, req));
		return;
	}
	q = malloc(sizeof(*q));
	if (!q) {
		bs_complete(ch, req, -ENOMEM);
		return;
	}
	*q = (struct queued){ .ch = ch, .req = req };
	pthread_mutex_lock(&r->mutex);
	q->next = r->queue;		/* latest first: order must not matter */
	r->queue = q;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->mutex);
}

static void ram_flush_batch(struct bs_group *g)
{
	(void)g;
	bs_ram_counters.batches++;
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "ram",
	.help = "a disk in memory, for tests",
	.options = options,
	.open_flags = BS_OPEN_RDONLY,
	.open = ram_open,
	.close = ram_close,
	.group_open = ram_group_open,
	.group_close = ram_group_close,
	.channel_open = ram_channel_open,
	.channel_close = ram_channel_close,
	.submit = ram_submit,
	.flush_batch = ram_flush_batch,
};
