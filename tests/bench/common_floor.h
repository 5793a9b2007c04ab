/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor.h - the least that a block server can do: 48 bytes ask for 4 KiB, the
 * answer is the same 48 bytes and the data; 48 bytes and 4 KiB ask for a write,
 * the answer is the 48 bytes.  What a target costs beyond it is what iSCSI and
 * SCSI cost.
 *
 * The header is laid out like a BHS, so that the client shares its parser:
 * the tag at 16, the offset in bytes at 32.
 */
#pragma once
#include "common_conn.h"

#define BENCH_FLOOR_BYTES 4096u

struct bench_floor_header {
	uint8_t write; /* 0 or 1 */
	uint8_t unused[15];
	be32 tag;
	uint8_t unused2[12];
	be64 off_bytes;
	uint8_t unused3[8];
};
static_assert(sizeof(struct bench_floor_header) == 48,
	      "as long as an iSCSI header");

extern const struct bench_proto bench_floor_proto;
