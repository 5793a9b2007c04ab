/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire.h - what travels between a client and a sheep, and what an inode object
 * looks like.  All integers are little endian.
 */
#pragma once
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/le.h"

enum wire_op {
	OP_CREATE = 0x01,
	OP_READ = 0x02,
	OP_WRITE = 0x03,
	OP_REMOVE = 0x04,
	OP_DISCARD = 0x05,
	OP_NEW_VDI = 0x11,
	OP_LOCK_VDI = 0x12,
	OP_RELEASE_VDI = 0x13,
	OP_VDI_INFO = 0x14,
	OP_READ_VDIS = 0x15,
	OP_FLUSH_VDI = 0x16,
	OP_DEL_VDI = 0x17,
	OP_DEFAULTS = 0x18,
};

enum wire_flag {
	FLAG_WRITE = 0x01, /* a payload follows the header */
	FLAG_COW = 0x02,
	FLAG_TGT = 0x20,
};

enum wire_result {
	RES_SUCCESS = 0x00,
	RES_UNKNOWN = 0x01,
	RES_NO_OBJ = 0x02,
	RES_EIO = 0x03,
	RES_VDI_EXIST = 0x04,
	RES_INVALID_PARMS = 0x05,
	RES_SYSTEM_ERROR = 0x06,
	RES_VDI_LOCKED = 0x07,
	RES_NO_VDI = 0x08,
	RES_BASE_VDI_READ = 0x0c,
	RES_NO_TAG = 0x0e,
	RES_FULL_VDI = 0x13,
	RES_VER_MISMATCH = 0x14,
	RES_NO_SPACE = 0x15,
	RES_READONLY = 0x1a,
	RES_INODE_INVALIDATED = 0x1d,
};

struct wire_object_part {
	le64 oid;
	le64 cow_oid;
	uint8_t copies;
	uint8_t copy_policy;
	uint8_t ec_index;
	uint8_t reserved;
	le32 target_epoch;
	le32 offset;
	le32 pad;
};

struct wire_vdi_part {
	le64 vdi_bytes;
	le32 base_vid;
	uint8_t copies;
	uint8_t copy_policy;
	uint8_t store_policy;
	uint8_t block_size_shift;
	le32 snapid;
	le32 lock_type;
	le64 pad;
};

struct wire_request {
	uint8_t proto_ver;
	uint8_t op;
	le16 flags;
	le32 epoch;
	le32 id;
	le32 data_bytes;
	union {
		struct wire_object_part obj;
		struct wire_vdi_part vdi;
		uint8_t raw[32];
	};
};
static_assert(sizeof(struct wire_request) == 48, "framing");

struct wire_reply {
	uint8_t proto_ver;
	uint8_t op;
	le16 flags;
	le32 epoch;
	le32 id;
	le32 data_bytes;
	le32 result;
	union {
		struct {
			uint8_t zero[4];
			le32 vid;
			le32 attr_id;
			uint8_t copies;
			uint8_t block_size_shift;
			uint8_t unused[14];
		} vdi;
		struct {
			uint8_t copies;
			uint8_t copy_policy;
			uint8_t block_size_shift;
			uint8_t unused[25];
		} defaults;
	};
};
static_assert(sizeof(struct wire_reply) == 48, "framing");

#define WIRE_NAME_BYTES 256 /* of a name, and of a tag */
#define WIRE_VDIS_BYTES (2 << 20)
#define WIRE_MAX_BYTES	(16 << 20) /* more in one request is no client's */
#define WIRE_VID_MAX	0xffffffU

/* --- the inode object --- */

struct wire_inode {
	char name[WIRE_NAME_BYTES]; /* empty: a deleted VDI */
	char tag[WIRE_NAME_BYTES];
	le64 ctime;	/* seconds << 32 | nanoseconds */
	le64 snap_time; /* 0: a working VDI */
	le64 vm_clock;
	le64 vdi_bytes;
	le64 vm_state_bytes;
	uint8_t copy_policy;
	uint8_t store_policy; /* 0 flat map, 1 hypervolume */
	uint8_t nr_copies;
	uint8_t block_size_shift;
	le32 snap_id;
	le32 vid;
	le32 parent_vid;
	le32 btree_counter;
	uint8_t unused[4092];
};
static_assert(sizeof(struct wire_inode) == 4664, "where the slots begin");

#define WIRE_NR_SLOTS	 (1U << 20)
#define WIRE_SLOTS_AT	 4664U
#define WIRE_REFS_AT	 4198968U /* the sheep's own reference counts */
#define WIRE_INODE_BYTES 12587576U

/* --- object ids --- */

#define OID_INODE	 (1ULL << 63)
#define OID_SPECIAL	 0xff00000000000000ULL /* inode, VM state, ... */

static inline uint64_t oid_data(uint32_t vid, uint32_t index)
{
	return (uint64_t)vid << 32 | index;
}

static inline uint64_t oid_inode(uint32_t vid)
{
	return OID_INODE | (uint64_t)vid << 32;
}

static inline uint32_t oid_vid(uint64_t oid)
{
	return (uint32_t)(oid >> 32) & WIRE_VID_MAX;
}

static inline uint32_t oid_index(uint64_t oid)
{
	return (uint32_t)oid;
}

static inline bool oid_is_data(uint64_t oid)
{
	return !(oid & OID_SPECIAL);
}

static inline bool oid_is_inode(uint64_t oid)
{
	return (oid & OID_SPECIAL) == OID_INODE;
}
