/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/mode.c - MODE SENSE, SPC-4 r37 6.13 and 6.14.
 *
 * A page is a row of the device type's table.  No page can be saved, and none
 * has subpages.
 */
#include "spc/mode.h"

#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "spc/handlers.h"

#define ALL_PAGES	0x3f
#define ALL_SUBPAGES	0xff
#define DBD		0x08
#define LLBAA		0x10
#define LONGLBA		0x01

#define HEADER_6	4
#define HEADER_10	8
#define DATA_MAX	(HEADER_10 + 16 + 16 * SPC_MODE_PAGE_MAX)

const struct spc_mode_page *spc_mode_find(const struct scsi_device *dev, uint8_t code)
{
	const struct spc_device_type *type = spc_device_type(dev);

	for (size_t i = 0; i < type->nr_mode; i++)
		if (type->mode[i].code == code)
			return &type->mode[i];
	return NULL;
}

size_t spc_mode_put(const struct scsi_device *dev, const struct spc_mode_page *page,
		    enum spc_mode_pc pc, uint8_t *p)
{
	memset(p, 0, page->bytes);
	if (pc != SPC_MODE_CHANGEABLE) {
		if (page->fill)
			page->fill(dev, pc == SPC_MODE_DEFAULT, p);
	} else if (page->changeable) {
		memcpy(p, page->changeable, page->bytes);
	}
	p[0] = page->code;
	p[1] = page->bytes - 2;
	return page->bytes;
}

static size_t put_pages(const struct scsi_device *dev, uint8_t code,
			enum spc_mode_pc pc, uint8_t *p)
{
	const struct spc_device_type *type = spc_device_type(dev);
	size_t n = 0;

	for (size_t i = 0; i < type->nr_mode; i++)
		if (code == ALL_PAGES || code == type->mode[i].code)
			n += spc_mode_put(dev, &type->mode[i], pc, p + n);
	return n;
}

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
	uint8_t d[DATA_MAX] = { 0 };
	size_t n = header, descriptors = 0;

	if (pc == SPC_MODE_SAVED)
		return scsi_task_fail(t, SCSI_SENSE_SAVING_PARAMETERS_NOT_SUPPORTED);
	if (subcode && subcode != ALL_SUBPAGES)
		return scsi_task_fail_cdb(t, 3, -1);
	if (code != ALL_PAGES && !spc_mode_find(t->dev, code))
		return scsi_task_fail_cdb(t, 2, 5);
	if (type->has_blocks && !(t->cdb[1] & DBD))
		descriptors = put_block_descriptor(t->dev, long_lba, d + n);
	n += descriptors;
	n += put_pages(t->dev, code, pc, d + n);
	if (header == HEADER_6) {
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
