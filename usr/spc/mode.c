/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/mode.c - MODE SENSE, SPC-4 r37 6.13 and 6.14.
 *
 * A page is a row of the device type's table, or what the user made of it.  A page
 * in which something can change can be saved, if there is a state directory to save
 * it in.
 */
#include "spc/mode.h"

#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "lu/reserve.h"
#include "scsi/device.h"
#include "spc/handlers.h"
#include "spc/mode_saved.h"

#define DBD		0x08
#define LLBAA		0x10
#define LONGLBA		0x01
#define PS		0x80	/* byte 0 of a page: it can be saved */

#define HEADER_6	4
#define HEADER_10	8
#define DATA_MAX	(HEADER_10 + 16 + SPC_MODE_PAGES_MAX * SPC_MODE_PAGE_MAX)

/* --- which pages there are --- */

static size_t header_bytes(uint8_t subcode)
{
	return subcode ? 4 : 2;
}

static bool is_meant(uint8_t code, uint8_t subcode, uint8_t want, uint8_t want_sub)
{
	return (want == SPC_MODE_ALL_PAGES || code == want) &&
	       (want_sub == SPC_MODE_ALL_SUBPAGES || subcode == want_sub);
}

/* Ascending, but for page 00h, which comes last (6.13.1). */
static unsigned int order(const struct spc_mode_ref *r)
{
	return (unsigned int)(r->code ? r->code : 0x40) << 8 | r->subcode;
}

static void insert(struct spc_mode_ref *ref, unsigned int n, const struct spc_mode_ref *new)
{
	for (; n && order(&ref[n - 1]) > order(new); n--)
		ref[n] = ref[n - 1];
	ref[n] = *new;
}

static bool is_overridden(const struct scsi_device_config *c, const struct spc_mode_page *page)
{
	for (unsigned int i = 0; i < c->nr_pages; i++)
		if (c->pages[i].code == page->code && c->pages[i].subcode == page->subcode)
			return true;
	return false;
}

unsigned int spc_mode_find(const struct scsi_device *dev, uint8_t code, uint8_t subcode,
			   struct spc_mode_ref ref[SPC_MODE_PAGES_MAX])
{
	const struct spc_device_type *type = spc_device_type(dev);
	const struct scsi_device_config *c = scsi_device_config(dev);
	unsigned int n = 0;

	if (code == SPC_MODE_ALL_PAGES && subcode && subcode != SPC_MODE_ALL_SUBPAGES)
		return 0;
	assert(type->nr_mode + SCSI_DEVICE_PAGES_MAX <= SPC_MODE_PAGES_MAX);
	for (size_t i = 0; i < type->nr_mode; i++) {
		const struct spc_mode_page *m = &type->mode[i];

		if (is_meant(m->code, m->subcode, code, subcode) && !is_overridden(c, m))
			insert(ref, n++, &(struct spc_mode_ref){
				.code = m->code, .subcode = m->subcode,
				.bytes = m->bytes, .page = m });
	}
	for (unsigned int i = 0; i < c->nr_pages; i++) {
		const struct scsi_device_page *u = &c->pages[i];

		if (is_meant(u->code, u->subcode, code, subcode))
			insert(ref, n++, &(struct spc_mode_ref){
				.code = u->code, .subcode = u->subcode,
				.bytes = (uint8_t)(header_bytes(u->subcode) + u->bytes),
				.user = u });
	}
	return n;
}

/* What was never saved is as by default. */
static void put_saved(const struct scsi_device *dev, const struct spc_mode_ref *ref,
		      uint8_t *p)
{
	unsigned int on, which;

	if (!spc_mode_saved_can(dev, ref->page))
		return;
	which = spc_mode_saved(lu_reserve_keep(lu_reserve(dev->lu)), &on);
	spc_mode_saved_to(ref->code, ref->subcode, p, which, on);
}

size_t spc_mode_put(const struct scsi_device *dev, const struct spc_mode_ref *ref,
		    enum spc_mode_pc pc, uint8_t *p)
{
	const size_t header = header_bytes(ref->subcode);

	memset(p, 0, ref->bytes);
	if (ref->user) {
		if (pc != SPC_MODE_CHANGEABLE)
			memcpy(p + header, ref->user->b, ref->user->bytes);
	} else if (pc != SPC_MODE_CHANGEABLE) {
		if (ref->page->fill)
			ref->page->fill(dev, pc != SPC_MODE_CURRENT, p);
	} else if (ref->page->changeable) {
		memcpy(p, ref->page->changeable, ref->bytes);
	}
	if (pc == SPC_MODE_SAVED)
		put_saved(dev, ref, p);
	p[0] = ref->code;
	if (spc_mode_saved_can(dev, ref->page))
		p[0] |= PS;
	if (ref->subcode) {		/* sub_page format, 7.5.7 */
		p[0] |= SPC_MODE_SPF;
		p[1] = ref->subcode;
		be_store(p + 2, 2, ref->bytes - header);
	} else {
		p[1] = (uint8_t)(ref->bytes - header);
	}
	return ref->bytes;
}

/* --- MODE SENSE --- */

/* Block descriptors, SBC-3 r36 6.4.2.2 and 6.4.2.3. */
static size_t put_block_descriptor(const struct scsi_device *dev, bool long_lba,
				   uint8_t *p)
{
	const struct lu_geometry *g = lu_geometry(dev->lu);

	if (long_lba) {
		be_store(p, 8, g->nr_blocks);
		be_store(p + 12, 4, g->block_bytes);
		return 16;
	}
	be_store(p, 4, MIN(g->nr_blocks, (uint64_t)UINT32_MAX));
	be_store(p + 5, 3, g->block_bytes);
	return 8;
}

static enum scsi_status mode_sense(struct scsi_task *t, size_t header, bool long_lba)
{
	const struct spc_device_type *type = spc_device_type(t->dev);
	const uint8_t code = t->cdb[2] & 0x3f, subcode = t->cdb[3];
	const enum spc_mode_pc pc = t->cdb[2] >> 6;
	struct spc_mode_ref ref[SPC_MODE_PAGES_MAX];
	uint8_t d[DATA_MAX] = { 0 };
	size_t n = header, descriptors = 0;
	unsigned int nr;

	if (pc == SPC_MODE_SAVED && !(t->dev->lu && lu_keep_can()))
		return scsi_task_fail(t, SCSI_SENSE_SAVING_PARAMETERS_NOT_SUPPORTED);
	nr = spc_mode_find(t->dev, code, subcode, ref);
	if (!nr)		/* a page that we do not have, or a subpage of one that we have */
		return spc_mode_find(t->dev, code, SPC_MODE_ALL_SUBPAGES, ref) ?
			       scsi_task_fail_cdb(t, 3, -1) : scsi_task_fail_cdb(t, 2, 5);
	if (type->has_blocks && !(t->cdb[1] & DBD))
		descriptors = put_block_descriptor(t->dev, long_lba, d + n);
	n += descriptors;
	for (unsigned int i = 0; i < nr; i++)
		n += spc_mode_put(t->dev, &ref[i], pc, d + n);
	if (header == HEADER_6) {
		if (n > 256)	/* MODE DATA LENGTH cannot say it: MODE SENSE(10) can */
			return scsi_task_fail_cdb(t, 2, 5);
		d[0] = (uint8_t)(n - 1);
		d[2] = type->mode_parameter ? type->mode_parameter(t->dev) : 0;
		d[3] = (uint8_t)descriptors;
	} else {
		be_store(d, 2, n - 2);
		d[3] = type->mode_parameter ? type->mode_parameter(t->dev) : 0;
		d[4] = descriptors && long_lba ? LONGLBA : 0;
		be_store(d + 6, 2, descriptors);
	}
	return scsi_task_reply(t, d, n);
}

enum scsi_status spc_mode_sense_6(struct scsi_task *t)
{
	return mode_sense(t, HEADER_6, false);
}

enum scsi_status spc_mode_sense_10(struct scsi_task *t)
{
	return mode_sense(t, HEADER_10, t->cdb[1] & LLBAA);
}
