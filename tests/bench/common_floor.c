/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_floor.h"

#include <string.h>

#include "common_util.h"

static void floor_start(struct bench_conn *c, struct bench_task *task)
{
	struct bench_tx_item *item = bench_conn_push(c);
	const struct bench_floor_header h = {
		.write = task->write,
		.tag = be32_make((uint32_t)(task - c->tasks)),
		.off_bytes = be64_make(task->slot * BENCH_FLOOR_BYTES),
	};

	memcpy(&item->bhs, &h, sizeof(h));
	if (task->write) {
		item->data = task->buf;
		item->data_bytes = BENCH_FLOOR_BYTES;
	}
	task->active = true;
	c->nr_active++;
}

static void floor_header(struct bench_conn *c, const struct iscsi_bhs *h)
{
	const uint32_t tag = be32_get(h->itt);

	if (tag >= c->depth || !c->tasks[tag].active)
		bench_util_die(BENCH_FAILED, "connection %u: unknown tag 0x%x",
			       c->index, tag);
	c->rx.task = &c->tasks[tag];
	if (c->rx.task->write) {
		c->rx.data_bytes = 0;
		return;
	}
	c->rx.data_bytes = BENCH_FLOOR_BYTES;
	c->rx.copy_to = c->rx.task->buf;
	c->rx.copy_bytes = c->rx.task->buf ? BENCH_FLOOR_BYTES : 0;
}

static void floor_finish(struct bench_conn *c)
{
	struct bench_task *task = c->rx.task;

	task->active = false;
	task->status = 0;
	c->nr_active--;
	c->done(c, task);
}

const struct bench_proto bench_floor_proto = {
	.start = floor_start,
	.header = floor_header,
	.finish = floor_finish,
};
