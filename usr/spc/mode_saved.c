/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/mode_saved.c - a row per setting. */
#include "spc/mode_saved.h"

#include <string.h>
#include "base/macros.h"
#include "lu/keep.h"
#include "scsi/device.h"
#include "spc/spc.h"

static const struct setting {
	uint8_t code;
	uint8_t page_bytes;
	uint8_t at, mask;
	unsigned int bit;
} settings[] = {
	{ 0x08, 20, 2, 0x04, SCSI_DEVICE_MODE_WCE },
	{ 0x0a, 12, 2, 0x04, SCSI_DEVICE_MODE_D_SENSE },
	{ 0x0a, 12, 4, 0x08, SCSI_DEVICE_MODE_SWP },
};

unsigned int spc_mode_saved_of(uint8_t code, uint8_t subcode, const uint8_t *page,
			       unsigned int *ret_on)
{
	unsigned int which = 0;

	*ret_on = 0;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];

		if (s->code != code || subcode)
			continue;
		which |= s->bit;
		if (page[s->at] & s->mask)
			*ret_on |= s->bit;
	}
	return which;
}

void spc_mode_saved_to(uint8_t code, uint8_t subcode, uint8_t *page, unsigned int which,
		       unsigned int on)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];

		if (s->code != code || subcode || !(which & s->bit))
			continue;
		page[s->at] = (uint8_t)((page[s->at] & ~s->mask) | (on & s->bit ? s->mask : 0));
	}
}

bool spc_mode_saved_can(const struct scsi_device *dev, const struct spc_mode_page *page)
{
	return dev->lu && page && page->changeable && lu_keep_can();
}

unsigned int spc_mode_saved(struct lu_keep *k, unsigned int *ret_on)
{
	unsigned int which = 0, on;
	struct lu_keep_value v;

	*ret_on = 0;
	lu_keep_read(k, LU_KEEP_MODE, &v);
	for (size_t at = 0; at + 2 <= v.bytes; at += 2U + v.b[at + 1]) {
		const uint8_t *page = v.b + at;

		if (at + 2 + page[1] > v.bytes)
			break;
		for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
			if (settings[i].code == page[0] &&
			    settings[i].page_bytes == 2 + page[1]) {
				which |= spc_mode_saved_of(page[0], 0, page, &on);
				*ret_on |= on;
			}
	}
	return which;
}

void spc_mode_saved_format(struct lu_keep_value *ret_v, unsigned int on)
{
	uint8_t last = 0;

	memset(ret_v, 0, sizeof(*ret_v));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		uint8_t *page = ret_v->b + ret_v->bytes;

		if (settings[i].code == last)
			continue;
		last = settings[i].code;
		page[0] = last;
		page[1] = settings[i].page_bytes - 2;
		spc_mode_saved_to(last, 0, page, UINT32_MAX, on);
		ret_v->bytes += settings[i].page_bytes;
	}
}
