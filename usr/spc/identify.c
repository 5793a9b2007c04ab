/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/identify.c - REPORT and SET IDENTIFYING INFORMATION, SPC-4 r37 5.6, 6.32 and
 * 6.44: what people call a logical unit.  It must outlive everything (6.44), so that
 * without a state directory there are no such commands.
 */
#include <stdlib.h>
#include <string.h>
#include "base/be.h"
#include "base/iov.h"
#include "base/macros.h"
#include "base/text.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/unit_attention.h"
#include "spc/handlers.h"

#define HEADER_BYTES		4
#define TYPE_SUPPORTED		0x7f	/* a list of those that there are */

/* INFORMATION TYPE, table 48; sorted. */
static const struct type {
	uint8_t code;
	uint16_t max_bytes;
	enum lu_keep_what what;
	bool is_text;			/* UTF-8, ended by a zero */
} types[] = {
	{ 0x00, 512, LU_KEEP_INFORMATION, false },
	{ 0x02, 256, LU_KEEP_TEXT_INFORMATION, true },
};
static_assert(LU_KEEP_BYTES_MAX >= 512, "what is the longest of them");

static const struct type *type_of(const struct scsi_task *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].code == t->cdb[10] >> 1)
			return &types[i];
	return NULL;
}

/* --- REPORT --- */

static enum scsi_status report_types(struct scsi_task *t)
{
	uint8_t d[HEADER_BYTES + 4 * ARRAY_SIZE(types)] = { 0 };

	be_store(d + 2, 2, sizeof(d) - HEADER_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		uint8_t *p = d + HEADER_BYTES + 4 * i;

		p[0] = (uint8_t)(types[i].code << 1);
		be_store(p + 2, 2, types[i].max_bytes);
	}
	return scsi_task_reply(t, d, sizeof(d));
}

enum scsi_status spc_identify_report(struct scsi_task *t)
{
	const struct type *type = type_of(t);
	uint8_t d[HEADER_BYTES + LU_KEEP_BYTES_MAX] = { 0 };
	struct lu_keep_value v;

	if (t->cdb[10] >> 1 == TYPE_SUPPORTED)
		return report_types(t);
	if (!type)
		return scsi_task_fail_cdb(t, 10, 7);
	lu_keep_read(lu_reserve_keep(lu_reserve(t->dev->lu)), type->what, &v);
	be_store(d + 2, 2, v.bytes);
	memcpy(d + HEADER_BYTES, v.b, v.bytes);
	return scsi_task_reply(t, d, HEADER_BYTES + (size_t)v.bytes);
}

/* --- SET --- */

struct setting {
	struct lu_keep_change change;
	struct scsi_task *task;		/* holds a reference */
	struct scsi_device *dev;	/* holds a reference: the task may end before */
	uint64_t nexus_id;
};

static void told(void *arg)
{
	struct setting *s = arg;
	struct scsi_task *t = s->task;

	scsi_task_complete(t, s->change.err ?
				      scsi_task_fail(t, SCSI_SENSE_INTERNAL_TARGET_FAILURE) :
				      SCSI_GOOD);
	scsi_task_put(t);
	scsi_device_put(s->dev);
	free(s);
}

/* Without memory nobody is told; it is done. */
static void set(struct lu_keep_change *c)
{
	struct setting *s = container_of(c, struct setting, change);

	if (!c->changed ||
	    scsi_unit_attention_raise_unit(s->dev, SCSI_SENSE_DEVICE_IDENTIFIER_CHANGED,
					   s->nexus_id, told, s) < 0)
		told(s);
}

/* "Null-terminated": a zero at the end, and none before (SPC-4 4.4.2). */
static bool is_text(const struct lu_keep_value *v)
{
	return !v->bytes || (v->b[v->bytes - 1] == 0 &&
			     strlen((const char *)v->b) == v->bytes - 1U &&
			     text_is_utf8((const char *)v->b, v->bytes - 1U));
}

/* Before any data comes. */
enum scsi_status spc_identify_parse_set(struct scsi_task *t)
{
	const struct type *type = type_of(t);

	if (!type)
		return scsi_task_fail_cdb(t, 10, 7);
	return t->nr > type->max_bytes ? scsi_task_fail_cdb(t, 6, -1) : SCSI_GOOD;
}

enum scsi_status spc_identify_set(struct scsi_task *t)
{
	const struct type *type = type_of(t);
	struct lu_reserve *r;
	struct setting *s;

	if (t->out_bytes < t->nr)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	s = calloc(1, sizeof(*s));
	if (!s)
		return SCSI_BUSY;
	s->change.what = type->what;
	s->change.done = set;
	s->change.value.bytes = (uint16_t)t->nr;
	if (t->nr)
		iov_read(t->data.iov, t->data.iovcnt, 0, s->change.value.b, t->nr);
	if (type->is_text && !is_text(&s->change.value)) {
		free(s);
		return scsi_task_fail_param(t, 0, -1);
	}
	r = lu_reserve_get(lu_reserve(t->dev->lu));
	if (!r) {			/* it is being given another name */
		free(s);
		return SCSI_BUSY;
	}
	scsi_task_get(t);
	s->task = t;
	s->dev = scsi_device_get(t->dev);
	s->nexus_id = t->nexus->id;
	lu_keep_submit(r, &s->change);
	return SCSI_PENDING;
}
