/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/mode.h - mode pages as bytes, for MODE SENSE and MODE SELECT. */
#pragma once
#include "spc/spc.h"

struct scsi_device_page;

#define SPC_MODE_ALL_PAGES	0x3f
#define SPC_MODE_ALL_SUBPAGES	0xff
#define SPC_MODE_SPF		0x40	/* byte 0 of a page: it has a subpage code */
#define SPC_MODE_PAGES_MAX	40	/* of the type and of the user */

enum spc_mode_pc {		/* PAGE CONTROL, SPC-4 r37 6.13.1 */
	SPC_MODE_CURRENT,
	SPC_MODE_CHANGEABLE,
	SPC_MODE_DEFAULT,
	SPC_MODE_SAVED,
};

/* A page that a device has: its type's row, unless the user gave it contents. */
struct spc_mode_ref {
	uint8_t code, subcode;
	uint8_t bytes;				/* with its header */
	const struct spc_mode_page *page;	/* NULL: of the user */
	const struct scsi_device_page *user;	/* valid for this turn */
};

/*
 * The pages that @code and @subcode (or "all" of them) name, in the order in which
 * MODE SENSE gives them.  Returns how many; 0: no such page.
 */
unsigned int spc_mode_find(const struct scsi_device *dev, uint8_t code, uint8_t subcode,
			   struct spc_mode_ref ref[SPC_MODE_PAGES_MAX]);

/* Write the whole page; returns its bytes, SPC_MODE_PAGE_MAX at most. */
size_t spc_mode_put(const struct scsi_device *dev, const struct spc_mode_ref *ref,
		    enum spc_mode_pc pc, uint8_t *p);
