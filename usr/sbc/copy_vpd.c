/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sbc/copy_vpd.c - the Third-party Copy VPD page (8Fh), SPC-4 r37 7.8.17 and, for
 * its block device descriptor, SBC-3 r36 6.5.6.  What it says is what EXTENDED COPY
 * and the token commands enforce.
 */
#include <string.h>
#include "base/be.h"
#include "base/macros.h"
#include "lu/lu.h"
#include "scsi/device.h"
#include "scsi/rod.h"
#include "sbc/handlers.h"
#include "sbc/odx.h"
#include "spc/xcopy.h"

/* A descriptor at @p, zeroed: type and length, which is filled up to whole words.
 * Returns where the next one goes. */
static uint8_t *put(uint8_t *p, unsigned int type, size_t body_bytes)
{
	const size_t n = ROUND_UP(body_bytes, (size_t)4);

	be_store(p, 2, type);
	be_store(p + 2, 2, n);
	return p + 4 + n;
}

/* Block device ROD token limits, SBC-3 r36 6.5.6.3: what Windows looks for. */
static uint8_t *put_limits(const struct lu_geometry *g, uint8_t *p)
{
	be_store(p + 10, 2, SCSI_ROD_RANGES_MAX);
	be_store(p + 12, 4, SCSI_ROD_TIMEOUT_MAX_S);
	be_store(p + 16, 4, SCSI_ROD_TIMEOUT_S);
	be_store(p + 20, 8, SBC_ODX_BYTES_MAX >> g->block_exp);
	be_store(p + 28, 8, SBC_ODX_BYTES_OPTIMAL >> g->block_exp);
	return put(p, 0x0000, 0x20);
}

struct listing {
	uint8_t *p, *start;
	uint8_t *sas;		/* the count of the opcode's service actions */
	uint8_t opcode;
};

static void put_command(const struct scsi_command *cmd, void *arg)
{
	struct listing *l = arg;

	if (cmd->opcode != 0x83 && cmd->opcode != 0x84)
		return;
	if (cmd->opcode != l->opcode) {
		l->opcode = cmd->opcode;
		*l->p++ = cmd->opcode;
		l->sas = l->p++;
	}
	*l->p++ = (uint8_t)cmd->sa;
	++*l->sas;
}

/* Supported commands, 7.8.17.5: from the table that dispatches them. */
static uint8_t *put_commands(const struct scsi_device *dev, uint8_t *p)
{
	struct listing l = { .p = p + 5, .start = p };

	scsi_device_type_each_command(dev->type, put_command, &l);
	p[4] = (uint8_t)(l.p - p - 5);
	return put(p, 0x0001, (size_t)(l.p - p - 4));
}

/* Parameter data, 7.8.17.6. */
static uint8_t *put_parameters(uint8_t *p)
{
	be_store(p + 8, 2, SPC_XCOPY_CSCDS_MAX);
	be_store(p + 10, 2, SPC_XCOPY_SEGMENTS_MAX);
	be_store(p + 12, 4, SPC_XCOPY_LIST_MAX);
	return put(p, 0x0004, 0x1c);
}

/* Supported descriptors, 7.8.17.7, and CSCD descriptor identifiers, 7.8.17.8. */
static uint8_t *put_descriptors(uint8_t *p)
{
	p[4] = 3;
	p[5] = SPC_XCOPY_BLOCK_TO_BLOCK;
	p[6] = SPC_XCOPY_BYTES_TO_BYTES;
	p[7] = SPC_XCOPY_CSCD_ID;
	p = put(p, 0x0008, 4);
	be_store(p + 4, 2, 2);
	be_store(p + 6, 2, SPC_XCOPY_SELF);
	return put(p, 0x000c, 4);
}

/* ROD token features, 7.8.17.9, with the block device specific ones, 7.8.17.10. */
static uint8_t *put_features(uint8_t *p)
{
	uint8_t *const d = p + 48;

	/* REMOTE TOKENS 0: those of this copy manager only. */
	be_store(p + 20, 4, SCSI_ROD_LIFETIME_S);
	be_store(p + 24, 4, SCSI_ROD_TIMEOUT_MAX_S);
	be_store(p + 46, 2, 48);
	be_store(d + 2, 2, 0x2c);
	be_store(d + 8, 8, SBC_ODX_BYTES_MAX);
	be_store(d + 16, 8, SBC_ODX_BYTES_OPTIMAL);
	return put(p, 0x0106, 44 + 48);
}

/* Supported ROD types, 7.8.17.11.  The one that is made is preferred. */
static uint8_t *put_types(uint8_t *p)
{
	uint8_t *d = p + 8;

	be_store(p + 6, 2, 2 * 64);
	be_store(d, 4, SCSI_ROD_PIT_CHANGE_VULNERABLE);
	d[4] = 0x03;			/* TOKEN_IN, TOKEN_OUT; not of EXTENDED COPY */
	be_store(d + 6, 2, 0x8000);
	d += 64;
	be_store(d, 4, SCSI_ROD_ZERO);
	d[4] = 0x02;			/* TOKEN_IN */
	return put(p, 0x0108, 4 + 2 * 64);
}

/* General copy operations, 7.8.17.12. */
static uint8_t *put_operations(uint8_t *p)
{
	be_store(p + 4, 4, SCSI_COPY_RUNNING_MAX);
	be_store(p + 8, 4, SCSI_COPY_RECORDS_MAX);
	be_store(p + 12, 4, SPC_XCOPY_SEGMENT_BYTES_MAX);
	p[16] = 9;
	return put(p, 0x8001, 0x20);
}

/* Held data, 7.8.17.14: none. */
static uint8_t *put_held(uint8_t *p)
{
	return put(p, 0xc001, 0x1c);
}

size_t sbc_copy_vpd_fill(const struct scsi_task *t, uint8_t *p)
{
	uint8_t *const start = p;

	p = put_limits(lu_geometry(t->dev->lu), p);
	p = put_commands(t->dev, p);
	p = put_parameters(p);
	p = put_descriptors(p);
	p = put_features(p);
	p = put_types(p);
	p = put_operations(p);
	p = put_held(p);
	return (size_t)(p - start);
}
