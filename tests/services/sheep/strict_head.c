/* SPDX-License-Identifier: BSD-3-Clause */
/* strict_head.c - what can be said of a request by itself. */
#include <stdio.h>
#include <string.h>
#include "conn.h"
#include "gateway.h"
#include "inode.h"
#include "lock.h"
#include "request.h"
#include "strict.h"

#define FLAGS_CACHE_DIRECT 0x0cU /* mean nothing today, are allowed */

static void check_flags(const struct request *r)
{
	const bool has = r->flags & FLAG_WRITE;
	uint16_t known = FLAG_WRITE | FLAGS_CACHE_DIRECT;

	if (has != r->op->has_payload &&
	    (r->op->code != OP_RELEASE_VDI || !r->payload_bytes))
		strict_breach(r, "write-flag",
			      has ? "there may be no payload" :
				    "the payload is not announced");
	if (r->op->is_object)
		known |= FLAG_TGT;
	if (r->op->code == OP_CREATE)
		known |= FLAG_COW;
	if (r->flags & ~known)
		strict_breach(r, "flags", "flags 0x%x mean nothing here",
			      r->flags & ~known);
}

static bool is_zero(const void *p, size_t bytes)
{
	const uint8_t *b = p;

	while (bytes && !b[bytes - 1])
		bytes--;
	return !bytes;
}

/* Fields that nothing reads are zero, so that they can get a meaning. */
static void check_unused(const struct request *r)
{
	const struct wire_object_part *o = &r->head.obj;
	const struct wire_vdi_part *v = &r->head.vdi;
	bool zero = is_zero(&r->head.epoch, sizeof(r->head.epoch));

	if (r->op->is_object)
		zero &= !o->copy_policy && !o->ec_index && !o->reserved &&
			is_zero(&o->target_epoch, sizeof(o->target_epoch)) &&
			is_zero(&o->pad, sizeof(o->pad));
	else
		zero &= is_zero(&v->pad, sizeof(v->pad));
	if (!zero)
		strict_breach(r, "zero", "an unused field is not");
}

static void check_copies(const struct request *r)
{
	const struct wire_inode *inode = inode_get(oid_vid(r->oid));

	if (r->head.obj.copies &&
	    (!inode || r->head.obj.copies != inode->nr_copies))
		strict_breach(r, "copies", "%u, neither 0 nor those of the VDI",
			      r->head.obj.copies);
}

static void check_range(const struct request *r)
{
	const uint64_t end = (uint64_t)r->offset + r->data_bytes;
	const bool changes = r->op->has_payload;

	if (r->data_bytes > WIRE_MAX_BYTES)
		strict_breach(r, "huge", "no object is that large");
	if (oid_is_data(r->oid) && end > inode_object_bytes(oid_vid(r->oid)))
		strict_breach(r, "object-size", "it ends at %llu",
			      (unsigned long long)end);
	if (oid_is_inode(r->oid) &&
	    end > (changes ? WIRE_REFS_AT : WIRE_INODE_BYTES))
		strict_breach(r, changes ? "inode-refs" : "object-size",
			      "it ends at %llu", (unsigned long long)end);
}

static bool is_padded(const uint8_t *name)
{
	const size_t n = strnlen((const char *)name, WIRE_NAME_BYTES);

	return n < WIRE_NAME_BYTES && is_zero(name + n, WIRE_NAME_BYTES - n);
}

static void check_names(const struct request *r)
{
	const uint32_t wanted = r->op->code == OP_NEW_VDI ? WIRE_NAME_BYTES :
							    2 * WIRE_NAME_BYTES;

	if (r->payload_bytes != wanted) {
		strict_breach(r, "names", "the payload has %u bytes, not %u",
			      r->payload_bytes, wanted);
		return;
	}
	for (uint32_t at = 0; at < wanted; at += WIRE_NAME_BYTES)
		if (!is_padded(r->payload + at))
			strict_breach(r, "names", "not padded with zeros");
	if (!r->payload[0])
		strict_breach(r, "names", "an empty name");
	if (wanted > WIRE_NAME_BYTES && r->payload[WIRE_NAME_BYTES] &&
	    le32_get(r->head.vdi.snapid))
		strict_breach(r, "names", "both a tag and a number");
	if (r->op->code == OP_LOCK_VDI &&
	    le32_get(r->head.vdi.lock_type) > LOCK_SHARED)
		strict_breach(r, "names", "there is no such type of lock");
}

/* The coherence of maps is for those who share a lock, and only they need it. */
static void check_tgt(const struct request *r)
{
	const bool shares =
		lock_shared_by(oid_vid(r->oid), r->conn->gateway->node);
	const bool has = r->flags & FLAG_TGT;

	if (!lock_enabled() || !(oid_is_data(r->oid) || request_is_slots(r)) ||
	    inode_is_snapshot(oid_vid(r->oid)))
		return;
	if (has && !lock_held(oid_vid(r->oid)))
		strict_breach(r, "tgt-flag",
			      "it is there without a shared lock");
	if (!has && shares && r->op->code != OP_DISCARD)
		strict_breach(r, "tgt-flag",
			      "it is missing, a shared lock is held");
}

void strict_head_check(const struct request *r)
{
	if (r->head.proto_ver != 1)
		strict_breach(r, "version", "%u instead of 1",
			      r->head.proto_ver);
	if (!r->op || r->op->code == OP_REMOVE) {
		strict_breach(r, "opcode", "not for clients");
		return;
	}
	check_flags(r);
	check_unused(r);
	if (r->op->is_object) {
		check_copies(r);
		check_range(r);
		check_tgt(r);
	} else if (r->op->has_payload) {
		check_names(r);
	}
}
