/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_wire.c - headers are made, results are judged. */
#include "bs_sheepdog_wire.h"

#include <errno.h>
#include <stdio.h>
#include "base/macros.h"

struct sheep_header bs_sheepdog_wire_object(enum sheep_op op, uint16_t flags,
					    uint64_t oid, uint32_t off_bytes,
					    uint32_t bytes)
{
	return (struct sheep_header){
		.version = SHEEP_VERSION,
		.op = (uint8_t)op,
		.flags = le16_make(flags),
		.data_bytes = le32_make(bytes),
		.obj = { .oid = le64_make(oid),
			 .off_bytes = le32_make(off_bytes) },
	};
}

struct sheep_header bs_sheepdog_wire_copy(uint16_t flags, uint64_t oid,
					  uint64_t from_oid, uint32_t off_bytes,
					  uint32_t bytes)
{
	struct sheep_header h = bs_sheepdog_wire_object(
		SHEEP_CREATE, flags | SHEEP_FLAG_WRITE | SHEEP_FLAG_COW, oid,
		off_bytes, bytes);

	h.obj.cow_oid = le64_make(from_oid);
	return h;
}

struct sheep_header bs_sheepdog_wire_lookup(enum sheep_op op, uint32_t snapid,
					    enum sheep_lock_type type)
{
	return (struct sheep_header){
		.version = SHEEP_VERSION,
		.op = (uint8_t)op,
		.flags = le16_make(SHEEP_FLAG_WRITE),
		.data_bytes = le32_make(sizeof(struct sheep_names)),
		.vdi = { .snapid = le32_make(snapid),
			 .lock_type = le32_make(type) },
	};
}

struct sheep_header bs_sheepdog_wire_release(uint32_t vid,
					     enum sheep_lock_type type)
{
	return (struct sheep_header){
		.version = SHEEP_VERSION,
		.op = SHEEP_RELEASE_VDI,
		.vdi = { .base_vid = le32_make(vid),
			 .lock_type = le32_make(type) },
	};
}

/* --- results --- */

static const struct {
	uint32_t result;
	enum sheep_verdict verdict;
	int err;
	const char *words;
} results[] = {
	{ SHEEP_SUCCESS, SHEEP_DONE, 0, "success" },
	{ SHEEP_UNKNOWN, SHEEP_FAILED, -EIO, "unspecified failure" },
	{ SHEEP_NO_OBJ, SHEEP_RELOAD, -ENODATA, "no such object" },
	{ SHEEP_EIO, SHEEP_FAILED, -EIO, "disk error at the sheep" },
	{ SHEEP_VDI_EXIST, SHEEP_FAILED, -EEXIST,
	  "a VDI of this name exists already" },
	{ SHEEP_INVALID_PARMS, SHEEP_FAILED, -EIO, "invalid request" },
	{ SHEEP_SYSTEM_ERROR, SHEEP_FAILED, -EIO, "failure at the sheep" },
	{ SHEEP_VDI_LOCKED, SHEEP_FAILED, -EBUSY, "the VDI is locked" },
	{ SHEEP_NO_VDI, SHEEP_FAILED, -ENOENT, "no such VDI" },
	{ 0x09, SHEEP_FAILED, -EIO, "no such parent" },
	{ 0x0a, SHEEP_FAILED, -EIO, "the VDI's inode cannot be read" },
	{ 0x0b, SHEEP_FAILED, -EIO, "the VDI's inode cannot be written" },
	{ 0x0c, SHEEP_FAILED, -EIO, "the parent's inode cannot be read" },
	{ 0x0d, SHEEP_FAILED, -EIO, "the parent's inode cannot be written" },
	{ SHEEP_NO_TAG, SHEEP_FAILED, -ENOENT, "the VDI has no such snapshot" },
	{ SHEEP_STARTUP, SHEEP_RETRY, -EIO, "the sheep is starting" },
	{ 0x10, SHEEP_DONE, 0, "the VDI is not locked" },
	{ SHEEP_SHUTDOWN, SHEEP_RETRY, -EIO, "the cluster is being shut down" },
	{ SHEEP_NO_MEM, SHEEP_RETRY, -EIO, "the sheep has no memory left" },
	{ 0x13, SHEEP_FAILED, -ENOSPC, "the cluster can have no more VDIs" },
	{ 0x14, SHEEP_FAILED, -EPROTO,
	  "the sheep speaks another version of the protocol" },
	{ SHEEP_NO_SPACE, SHEEP_FAILED, -ENOSPC,
	  "no space left in the cluster" },
	{ SHEEP_WAIT_FOR_FORMAT, SHEEP_RETRY, -EIO,
	  "the cluster is not formatted (dog cluster format)" },
	{ SHEEP_WAIT_FOR_JOIN, SHEEP_RETRY, -EIO,
	  "nodes of the cluster are missing" },
	{ 0x18, SHEEP_FAILED, -EIO, "the sheep could not join the cluster" },
	{ SHEEP_HALT, SHEEP_RETRY, -EIO,
	  "too few zones: the cluster refuses writes" },
	{ SHEEP_READONLY, SHEEP_RELOAD, -EROFS,
	  "the object belongs to a snapshot" },
	{ 0x1b, SHEEP_FAILED, -EIO, "incomplete upload" },
	{ 0x1c, SHEEP_RETRY, -EIO, "the cluster's state is being collected" },
	{ SHEEP_INODE_INVALIDATED, SHEEP_RELOAD, -EIO,
	  "another gateway has changed the VDI" },
	{ 0x81, SHEEP_RETRY, -EIO, "the cluster has changed" },
	{ 0x82, SHEEP_RETRY, -EIO, "the cluster has changed" },
	{ 0x86, SHEEP_RETRY, -EIO, "network error between sheep" },
	{ 0x8d, SHEEP_RETRY, -EIO, "the sheep was killed" },
	{ 0x8f, SHEEP_RETRY, -EIO, "try again" },
	{ 0x95, SHEEP_RETRY, -EIO, "the cluster's state is being collected" },
};

static unsigned int row(uint32_t result)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(results); i++)
		if (results[i].result == result)
			return i;
	return 1; /* unspecified */
}

const char *bs_sheepdog_wire_words(uint32_t result, char *buf, size_t buf_bytes)
{
	snprintf(buf, buf_bytes, "%s (0x%02x)", results[row(result)].words,
		 result);
	return buf;
}

enum sheep_verdict bs_sheepdog_wire_verdict(uint32_t result)
{
	return results[row(result)].verdict;
}

int bs_sheepdog_wire_errno(uint32_t result)
{
	return results[row(result)].err;
}

/* --- inodes --- */

uint32_t bs_sheepdog_wire_slots(uint64_t size_bytes, unsigned int object_exp)
{
	const uint64_t n = (size_bytes >> object_exp) +
			   ((size_bytes & ((1ULL << object_exp) - 1)) != 0);

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

const char *bs_sheepdog_wire_check_inode(const struct sheep_inode *inode,
					 uint32_t vid)
{
	if (!inode->name[0])
		return "the VDI was deleted";
	if (le32_get(inode->vid) != vid)
		return "its inode is another VDI's";
	if (inode->store_policy != SHEEP_STORE_FLAT)
		return "it is a hypervolume (made with dog vdi create -y), which is not served; "
		       "make it without -y, with a larger object size if it is large";
	if (inode->object_exp < SHEEP_EXP_MIN ||
	    inode->object_exp > SHEEP_EXP_MAX)
		return "its inode has an object size that there is not";
	if (!le64_get(inode->size_bytes))
		return "its size is 0";
	if (bs_sheepdog_wire_slots(le64_get(inode->size_bytes),
				   inode->object_exp) > SHEEP_SLOTS)
		return "it is larger than its map can address (1,048,576 objects)";
	return NULL;
}
