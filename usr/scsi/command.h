/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/command.h - a row of a command table.  A row drives dispatch, CDB
 * length, reserved-bit rejection with a field pointer, the transfer length, the
 * range check, write protection, reservation conflicts, REPORT SUPPORTED
 * OPERATION CODES and doc/supported-commands.md.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "scsi/task.h"

enum scsi_data { SCSI_DATA_NONE, SCSI_DATA_IN, SCSI_DATA_OUT };

/* What the length field counts. */
enum scsi_unit { SCSI_UNIT_NONE, SCSI_UNIT_BYTES, SCSI_UNIT_BLOCKS };

/* Under somebody else's persistent reservation (SPC-4 r37 table 65, SBC-4 r22 table
 * 13): where all may read, where only some may read, or never. */
enum scsi_pr {
	SCSI_PR_CONFLICTS, SCSI_PR_ALWAYS, SCSI_PR_READS, SCSI_PR_WRITES,
	SCSI_PR_PREVENT,	/* PREVENT ALLOW MEDIUM REMOVAL: to allow is harmless */
	SCSI_PR_START,		/* START STOP UNIT: so is to start */
};

/* The least asymmetric access state in which it runs (SPC-4 r37 5.16.2.4). */
enum scsi_access {
	SCSI_ACCESS_ACTIVE,
	SCSI_ACCESS_STANDBY,	/* in standby as well */
	SCSI_ACCESS_ANY,	/* even unavailable, offline or in transition */
};

#define SCSI_CMD_NO_UA		0x01U	/* runs before a unit attention is told */
#define SCSI_CMD_ANY_LUN	0x02U	/* answers for a LUN that does not exist */
#define SCSI_CMD_NO_MEDIUM	0x04U	/* runs while stopped or without medium */
#define SCSI_CMD_WRITES		0x08U	/* refused on a write-protected medium */
#define SCSI_CMD_RANGE		0x10U	/* lba and nr must lie on the medium */
#define SCSI_CMD_THIN		0x20U	/* only where the LU is thin provisioned */
#define SCSI_CMD_UNRESERVED	0x40U	/* runs under somebody's RESERVE (SPC-2 5.5.1) */
#define SCSI_CMD_REPAIRS	0x80U	/* runs after a SANITIZE or FORMAT UNIT that failed */
#define SCSI_CMD_KEEPS		0x100U	/* only where there is a state directory */
#define SCSI_CMD_ATOMIC		0x200U	/* only where the LU has atomic writes */

struct scsi_field {		/* bytes of the CDB, big-endian */
	uint8_t at, bytes;
};

struct scsi_command {
	const char *name;
	uint8_t opcode;
	bool has_sa;			/* .sa counts: byte 1 bits 4-0 (7Fh: bytes 8-9) */
	uint16_t sa;
	uint8_t cdb_bytes;
	uint16_t flags;			/* SCSI_CMD_* */
	uint16_t timeout_s;		/* nominal, for REPORT SUPPORTED OPERATION CODES */
	enum scsi_data data;
	enum scsi_unit unit;
	enum scsi_pr pr;
	enum scsi_access access;
	uint8_t tpgs;			/* SCSI_ALUA_*: the LU must have one of them; 0: any LU */
	struct scsi_field lba, len;
	uint8_t usage[SCSI_CDB_MAX];	/* CDB bits that we evaluate */

	/* Optional: set t->nr, t->want_bytes where the fields do not tell
	 * (READ(6) length 0, VERIFY without BYTCHK, WRITE SAME).  0, or a failure
	 * as scsi_task_fail() returned it. */
	enum scsi_status (*parse)(struct scsi_task *t);
	/* Data-Out, if any, is in t->data.  May return SCSI_PENDING. */
	enum scsi_status (*run)(struct scsi_task *t);
};
