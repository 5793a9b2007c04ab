/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire.h - the iSCSI bytes that the load generator speaks (RFC 7143 11).
 *
 * Self-contained on purpose: a benchmark that shared the daemon's headers would
 * agree with the daemon's mistakes.
 */
#pragma once
#include <assert.h>
#include <stdint.h>

typedef struct {
	uint8_t b[2];
} be16;
typedef struct {
	uint8_t b[3];
} be24;
typedef struct {
	uint8_t b[4];
} be32;
typedef struct {
	uint8_t b[8];
} be64;

static inline uint32_t be24_get(be24 v)
{
	return (uint32_t)v.b[0] << 16 | (uint32_t)v.b[1] << 8 | v.b[2];
}

static inline be24 be24_make(uint32_t v)
{
	return (be24){ { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline uint32_t be32_get(be32 v)
{
	return (uint32_t)v.b[0] << 24 | (uint32_t)v.b[1] << 16 |
	       (uint32_t)v.b[2] << 8 | v.b[3];
}

static inline be32 be32_make(uint32_t v)
{
	return (be32){ { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
			 (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline be64 be64_make(uint64_t v)
{
	const be32 hi = be32_make((uint32_t)(v >> 32)),
		   lo = be32_make((uint32_t)v);

	return (be64){ { hi.b[0], hi.b[1], hi.b[2], hi.b[3], lo.b[0], lo.b[1],
			 lo.b[2], lo.b[3] } };
}

static inline uint64_t be64_get(be64 v)
{
	const be32 hi = { { v.b[0], v.b[1], v.b[2], v.b[3] } };
	const be32 lo = { { v.b[4], v.b[5], v.b[6], v.b[7] } };

	return (uint64_t)be32_get(hi) << 32 | be32_get(lo);
}

/*
 * Any Basic Header Segment.  The words from 20 on mean different things in
 * different PDUs, so they are named by offset:
 *
 *	       20     24      28         32        36       40      44
 * Command     EDTL   CmdSN   ExpStatSN  ------------ CDB ------------
 * Data-Out    TTT    -       ExpStatSN  -         DataSN   Offset  -
 * Response    SNACK  StatSN  ExpCmdSN   MaxCmdSN  ExpDataSN -      Residual
 * Data-In     TTT    StatSN  ExpCmdSN   MaxCmdSN  DataSN   Offset  Residual
 * R2T         TTT    StatSN  ExpCmdSN   MaxCmdSN  R2TSN    Offset  Length
 */
struct iscsi_bhs {
	uint8_t opcode; /* bit 6: Immediate */
	uint8_t flags;
	uint8_t b2; /* responses: iSCSI response code */
	uint8_t b3; /* responses: SCSI status */
	uint8_t ahs_words;
	be24 data_bytes;
	be64 lun; /* login: ISID(6) TSIH(2) */
	be32 itt;
	be32 w20;
	be32 w24;
	be32 w28;
	union {
		uint8_t cdb[16];
		struct {
			be32 w32;
			be32 w36;
			be32 w40;
			be32 w44;
		};
	};
};
static_assert(sizeof(struct iscsi_bhs) == 48, "RFC 7143 11.2.1");

enum {
	ISCSI_NOP_OUT = 0x00,
	ISCSI_COMMAND = 0x01,
	ISCSI_LOGIN = 0x03,
	ISCSI_DATA_OUT = 0x05,
	ISCSI_LOGOUT = 0x06,
	ISCSI_NOP_IN = 0x20,
	ISCSI_RESPONSE = 0x21,
	ISCSI_LOGIN_RSP = 0x23,
	ISCSI_DATA_IN = 0x25,
	ISCSI_LOGOUT_RSP = 0x26,
	ISCSI_R2T = 0x31,
	ISCSI_ASYNC = 0x32,
	ISCSI_REJECT = 0x3f,

	ISCSI_IMMEDIATE = 0x40,
	ISCSI_OPCODE_MASK = 0x3f,

	ISCSI_FINAL = 0x80,
	ISCSI_READ = 0x40,	  /* Command */
	ISCSI_WRITE = 0x20,	  /* Command */
	ISCSI_ATTR_SIMPLE = 0x01, /* Command */
	ISCSI_RESIDUAL = 0x06,	  /* Response, Data-In: O and U */
	ISCSI_STATUS = 0x01,	  /* Data-In: phase-collapsed status */
};

#define ISCSI_TAG_NONE 0xffffffffu
