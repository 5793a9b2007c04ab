/* SPDX-License-Identifier: BSD-3-Clause */
/* sbc/mode.c - mode pages of disks, SBC-3 r36 6.4. */
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "sbc/handlers.h"

#define WP	0x80
#define DPOFUA	0x10
#define WCE	0x04

/* Device-specific parameter, 6.4.1. */
uint8_t sbc_mode_parameter(const struct scsi_device *dev)
{
	return (scsi_device_writable(dev) ? 0 : WP) | DPOFUA;
}

/* Caching, 6.4.5. */
static void fill_caching(const struct scsi_device *dev, bool defaults, uint8_t *p)
{
	const bool wce = defaults ? lu_store_info(dev->lu)->write_cache :
				    atomic_load(&dev->lu->write_cache);

	p[2] = wce ? WCE : 0;
}

static const uint8_t caching_changeable[20] = { [2] = WCE };

/* Error recovery is all 0, 6.4.8 and 6.4.9: a store has its own ways. */
const struct spc_mode_page sbc_mode_pages[] = {
	{ .code = 0x01, .bytes = 12 },		/* read-write error recovery */
	{ .code = 0x02, .bytes = 16 },		/* disconnect-reconnect: no limits */
	{ .code = 0x07, .bytes = 12 },		/* verify error recovery */
	{ .code = 0x08, .bytes = 20, .fill = fill_caching,
	  .changeable = caching_changeable },
	SPC_MODE_CONTROL,
	SPC_MODE_CONTROL_EXTENSION,
	SPC_MODE_PROTOCOL_LUN,
	SPC_MODE_PROTOCOL_PORT,
	SPC_MODE_POWER_CONDITION,
	SPC_MODE_EXCEPTIONS,
};
const size_t sbc_mode_nr_pages = ARRAY_SIZE(sbc_mode_pages);
