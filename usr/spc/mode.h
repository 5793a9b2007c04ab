/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/mode.h - mode pages as bytes, for MODE SENSE and MODE SELECT. */
#pragma once
#include "spc/spc.h"

enum spc_mode_pc {		/* PAGE CONTROL, SPC-4 r37 6.13.1 */
	SPC_MODE_CURRENT,
	SPC_MODE_CHANGEABLE,
	SPC_MODE_DEFAULT,
	SPC_MODE_SAVED,
};

/* NULL: the device has no such page. */
const struct spc_mode_page *spc_mode_find(const struct scsi_device *dev, uint8_t code);

/* Write the whole page; returns its bytes. */
size_t spc_mode_put(const struct scsi_device *dev, const struct spc_mode_page *page,
		    enum spc_mode_pc pc, uint8_t *p);
