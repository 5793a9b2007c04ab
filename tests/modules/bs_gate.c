/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_gate - a disk of 1 MiB that reads zeroes, and that does not answer while
 * its gate is closed.  Tests work the gate through bs_gate_control.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <tgt/bs_module.h>

struct held {
	struct held *next;
	struct bs_channel *ch;
	struct bs_req *req;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct held *first, **last = &first;

static void gate_open(int err);

BS_EXPORT struct {
	atomic_bool closed;
	atomic_uint held;		/* requests that wait */
	void (*open)(int err);		/* answer them all, in order, with @err */
} bs_gate_control = { .open = gate_open };

static void gate_open(int err)
{
	struct held *h, *next;

	pthread_mutex_lock(&mutex);
	bs_gate_control.closed = false;
	h = first;
	first = NULL;
	last = &first;
	bs_gate_control.held = 0;
	pthread_mutex_unlock(&mutex);
	for (; h; h = next) {
		next = h->next;
		bs_complete_from(h->ch, h->req, err);
		free(h);
	}
}

static void hold(struct bs_channel *ch, struct bs_req *req)
{
	struct held *h = malloc(sizeof(*h));

	*h = (struct held){ .ch = ch, .req = req };
	*last = h;
	last = &h->next;
	bs_gate_control.held++;
}

static void gate_submit(struct bs_channel *ch, struct bs_req *req)
{
	bool closed;

	if (req->op == BS_READ)
		for (int i = 0; i < req->iovcnt; i++)
			memset(req->iov[i].iov_base, 0, req->iov[i].iov_len);
	pthread_mutex_lock(&mutex);
	closed = bs_gate_control.closed;
	if (closed)
		hold(ch, req);
	pthread_mutex_unlock(&mutex);
	if (!closed)
		bs_complete(ch, req, 0);
}

static int gate_dev_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	(void)args;
	dev->info = (struct bs_dev_info){
		.size_bytes = 1U << 20,
		.ops = BS_OP_BIT(BS_READ) | BS_OP_BIT(BS_WRITE) | BS_OP_BIT(BS_FLUSH) |
		       BS_OP_BIT(BS_UNMAP) | BS_OP_BIT(BS_WRITE_ZEROES),
		.thin = true,
		.reads_zero = true,
	};
	return 0;
}

static void gate_dev_close(struct bs_dev *dev)
{
	(void)dev;
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "gate",
	.help = "a disk that may be made to hang, for tests",
	.flags = BS_MODULE_REMOTE,
	.open = gate_dev_open,
	.close = gate_dev_close,
	.submit = gate_submit,
};
