/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_wire.h - what travels between a client and a sheep, and what an inode
 * object looks like.  A request is a header and, with the flag WRITE, data_bytes of
 * payload; a reply is a header and the data_bytes that it says.  All is little
 * endian.
 */
#pragma once
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/le.h"

#define SHEEP_VERSION	 1
#define SHEEP_NAME_BYTES 256	    /* of a VDI and of a tag, with the NUL */
#define SHEEP_VIDS_BYTES (1U << 21) /* the answer to READ_VDIS */

enum sheep_op {
	SHEEP_CREATE = 0x01,
	SHEEP_READ = 0x02,
	SHEEP_WRITE = 0x03,
	SHEEP_DISCARD = 0x05,
	SHEEP_NEW_VDI = 0x11,
	SHEEP_LOCK_VDI = 0x12,
	SHEEP_RELEASE_VDI = 0x13,
	SHEEP_GET_VDI_INFO = 0x14,
	SHEEP_READ_VDIS = 0x15,
	SHEEP_FLUSH_VDI = 0x16,
	SHEEP_DEL_VDI = 0x17,
	SHEEP_CLUSTER_DEFAULT = 0x18,
};

enum {
	SHEEP_FLAG_WRITE = 0x01, /* payload follows */
	SHEEP_FLAG_COW = 0x02,	 /* CREATE: the rest is cow_oid's */
	SHEEP_FLAG_TGT = 0x20, /* take part in the coherence of shared locks */
};

enum sheep_lock_type { SHEEP_LOCK_EXCLUSIVE = 0, SHEEP_LOCK_SHARED = 1 };

enum sheep_result {
	SHEEP_SUCCESS = 0x00,
	SHEEP_UNKNOWN = 0x01,
	SHEEP_NO_OBJ = 0x02,
	SHEEP_EIO = 0x03,
	SHEEP_VDI_EXIST = 0x04,
	SHEEP_INVALID_PARMS = 0x05,
	SHEEP_SYSTEM_ERROR = 0x06,
	SHEEP_VDI_LOCKED = 0x07,
	SHEEP_NO_VDI = 0x08,
	SHEEP_NO_TAG = 0x0e,
	SHEEP_STARTUP = 0x0f,
	SHEEP_SHUTDOWN = 0x11,
	SHEEP_NO_MEM = 0x12,
	SHEEP_NO_SPACE = 0x15,
	SHEEP_WAIT_FOR_FORMAT = 0x16,
	SHEEP_WAIT_FOR_JOIN = 0x17,
	SHEEP_HALT = 0x19,
	SHEEP_READONLY = 0x1a,
	SHEEP_INODE_INVALIDATED = 0x1d,
};

struct sheep_header { /* of a request */
	uint8_t version;
	uint8_t op;
	le16 flags;
	le32 epoch;
	le32 id;
	le32 data_bytes;
	union {
		struct {
			le64 oid;
			le64 cow_oid;
			uint8_t copies; /* 0: as the VDI has it */
			uint8_t copy_policy;
			uint8_t ec_index;
			uint8_t rsvd;
			le32 target_epoch;
			le32 off_bytes; /* in the object */
			le32 pad;
		} obj;
		struct {
			le64 size_bytes;
			le32 base_vid; /* NEW_VDI: parent; RELEASE_VDI: which */
			uint8_t copies;
			uint8_t copy_policy;
			uint8_t store_policy;
			uint8_t object_exp; /* 0: the cluster's default */
			le32 snapid;
			le32 lock_type;
			le64 pad;
		} vdi;
	};
};
static_assert(sizeof(struct sheep_header) == 48, "a request's header");

struct sheep_reply {
	uint8_t version;
	uint8_t op;
	le16 flags;
	le32 epoch;
	le32 id;
	le32 data_bytes;
	le32 result;
	uint8_t copies; /* CLUSTER_DEFAULT */
	uint8_t copy_policy;
	uint8_t object_exp;
	uint8_t pad;
	le32 vid; /* of VDI requests, on SUCCESS only */
	le32 attr_id;
	uint8_t rsvd[16];
};
static_assert(sizeof(struct sheep_reply) == 48, "a reply's header");

struct sheep_inode {
	char name[SHEEP_NAME_BYTES]; /* empty: a VDI that was deleted */
	char tag[SHEEP_NAME_BYTES];
	le64 created;
	le64 snapped; /* not 0: a snapshot */
	le64 vm_clock;
	le64 size_bytes;
	le64 vm_state_bytes;
	uint8_t copy_policy;
	uint8_t store_policy; /* 0: a flat map of slots */
	uint8_t copies;
	uint8_t object_exp;
	le32 snapid;
	le32 vid;
	le32 parent_vid;
	le32 btree_count;
	uint8_t unused[4092];
	/* le32 slots[SHEEP_SLOTS]: vid of the owner of object i; 0: never written */
};
static_assert(offsetof(struct sheep_inode, snapped) == 520,
	      "where a snapshot shows");
static_assert(offsetof(struct sheep_inode, size_bytes) == 536,
	      "what a resize writes");
static_assert(offsetof(struct sheep_inode, object_exp) == 555, "");
static_assert(sizeof(struct sheep_inode) == 4664, "where the slots begin");

#define SHEEP_SLOTS	  (1U << 20)
#define SHEEP_INODE_BYTES (sizeof(struct sheep_inode) + 4ULL * SHEEP_SLOTS)
#define SHEEP_STORE_FLAT  0
#define SHEEP_EXP_MIN	  9
#define SHEEP_EXP_MAX	  31

static inline uint64_t sheep_inode_oid(uint32_t vid)
{
	return 1ULL << 63 | (uint64_t)vid << 32;
}

static inline uint64_t sheep_data_oid(uint32_t vid, uint32_t index)
{
	return (uint64_t)vid << 32 | index;
}

static inline uint32_t sheep_slot_off(uint32_t index)
{
	return (uint32_t)sizeof(struct sheep_inode) + 4 * index;
}

/* Requests, all of the header but the id.  With SHEEP_FLAG_WRITE, @bytes are sent
 * after it; without, they are what the reply may have. */
struct sheep_header bs_sheepdog_wire_object(enum sheep_op op, uint16_t flags,
					    uint64_t oid, uint32_t off_bytes,
					    uint32_t bytes);
/* CREATE with the rest copied from object @from_oid. */
struct sheep_header bs_sheepdog_wire_copy(uint16_t flags, uint64_t oid,
					  uint64_t from_oid, uint32_t off_bytes,
					  uint32_t bytes);
/* LOCK_VDI, GET_VDI_INFO, DEL_VDI; followed by a struct sheep_names. */
struct sheep_header bs_sheepdog_wire_lookup(enum sheep_op op, uint32_t snapid,
					    enum sheep_lock_type type);
struct sheep_header bs_sheepdog_wire_release(uint32_t vid,
					     enum sheep_lock_type type);

struct sheep_names {
	char name[SHEEP_NAME_BYTES];
	char tag[SHEEP_NAME_BYTES];
};

/* What a client does about a result. */
enum sheep_verdict {
	SHEEP_DONE,
	SHEEP_RETRY,  /* it heals by itself */
	SHEEP_RELOAD, /* our map of the VDI is not what it was */
	SHEEP_FAILED,
};

/* For users: "no such VDI (0x08)". */
const char *bs_sheepdog_wire_words(uint32_t result, char *buf,
				   size_t buf_bytes);
enum sheep_verdict bs_sheepdog_wire_verdict(uint32_t result);
int bs_sheepdog_wire_errno(
	uint32_t result); /* 0 or -errno, as bs_complete() takes it */

/* Check an inode that was read for @vid; NULL if we can serve it, or what is wrong. */
const char *bs_sheepdog_wire_check_inode(const struct sheep_inode *inode,
					 uint32_t vid);
/* How many slots the size needs. */
uint32_t bs_sheepdog_wire_slots(uint64_t size_bytes, unsigned int object_exp);
