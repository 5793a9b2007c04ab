/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/mode_select.c - MODE SELECT, SPC-4 r37 6.11 and 6.12.
 *
 * The whole parameter list is checked before anything is changed: a page may
 * differ from the current values only in its changeable bits.  What may change
 * (WCE, D_SENSE, SWP) is in the device's config, which only control replaces, so
 * the command completes when that is done; turning the write cache off flushes
 * it first.  With SP all that can be saved is saved, before anything is changed.
 */
#include <stdlib.h>
#include "base/be.h"
#include "base/iov.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "scsi/config.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/unit_attention.h"
#include "spc/handlers.h"
#include "spc/mode.h"
#include "spc/mode_saved.h"

#define LIST_MAX	1024
#define LONGLBA		0x01
#define SP		0x01	/* byte 1 of the CDB */

/* t->step: the settings to be, SCSI_DEVICE_MODE_*. */

/* --- checking --- */

/* Block descriptor: the geometry cannot be changed by it. */
static enum scsi_status check_blocks(struct scsi_task *t, const uint8_t *d, size_t at,
				     size_t bytes, bool long_lba)
{
	const struct lu_geometry *g = lu_geometry(t->dev->lu);
	const uint64_t nr = long_lba ? be_load(d + at, 8) : be_load(d + at, 4);
	const uint64_t size = long_lba ? be_load(d + at + 12, 4) : be_load(d + at + 5, 3);
	const uint64_t all = long_lba ? UINT64_MAX : UINT32_MAX;

	if (bytes != (long_lba ? 16 : 8))
		return scsi_task_fail_param(t, (unsigned int)at, -1);
	if (nr && nr != all && nr != g->nr_blocks)
		return scsi_task_fail_param(t, (unsigned int)at, -1);
	if (size != g->block_bytes)
		return scsi_task_fail_param(t, (unsigned int)at + (long_lba ? 12 : 5), -1);
	return SCSI_GOOD;
}

static enum scsi_status check_page(struct scsi_task *t, const struct spc_mode_ref *ref,
				   const uint8_t *d, size_t at)
{
	const unsigned int header = ref->subcode ? 4 : 2;
	uint8_t current[SPC_MODE_PAGE_MAX], may[SPC_MODE_PAGE_MAX];

	spc_mode_put(t->dev, ref, SPC_MODE_CURRENT, current);
	spc_mode_put(t->dev, ref, SPC_MODE_CHANGEABLE, may);
	for (unsigned int i = header; i < ref->bytes; i++) {
		const uint8_t wrong = (d[at + i] ^ current[i]) & (uint8_t)~may[i];

		if (wrong)
			return scsi_task_fail_param(t, (unsigned int)at + i,
						    31 - __builtin_clz(wrong));
	}
	return SCSI_GOOD;
}

static void note(struct scsi_task *t, const struct spc_mode_ref *ref, const uint8_t *page)
{
	unsigned int which, on;

	if (ref->user)			/* nothing of it can change */
		return;
	which = spc_mode_saved_of(ref->code, ref->subcode, page, &on);
	t->step = (t->step & ~(uint64_t)which) | on;
}

static enum scsi_status check_pages(struct scsi_task *t, const uint8_t *d, size_t at,
				    size_t bytes)
{
	struct spc_mode_ref ref[SPC_MODE_PAGES_MAX];

	while (at < bytes) {
		const bool sub = d[at] & SPC_MODE_SPF;
		const unsigned int header = sub ? 4 : 2;
		const uint8_t code = d[at] & 0x3f;
		enum scsi_status status;

		if (bytes - at < header)
			return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
		/* "All of them" is no page; subpage 00h comes without SPF. */
		if (code == SPC_MODE_ALL_PAGES || (sub && !d[at + 1]) ||
		    (sub && d[at + 1] == SPC_MODE_ALL_SUBPAGES) ||
		    !spc_mode_find(t->dev, code, sub ? d[at + 1] : 0, ref))
			return scsi_task_fail_param(t, (unsigned int)at, -1);
		if (be_load(d + at + header / 2, header / 2) != ref->bytes - header)
			return scsi_task_fail_param(t, (unsigned int)at + header / 2, -1);
		if (bytes - at < ref->bytes)
			return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
		status = check_page(t, ref, d, at);
		if (status != SCSI_GOOD)
			return status;
		note(t, ref, d + at);
		at += ref->bytes;
	}
	return SCSI_GOOD;
}

static enum scsi_status check_list(struct scsi_task *t, const uint8_t *d, size_t bytes,
				   size_t header)
{
	const bool long_lba = header == 8 && d[4] & LONGLBA;
	const size_t blocks = header == 8 ? be_load(d + 6, 2) : d[3];
	enum scsi_status status;

	if (bytes - header < blocks)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	if (blocks) {
		if (!spc_device_type(t->dev)->has_blocks || blocks < 8 ||
		    (long_lba && blocks < 16))
			return scsi_task_fail_param(t, header == 8 ? 6 : 3, -1);
		status = check_blocks(t, d, header, blocks, long_lba);
		if (status != SCSI_GOOD)
			return status;
	}
	return check_pages(t, d, header + blocks, bytes);
}

/* --- changing --- */

static bool edit(struct scsi_device_config *c, uint64_t wanted)
{
	const bool d_sense = wanted & SCSI_DEVICE_MODE_D_SENSE;
	const bool swp = wanted & SCSI_DEVICE_MODE_SWP;
	const bool changes = c->sense_descriptor != d_sense || c->swp != swp;

	c->sense_descriptor = d_sense;
	c->swp = swp;
	return changes;
}

static void complete_good(struct scsi_task *t)
{
	scsi_task_complete(t, SCSI_GOOD);
}

/* What the cache holds must be as durable as what follows. */
static void flush(struct scsi_task *t)
{
	reactor_buffer_put(&t->data);
	t->io.op = LU_FLUSH;
	t->io.iov = NULL;
	scsi_task_submit(t);
}

/* The config is changed; the write cache is the LU's. */
static void edited(struct scsi_task *t, int err)
{
	const bool wce = t->step & SCSI_DEVICE_MODE_WCE;
	void (*const then)(struct scsi_task *t) = wce ? complete_good : flush;

	if (err) {
		scsi_task_complete(t, SCSI_BUSY);
		return;
	}
	if (atomic_exchange(&t->dev->lu->write_cache, wce) == wce)
		complete_good(t);
	else if (!scsi_unit_attention_then(t, SCSI_SENSE_MODE_PARAMETERS_CHANGED, then))
		then(t);		/* without memory nobody is told; it is done */
}

/* --- saving --- */

struct saving {
	struct lu_keep_change change;
	struct scsi_task *task;		/* holds a reference */
};

static void saved(struct lu_keep_change *c)
{
	struct saving *s = container_of(c, struct saving, change);
	struct scsi_task *t = s->task;
	enum scsi_status status;

	if (!t->aborted && t->state != SCSI_TASK_DONE) {
		status = c->err ? scsi_task_fail(t, SCSI_SENSE_INTERNAL_TARGET_FAILURE) :
				  scsi_config_edit(t, edit, edited);
		if (status != SCSI_PENDING)
			scsi_task_complete(t, status);
	}
	scsi_task_put(t);
	free(s);
}

static enum scsi_status save(struct scsi_task *t)
{
	struct lu_reserve *r = lu_reserve_get(lu_reserve(t->dev->lu));
	struct saving *s = r ? calloc(1, sizeof(*s)) : NULL;

	if (!s) {			/* or it is being given another name */
		lu_reserve_put(r);
		return SCSI_BUSY;
	}
	scsi_task_get(t);
	s->task = t;
	s->change.what = LU_KEEP_MODE;
	s->change.done = saved;
	spc_mode_saved_format(&s->change.value, (unsigned int)t->step);
	lu_keep_submit(r, &s->change);
	return SCSI_PENDING;
}

/* --- the command --- */

static enum scsi_status get_list(struct scsi_task *t, size_t header)
{
	uint8_t d[LIST_MAX];
	size_t n;

	if (!t->nr)			/* not an error, 6.11 */
		return SCSI_GOOD;
	if (t->nr > sizeof(d))
		return scsi_task_fail_cdb(t, t->cmd->len.at, -1);
	n = iov_read(t->data.iov, t->data.iovcnt, 0, d, t->out_bytes);
	if (n < t->nr || n < header)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	return check_list(t, d, n, header);
}

static enum scsi_status mode_select(struct scsi_task *t, size_t header)
{
	const struct scsi_device_config *config = scsi_device_config(t->dev);
	enum scsi_status status;

	if (t->cdb[1] & SP && !lu_keep_can())
		return scsi_task_fail_cdb(t, 1, 0);
	t->step = (atomic_load(&t->dev->lu->write_cache) ? SCSI_DEVICE_MODE_WCE : 0) |
		  (config->sense_descriptor ? SCSI_DEVICE_MODE_D_SENSE : 0) |
		  (config->swp ? SCSI_DEVICE_MODE_SWP : 0);
	status = get_list(t, header);
	if (status != SCSI_GOOD)
		return status;
	if (t->cdb[1] & SP)
		return save(t);
	return t->nr ? scsi_config_edit(t, edit, edited) : SCSI_GOOD;
}

enum scsi_status spc_mode_select_6(struct scsi_task *t)
{
	return mode_select(t, 4);
}

enum scsi_status spc_mode_select_10(struct scsi_task *t)
{
	return mode_select(t, 8);
}
