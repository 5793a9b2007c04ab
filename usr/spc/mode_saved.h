/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/mode_saved.h - what of the mode pages can change, SPC-4 r37 5.10: each such
 * setting is a bit, SCSI_DEVICE_MODE_*, and all of them can be saved.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct lu_keep;
struct lu_keep_value;
struct scsi_device;
struct spc_mode_page;

/* Which settings are in a page; and of these, in *ret_on, which are 1 there.  @page is
 * the whole of it. */
unsigned int spc_mode_saved_of(uint8_t code, uint8_t subcode, const uint8_t *page,
			       unsigned int *ret_on);
/* Write the settings of @which to the page that has them. */
void spc_mode_saved_to(uint8_t code, uint8_t subcode, uint8_t *page, unsigned int which,
		       unsigned int on);

/* The page has settings, and they could be saved now. */
bool spc_mode_saved_can(const struct scsi_device *dev, const struct spc_mode_page *page);

/* Those that were saved; and of these, in *ret_on, which are to be 1. */
unsigned int spc_mode_saved(struct lu_keep *k, unsigned int *ret_on);
/* How all of them are kept: as the pages that MODE SELECT would send. */
void spc_mode_saved_format(struct lu_keep_value *ret_v, unsigned int on);
