/* SPDX-License-Identifier: BSD-3-Clause */
#include "common_iscsi.h"

#include <stdio.h>
#include <string.h>

#include "common_util.h"

#define STATUS_CHECK_CONDITION 0x02
#define SENSE_UNIT_ATTENTION   0x06
#define UNIT_ATTENTIONS_MAX    16

uint64_t bench_iscsi_lun(unsigned int lun)
{
	if (lun < 256)
		return (uint64_t)lun << 48;
	return (uint64_t)(0x4000 | (lun & 0x3fff)) << 48;
}

/*
 * Queue the Data-Outs for one burst.  Unsolicited data and each R2T count
 * their DataSN from 0, RFC 7143 11.7.5.
 */
static void data_out(struct bench_conn *c, const struct bench_task *task,
		     be64 lun, uint32_t ttt, uint32_t off, uint32_t len)
{
	uint32_t sn = 0;

	while (len) {
		const uint32_t part = MIN(len, c->terms.max_send_bytes);
		struct bench_tx_item *item = bench_conn_push(c);

		item->bhs.opcode = ISCSI_DATA_OUT;
		item->bhs.flags = part == len ? ISCSI_FINAL : 0;
		item->bhs.data_bytes = be24_make(part);
		item->bhs.lun = lun;
		item->bhs.itt = be32_make((uint32_t)(task - c->tasks));
		item->bhs.w20 = be32_make(ttt);
		item->bhs.w28 = be32_make(c->exp_statsn);
		item->bhs.w36 = be32_make(sn++);
		item->bhs.w40 = be32_make(off);
		item->data = task->buf + off;
		item->data_bytes = part;
		off += part;
		len -= part;
	}
}

static void send_command(struct bench_conn *c, struct bench_task *task)
{
	struct bench_tx_item *item = bench_conn_push(c);
	const uint32_t first = MIN(task->len_bytes, c->terms.first_burst_bytes);
	uint32_t immediate = 0, unsolicited = 0;

	if (task->write && c->terms.immediate_data)
		immediate = MIN(first, c->terms.max_send_bytes);
	if (task->write && !c->terms.initial_r2t)
		unsolicited = first - immediate;

	item->bhs.opcode = ISCSI_COMMAND;
	item->bhs.flags = ISCSI_ATTR_SIMPLE;
	if (!unsolicited)
		item->bhs.flags |= ISCSI_FINAL;
	if (task->len_bytes)
		item->bhs.flags |= task->write ? ISCSI_WRITE : ISCSI_READ;
	item->bhs.data_bytes = be24_make(immediate);
	item->bhs.lun = be64_make(task->lun);
	item->bhs.itt = be32_make((uint32_t)(task - c->tasks));
	item->bhs.w20 = be32_make(task->len_bytes);
	item->bhs.w24 = be32_make(c->cmdsn++);
	item->bhs.w28 = be32_make(c->exp_statsn);
	memcpy(item->bhs.cdb, task->cdb, sizeof(item->bhs.cdb));
	item->data = task->buf;
	item->data_bytes = immediate;
	if (unsolicited)
		data_out(c, task, be64_make(task->lun), ISCSI_TAG_NONE,
			 immediate, unsolicited);
}

/* RFC 7143 4.2.2.1: serial number arithmetic. */
static bool window_open(const struct bench_conn *c)
{
	return (int32_t)(c->max_cmdsn - c->cmdsn) >= 0;
}

static void iscsi_start(struct bench_conn *c, struct bench_task *task)
{
	task->active = true;
	task->got_bytes = 0;
	task->status = 0;
	task->sense_bytes = 0;
	c->nr_active++;
	if (window_open(c) && !c->nr_waiting) {
		send_command(c, task);
		return;
	}
	c->waiting[(c->waiting_head + c->nr_waiting++) % c->depth] = task;
}

static void window_moved(struct bench_conn *c, const struct iscsi_bhs *h)
{
	const uint32_t max = be32_get(h->w32);

	if ((int32_t)(max - c->max_cmdsn) > 0)
		c->max_cmdsn = max;
	while (c->nr_waiting && window_open(c)) {
		send_command(c, c->waiting[c->waiting_head]);
		c->waiting_head = (c->waiting_head + 1) % c->depth;
		c->nr_waiting--;
	}
}

static struct bench_task *task_of(struct bench_conn *c,
				  const struct iscsi_bhs *h)
{
	const uint32_t itt = be32_get(h->itt);

	if (itt >= c->depth || !c->tasks[itt].active)
		bench_util_die(BENCH_FAILED,
			       "connection %u: PDU 0x%02x for unknown tag 0x%x",
			       c->index, h->opcode, itt);
	return &c->tasks[itt];
}

/* RFC 7143 11.7.  Data must come in order and within what was asked for. */
static void data_in_header(struct bench_conn *c, const struct iscsi_bhs *h)
{
	struct bench_task *task = task_of(c, h);
	const uint32_t off = be32_get(h->w40), len = c->rx.data_bytes;

	if (task->write || off != task->got_bytes ||
	    len > task->len_bytes - off)
		bench_util_die(
			BENCH_FAILED,
			"connection %u: Data-In at %u of %u bytes, expected at %u of %u",
			c->index, off, len, task->got_bytes, task->len_bytes);
	c->rx.task = task;
	if (task->buf) {
		c->rx.copy_to = task->buf + off;
		c->rx.copy_bytes = len;
	}
}

static void iscsi_header(struct bench_conn *c, const struct iscsi_bhs *h)
{
	const uint8_t op = h->opcode & ISCSI_OPCODE_MASK;

	c->rx.data_bytes = be24_get(h->data_bytes);
	if (op == ISCSI_DATA_IN) {
		data_in_header(c, h);
		return;
	}
	c->rx.copy_to = c->rx.small;
	c->rx.copy_bytes = MIN(c->rx.data_bytes, sizeof(c->rx.small));
}

static void task_end(struct bench_conn *c, struct bench_task *task,
		     const struct iscsi_bhs *h)
{
	const bool odd = task->status == 0 && !task->short_ok &&
			 ((h->flags & ISCSI_RESIDUAL) ||
			  (!task->write && task->got_bytes != task->len_bytes));

	if (odd)
		bench_util_die(
			BENCH_FAILED,
			"connection %u: GOOD, but %u of %u bytes, residual %u",
			c->index, task->got_bytes, task->len_bytes,
			be32_get(h->w44));
	c->exp_statsn = be32_get(h->w24) + 1;
	task->active = false;
	c->nr_active--;
	c->done(c, task);
}

static void response(struct bench_conn *c, const struct iscsi_bhs *h)
{
	struct bench_task *task = task_of(c, h);

	if (h->b2)
		bench_util_die(BENCH_FAILED,
			       "connection %u: iSCSI response code 0x%02x",
			       c->index, h->b2);
	task->status = h->b3;
	/* SenseLength comes first, RFC 7143 11.4.7.2 */
	if (c->rx.data_bytes > 2) {
		task->sense_bytes = (unsigned int)MIN(c->rx.copy_bytes - 2,
						      sizeof(task->sense));
		memcpy(task->sense, c->rx.small + 2, task->sense_bytes);
	}
	task_end(c, task, h);
}

/* A ping wants its tag back; RFC 7143 11.18. */
static void nop_in(struct bench_conn *c, const struct iscsi_bhs *h)
{
	struct bench_tx_item *item;

	if (be32_get(h->w20) == ISCSI_TAG_NONE)
		return;
	item = bench_conn_push(c);
	item->bhs.opcode = ISCSI_NOP_OUT | ISCSI_IMMEDIATE;
	item->bhs.flags = ISCSI_FINAL;
	item->bhs.lun = h->lun;
	item->bhs.itt = be32_make(ISCSI_TAG_NONE);
	item->bhs.w20 = h->w20;
	item->bhs.w24 = be32_make(c->cmdsn);
	item->bhs.w28 = be32_make(c->exp_statsn);
}

static void iscsi_finish(struct bench_conn *c)
{
	const struct iscsi_bhs *h = &c->rx.bhs;
	struct bench_task *task;

	switch (h->opcode & ISCSI_OPCODE_MASK) {
	case ISCSI_DATA_IN:
		task = c->rx.task;
		task->got_bytes += c->rx.data_bytes;
		if (h->flags & ISCSI_STATUS) {
			task->status = h->b3;
			task_end(c, task, h);
		}
		break;
	case ISCSI_RESPONSE:
		response(c, h);
		break;
	case ISCSI_R2T:
		task = task_of(c, h);
		if (!task->write || be32_get(h->w40) > task->len_bytes ||
		    be32_get(h->w44) > task->len_bytes - be32_get(h->w40))
			bench_util_die(BENCH_FAILED,
				       "connection %u: R2T beyond the command",
				       c->index);
		data_out(c, task, h->lun, be32_get(h->w20), be32_get(h->w40),
			 be32_get(h->w44));
		break;
	case ISCSI_NOP_IN:
		nop_in(c, h);
		break;
	case ISCSI_LOGOUT_RSP:
		c->nr_active = 0;
		break;
	default:
		bench_util_die(BENCH_FAILED,
			       "connection %u: unexpected PDU 0x%02x (%s)",
			       c->index, h->opcode,
			       h->opcode == ISCSI_REJECT ? "Reject" :
			       h->opcode == ISCSI_ASYNC	 ? "Async Message" :
							   "unknown");
	}
	window_moved(c, h);
}

const struct bench_proto bench_iscsi_proto = {
	.start = iscsi_start,
	.header = iscsi_header,
	.finish = iscsi_finish,
};

const char *bench_iscsi_sense(const struct bench_task *task)
{
	static char text[32];
	/* fixed format 70h, descriptor format 72h: SPC-4 4.5 */
	const bool descriptor = (task->sense[0] & 0x7f) >= 0x72;

	if (task->sense_bytes < 14)
		return "no sense data";
	snprintf(text, sizeof(text), "sense %x/%02x/%02x",
		 task->sense[descriptor ? 1 : 2] & 0xf,
		 task->sense[descriptor ? 2 : 12],
		 task->sense[descriptor ? 3 : 13]);
	return text;
}

static void exec_done(struct bench_conn *c, struct bench_task *task)
{
	(void)c;
	(void)task;
}

static bool unit_attention(const struct bench_task *task)
{
	const bool descriptor = (task->sense[0] & 0x7f) >= 0x72;

	return task->status == STATUS_CHECK_CONDITION &&
	       task->sense_bytes >= 3 &&
	       (task->sense[descriptor ? 1 : 2] & 0xf) == SENSE_UNIT_ATTENTION;
}

uint32_t bench_iscsi_exec(struct bench_conn *c, const uint8_t cdb[16],
			  void *buf, uint32_t len_bytes)
{
	void (*const saved)(struct bench_conn *, struct bench_task *) = c->done;
	struct bench_task *task = &c->tasks[0];
	int tries = 0;

	c->done = exec_done;
	do {
		memset(task, 0, sizeof(*task));
		memcpy(task->cdb, cdb, sizeof(task->cdb));
		task->lun = c->lun;
		task->buf = buf;
		task->len_bytes = len_bytes;
		task->short_ok = true;
		c->proto->start(c, task);
		bench_conn_drain(c);
	} while (unit_attention(task) && ++tries < UNIT_ATTENTIONS_MAX);
	c->done = saved;
	if (task->status)
		bench_util_die(
			BENCH_FAILED,
			"connection %u: opcode 0x%02x: status 0x%02x, %s",
			c->index, cdb[0], task->status,
			bench_iscsi_sense(task));
	return task->got_bytes;
}

void bench_iscsi_logout(struct bench_conn *c)
{
	struct bench_tx_item *item = bench_conn_push(c);

	item->bhs.opcode = ISCSI_LOGOUT | ISCSI_IMMEDIATE;
	item->bhs.flags = ISCSI_FINAL;	     /* reason 0: close the session */
	item->bhs.itt = be32_make(c->depth); /* no command's tag */
	item->bhs.w24 = be32_make(c->cmdsn);
	item->bhs.w28 = be32_make(c->exp_statsn);
	c->discard = false; /* it receives once more than must be */
	c->nr_active = 1;   /* until the response */
	bench_conn_drain(c);
	bench_conn_close(c);
}
