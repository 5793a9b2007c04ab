/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/unit_attention.c - unit attention conditions, SAM-5 r21 5.14.
 *
 * Each I_T_L nexus has a short queue.  Resets (29h) go before everything else
 * (5.14 table 44); a queue that is full is replaced by one "power on, reset, or
 * bus device reset occurred", which makes an initiator look at everything.
 */
#include "scsi/unit_attention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "lu/lu.h"
#include "reactor/group.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/task.h"

#define ASC_RESET	0x29

struct raise {
	const struct scsi_device *dev;		/* only compared; NULL: any */
	const struct lu_reserve *unit;		/* only compared; NULL: any */
	const struct scsi_target *target;	/* NULL: any */
	enum scsi_sense_code code;
	uint64_t except;
	void (*told)(void *arg);		/* NULL: nobody waits for it */
	void *arg;
};

static bool is_pending(const struct scsi_ua_queue *q, enum scsi_sense_code code)
{
	return memchr(q->code, code, q->n) != NULL;
}

static void insert_at(struct scsi_ua_queue *q, unsigned int at, enum scsi_sense_code code)
{
	memmove(q->code + at + 1, q->code + at, q->n - at);
	q->code[at] = (uint8_t)code;
	q->n++;
}

static void remove_at(struct scsi_ua_queue *q, unsigned int at)
{
	q->n--;
	memmove(q->code + at, q->code + at + 1, q->n - at);
}

void scsi_unit_attention_add(struct scsi_itl *itl, enum scsi_sense_code code)
{
	struct scsi_ua_queue *q = &itl->ua;
	unsigned int at = q->n;

	static_assert(SCSI_SENSE_NR <= UINT8_MAX, "a code fits a byte");
	if (is_pending(q, code))
		return;
	if (q->n == SCSI_UA_MAX) {
		q->n = 1;
		q->code[0] = SCSI_SENSE_POWER_ON_OR_RESET;
		return;
	}
	if (scsi_sense_asc(code) == ASC_RESET)
		for (at = 0; at < q->n; at++)
			if (scsi_sense_asc(q->code[at]) != ASC_RESET ||
			    scsi_sense_ascq(q->code[at]) > scsi_sense_ascq(code))
				break;
	insert_at(q, at, code);
}

bool scsi_unit_attention_take(struct scsi_itl *itl, enum scsi_sense_code *ret_code)
{
	if (!itl->ua.n)
		return false;
	*ret_code = itl->ua.code[0];
	remove_at(&itl->ua, 0);
	return true;
}

bool scsi_unit_attention_is_reset(const struct scsi_itl *itl)
{
	return itl->ua.n && scsi_sense_asc(itl->ua.code[0]) == ASC_RESET;
}

static void clear_one(struct scsi_itl *itl, void *arg)
{
	const enum scsi_sense_code *code = arg;
	const uint8_t *at = memchr(itl->ua.code, *code, itl->ua.n);

	if (at)
		remove_at(&itl->ua, (unsigned int)(at - itl->ua.code));
}

void scsi_unit_attention_clear(struct scsi_nexus *n, enum scsi_sense_code code)
{
	scsi_nexus_each_itl(n, clear_one, &code);
}

static void raise_itl(struct scsi_itl *itl, void *arg)
{
	const struct raise *r = arg;

	if (r->dev && itl->dev != r->dev)
		return;
	if (r->unit && !(itl->dev->lu && lu_reserve(itl->dev->lu) == r->unit))
		return;
	scsi_unit_attention_add(itl, r->code);
}

static void raise_nexus(struct scsi_nexus *n, void *arg)
{
	const struct raise *r = arg;

	if (n->id != r->except)
		scsi_nexus_each_itl(n, raise_itl, arg);
}

static void raise_here(struct reactor_spread *s, void *arg)
{
	const struct raise *r = arg;

	scsi_nexus_each(r->target, raise_nexus, arg);
	reactor_group_spread_put(s);
}

static void raised(void *arg)
{
	struct raise *r = arg;

	if (r->told)
		r->told(r->arg);
	free(r);
}

static int raise_all(const struct raise *what)
{
	struct raise *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = *what;
	if (reactor_group_spread(raise_here, raised, r) < 0) {
		free(r);
		return -ENOMEM;
	}
	return 0;
}

int scsi_unit_attention_raise(struct scsi_device *dev, enum scsi_sense_code code,
			      uint64_t except)
{
	const struct raise r = { .dev = dev, .code = code, .except = except };

	return raise_all(&r);
}

int scsi_unit_attention_raise_unit(struct scsi_device *dev, enum scsi_sense_code code,
				   uint64_t except, void (*told)(void *arg), void *arg)
{
	const struct raise r = { .unit = lu_reserve(dev->lu), .code = code, .except = except,
				 .told = told, .arg = arg };

	return raise_all(&r);
}

int scsi_unit_attention_raise_then(struct scsi_device *dev, enum scsi_sense_code code,
				   uint64_t except, void (*told)(void *arg), void *arg)
{
	const struct raise r = { .dev = dev, .code = code, .except = except,
				 .told = told, .arg = arg };

	return raise_all(&r);
}

int scsi_unit_attention_raise_target(struct scsi_target *target,
				     enum scsi_sense_code code)
{
	const struct raise r = { .target = target, .code = code };

	return raise_all(&r);
}

/* --- for handlers --- */

struct telling {
	struct scsi_task *task;		/* holds a reference */
	void (*then)(struct scsi_task *t);
};

static void task_told(void *arg)
{
	struct telling *g = arg;
	struct scsi_task *t = g->task;

	if (!t->aborted && t->state != SCSI_TASK_DONE)
		g->then(t);
	scsi_task_put(t);
	free(g);
}

bool scsi_unit_attention_then(struct scsi_task *t, enum scsi_sense_code code,
			      void (*then)(struct scsi_task *t))
{
	struct telling *g = malloc(sizeof(*g));
	const struct raise r = { .dev = t->dev, .code = code, .except = t->nexus->id,
				 .told = task_told, .arg = g };

	if (!g)
		return false;
	*g = (struct telling){ .task = t, .then = then };
	if (raise_all(&r) < 0) {
		free(g);
		return false;
	}
	scsi_task_get(t);
	return true;
}

static void complete_good(struct scsi_task *t)
{
	scsi_task_complete(t, SCSI_GOOD);
}

enum scsi_status scsi_unit_attention_then_good(struct scsi_task *t, enum scsi_sense_code code)
{
	return scsi_unit_attention_then(t, code, complete_good) ? SCSI_PENDING : SCSI_GOOD;
}
