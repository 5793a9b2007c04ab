/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/mode_select.c - MODE SELECT, SPC-4 r37 6.11 and 6.12.
 *
 * The whole parameter list is checked before anything is changed: a page may
 * differ from the current values only in its changeable bits.  What may change
 * (WCE, D_SENSE, SWP) is in the device's config, which only control replaces, so
 * the command completes when that is done; turning the write cache off flushes
 * it first.
 */
#include "base/be.h"
#include "base/iov.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/config.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "scsi/unit_attention.h"
#include "spc/handlers.h"
#include "spc/mode.h"

#define LIST_MAX	1024
#define PAGE_CACHING	0x08
#define PAGE_CONTROL	0x0a
#define WCE		0x04
#define D_SENSE		0x04
#define SWP		0x08
#define LONGLBA		0x01

/* t->step: the values to be. */
#define WANT_WCE	BIT(0)
#define WANT_D_SENSE	BIT(1)
#define WANT_SWP	BIT(2)

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

static void want(struct scsi_task *t, uint64_t what, bool on)
{
	t->step = on ? t->step | what : t->step & ~what;
}

static void note(struct scsi_task *t, const struct spc_mode_ref *ref, const uint8_t *page)
{
	if (ref->user || ref->subcode)		/* nothing of it can change */
		return;
	switch (ref->code) {
	case PAGE_CACHING:
		want(t, WANT_WCE, page[2] & WCE);
		break;
	case PAGE_CONTROL:
		want(t, WANT_D_SENSE, page[2] & D_SENSE);
		want(t, WANT_SWP, page[4] & SWP);
		break;
	}
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
	const bool d_sense = wanted & WANT_D_SENSE, swp = wanted & WANT_SWP;
	const bool changes = c->sense_descriptor != d_sense || c->swp != swp;

	c->sense_descriptor = d_sense;
	c->swp = swp;
	return changes;
}

/* The config is changed; the write cache is the LU's. */
static void edited(struct scsi_task *t, int err)
{
	const bool wce = t->step & WANT_WCE;
	bool was;

	if (err) {
		scsi_task_complete(t, SCSI_BUSY);
		return;
	}
	was = atomic_exchange(&t->dev->lu->write_cache, wce);
	if (was != wce)		/* without memory nobody is told; it is done */
		(void)scsi_unit_attention_raise(t->dev, SCSI_SENSE_MODE_PARAMETERS_CHANGED,
						t->nexus->id);
	if (wce || !was) {
		scsi_task_complete(t, SCSI_GOOD);
		return;
	}
	/* What the cache holds must be as durable as what follows. */
	reactor_buffer_put(&t->data);
	t->io.op = LU_FLUSH;
	t->io.iov = NULL;
	scsi_task_submit(t);
}

static enum scsi_status mode_select(struct scsi_task *t, size_t header)
{
	const struct scsi_device_config *config = scsi_device_config(t->dev);
	uint8_t d[LIST_MAX];
	enum scsi_status status;
	size_t n;

	if (!t->nr)			/* not an error, 6.11 */
		return SCSI_GOOD;
	if (t->nr > sizeof(d))
		return scsi_task_fail_cdb(t, t->cmd->len.at, -1);
	n = iov_read(t->data.iov, t->data.iovcnt, 0, d, t->out_bytes);
	if (n < t->nr || n < header)
		return scsi_task_fail(t, SCSI_SENSE_PARAMETER_LIST_LENGTH_ERROR);
	t->step = (atomic_load(&t->dev->lu->write_cache) ? WANT_WCE : 0) |
		  (config->sense_descriptor ? WANT_D_SENSE : 0) |
		  (config->swp ? WANT_SWP : 0);
	status = check_list(t, d, n, header);
	return status == SCSI_GOOD ? scsi_config_edit(t, edit, edited) : status;
}

enum scsi_status spc_mode_select_6(struct scsi_task *t)
{
	return mode_select(t, 4);
}

enum scsi_status spc_mode_select_10(struct scsi_task *t)
{
	return mode_select(t, 8);
}
