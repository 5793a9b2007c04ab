/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/inquiry.c - standard INQUIRY data, SPC-4 r37 6.6.2. */
#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "scsi/device.h"
#include "scsi/port.h"
#include "spc/handlers.h"
#include "spc/spc.h"

#define PQ_NO_UNIT	0x7f	/* qualifier 011b, device type 1Fh */
#define VERSION_SPC4	0x06
#define EVPD		0x01
#define MULTIP		0x10	/* byte 6 */

struct inquiry_data {
	uint8_t type;			/* PERIPHERAL QUALIFIER, DEVICE TYPE */
	uint8_t rmb;			/* bit 7 */
	uint8_t version;
	uint8_t format;			/* NORMACA, HISUP, RESPONSE DATA FORMAT */
	uint8_t additional_bytes;
	uint8_t sccs;			/* SCCS ACC TPGS 3PC PROTECT */
	uint8_t multip;			/* ENCSERV VS MULTIP */
	uint8_t cmdque;			/* bit 1 */
	uint8_t vendor[8];
	uint8_t product[16];
	uint8_t revision[4];
	uint8_t vendor_specific[20];
	uint8_t clocking[2];
	be16 version_descriptors[8];
	uint8_t rsvd[22];
};
static_assert(sizeof(struct inquiry_data) == 96, "SPC-4 r37 table 175");

/* Left-aligned ASCII, filled with blanks, 4.3.1. */
static void put_text(uint8_t *to, size_t bytes, const char *from)
{
	const size_t n = strnlen(from, bytes);

	memset(to, ' ', bytes);
	memcpy(to, from, n);
}

enum scsi_status spc_inquiry_run(struct scsi_task *t)
{
	const struct scsi_ports *ports = scsi_port_list();
	const struct scsi_device_config *c = t->dev ? scsi_device_config(t->dev) :
						      &scsi_device_default;
	struct inquiry_data d = {
		.type = t->dev ? t->dev->type->code : PQ_NO_UNIT,
		.rmb = c->removable ? 0x80 : 0,
		.version = VERSION_SPC4,
		.format = 0x10 | 0x02,
		.additional_bytes = sizeof(d) - 5,
		.sccs = t->dev ? (uint8_t)(atomic_load(&t->dev->tpgs) << 4) : 0, /* TPGS */
		.multip = ports && ports->n > 1 ? MULTIP : 0,
		.cmdque = 0x02,
	};

	if (t->cdb[1] & EVPD)
		return spc_vpd_run(t);
	if (t->cdb[2])
		return scsi_task_fail_cdb(t, 2, -1);
	put_text(d.vendor, sizeof(d.vendor), c->vendor_id);
	put_text(d.product, sizeof(d.product), c->product_id);
	put_text(d.revision, sizeof(d.revision), c->product_rev);
	/* 3PC: the commands of the Third-party Copy VPD page. */
	if (t->dev && t->dev->lu && spc_vpd_has(t->dev, 0x8f))
		d.sccs |= 0x08;
	if (t->dev)
		for (size_t i = 0; i < ARRAY_SIZE(d.version_descriptors); i++)
			d.version_descriptors[i] =
				be16_make(t->dev->type->version_descriptors[i]);
	return scsi_task_reply(t, &d, sizeof(d));
}
