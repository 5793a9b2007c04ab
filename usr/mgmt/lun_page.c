/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_page.c - see lun_page.h. */
#include "mgmt/lun_page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "mgmt/lun_params.h"

#define PAGE_BYTES_MAX	(sizeof(((struct scsi_device_page *)NULL)->b))
#define PAGE_CACHING	0x08
#define PAGE_CONTROL	0x0a

struct reason {
	char *why;
	size_t bytes;
};

static int PRINTF_LIKE(2, 3) because(struct reason *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, r->bytes, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Another page than those that do something: shown as it is given (of 0 bytes: no
 * longer). */
static int set_user_page(struct scsi_device_config *g, const uint8_t *b, struct reason *r)
{
	unsigned int i = 0;

	while (i < g->nr_pages &&
	       !(g->pages[i].code == b[0] && g->pages[i].subcode == b[1]))
		i++;
	if (!b[2]) {
		if (i < g->nr_pages) {
			g->pages[i] = g->pages[--g->nr_pages];
			memset(&g->pages[g->nr_pages], 0, sizeof(g->pages[0]));
		}
		return 0;
	}
	if (i == SCSI_DEVICE_PAGES_MAX)
		return because(r, "a logical unit shows at most %d pages of the user's",
			       SCSI_DEVICE_PAGES_MAX);
	g->pages[i] = (struct scsi_device_page){ .code = b[0], .subcode = b[1],
						 .bytes = b[2] };
	memcpy(g->pages[i].b, b + 3, b[2]);
	if (i == g->nr_pages)
		g->nr_pages++;
	return 0;
}

/* @b: code, subcode, length and bytes. */
static int parse(const char *value, uint8_t b[3 + PAGE_BYTES_MAX], struct reason *r)
{
	char text[256], *rest = text, *item;
	size_t n = 0;

	if (strlen(value) >= sizeof(text))
		return because(r, "is too long");
	text_copy(text, sizeof(text), value);
	while ((item = strsep(&rest, ":"))) {
		uint64_t v;

		if (n == 3 + PAGE_BYTES_MAX)
			return because(r, "a page has at most %zu bytes", PAGE_BYTES_MAX);
		if (parse_u64(item, 0, 255, &v) < 0)
			return because(r, "must be page:subpage:length:byte:..., each 0 to 255");
		b[n++] = (uint8_t)v;
	}
	if (n < 3 || b[2] != n - 3)
		return because(r, "the length must be the number of bytes that follow it");
	if (b[0] >= 0x3f || b[1] == 0xff)
		return because(r, "page %u:%u is no page; 0:0 to 62:254 are", b[0], b[1]);
	return 0;
}

int mgmt_lun_page_set(struct mgmt_lun_change *c, const char *value, char *why,
		      size_t why_bytes)
{
	struct reason r = { why, why_bytes };
	uint8_t b[3 + PAGE_BYTES_MAX] = { 0 };

	if (parse(value, b, &r) < 0)
		return -EINVAL;
	if (b[0] == PAGE_CACHING && !b[1]) {
		if (b[2] != 18)
			return because(&r, "page 8:0 (caching) has 18 bytes, not %u", b[2]);
		c->write_cache = !!(b[3] & 0x04);
		c->config.mode_fixed |= SCSI_DEVICE_MODE_WCE;
	} else if (b[0] == PAGE_CONTROL && !b[1]) {
		if (b[2] != 10)
			return because(&r, "page 10:0 (control) has 10 bytes, not %u", b[2]);
		c->config.sense_descriptor = !!(b[3] & 0x04);
		c->config.swp = !!(b[5] & 0x08);
		c->config.mode_fixed |= SCSI_DEVICE_MODE_D_SENSE | SCSI_DEVICE_MODE_SWP;
	} else {
		return set_user_page(&c->config, b, &r);
	}
	return 0;
}

json_t *mgmt_lun_page_get(const struct mgmt_lun_change *c)
{
	const struct scsi_device_config *g = &c->config;
	json_t *pages = json_array();
	char text[16 + 4 * PAGE_BYTES_MAX];

	if (g->swp) {
		snprintf(text, sizeof(text), "10:0:10:%d:0:8:0:0:0:0:0:0:0",
			 g->sense_descriptor ? 4 : 0);
		json_array_append_new(pages, json_string(text));
	}
	for (unsigned int i = 0; i < g->nr_pages; i++) {
		const struct scsi_device_page *page = &g->pages[i];
		int n = snprintf(text, sizeof(text), "%u:%u:%u", page->code, page->subcode,
				 page->bytes);

		for (unsigned int k = 0; k < page->bytes; k++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, ":%u", page->b[k]);
		json_array_append_new(pages, json_string(text));
	}
	return pages;
}
