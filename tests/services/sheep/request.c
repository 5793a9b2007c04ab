/* SPDX-License-Identifier: BSD-3-Clause */
/* request.c - the table of requests, and what a VDI request does. */
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include "conn.h"
#include "gateway.h"
#include "lock.h"
#include "object.h"
#include "vdi.h"

uint32_t request_epoch = 1;

static void set_vdi(struct request *r, uint32_t vid)
{
	r->reply->vdi.vid = le32_make(vid);
	r->reply->vdi.copies = vdi_get_defaults()->copies;
	r->reply->vdi.block_size_shift = vdi_get_defaults()->block_size_shift;
	object_describe_vdi(vid, &r->reply->vdi.copies,
			    &r->reply->vdi.block_size_shift);
}

/* Name and tag.  256 bytes are taken, too: without a tag. */
static int names_of(const struct request *r, char name[WIRE_NAME_BYTES],
		    char tag[WIRE_NAME_BYTES])
{
	memset(tag, 0, WIRE_NAME_BYTES);
	if (r->payload_bytes != WIRE_NAME_BYTES &&
	    r->payload_bytes != 2 * WIRE_NAME_BYTES)
		return RES_INVALID_PARMS;
	memcpy(name, r->payload, WIRE_NAME_BYTES);
	if (r->payload_bytes == 2 * WIRE_NAME_BYTES)
		memcpy(tag, r->payload + WIRE_NAME_BYTES, WIRE_NAME_BYTES);
	return RES_SUCCESS;
}

static bool lookup(struct request *r, uint32_t *ret_vid)
{
	char name[WIRE_NAME_BYTES], tag[WIRE_NAME_BYTES];

	r->result = (uint32_t)names_of(r, name, tag);
	if (r->result == RES_SUCCESS)
		r->result = (uint32_t)vdi_find(
			name, tag, le32_get(r->head.vdi.snapid), ret_vid);
	return r->result == RES_SUCCESS;
}

static void run_info(struct request *r)
{
	uint32_t vid;

	if (lookup(r, &vid))
		set_vdi(r, vid);
}

static void run_lock(struct request *r)
{
	uint32_t vid;

	if (!lookup(r, &vid))
		return;
	r->result = (uint32_t)lock_take(vid, le32_get(r->head.vdi.lock_type),
					r->conn->gateway->node);
	if (r->result == RES_SUCCESS)
		set_vdi(r, vid);
}

static void run_release(struct request *r)
{
	lock_release(le32_get(r->head.vdi.base_vid),
		     le32_get(r->head.vdi.lock_type), r->conn->gateway->node);
}

static void run_new(struct request *r)
{
	uint32_t vid;

	if (r->payload_bytes != WIRE_NAME_BYTES) {
		r->result = RES_INVALID_PARMS;
		return;
	}
	r->result =
		(uint32_t)vdi_new((const char *)r->payload, &r->head.vdi, &vid);
	if (r->result == RES_SUCCESS)
		set_vdi(r, vid);
}

static void run_delete(struct request *r)
{
	uint32_t vid;

	if (lookup(r, &vid))
		r->result = (uint32_t)vdi_delete(vid);
}

static void run_vdis(struct request *r)
{
	uint8_t *bits;

	if (r->data_bytes < WIRE_VDIS_BYTES) {
		r->result = RES_INVALID_PARMS;
		return;
	}
	bits = request_reply_payload(r, WIRE_VDIS_BYTES);
	if (bits)
		vdi_bitmap(bits);
}

/* There is no cache: nothing to flush. */
static void run_flush(struct request *r)
{
	r->result = RES_INVALID_PARMS;
}

static void run_defaults(struct request *r)
{
	const struct vdi_defaults *d = vdi_get_defaults();

	r->reply->defaults.copies = d->copies;
	r->reply->defaults.copy_policy = d->copy_policy;
	r->reply->defaults.block_size_shift = d->block_size_shift;
}

const struct op ops[] = {
	{ "create", OP_CREATE, true, true, object_create },
	{ "read", OP_READ, true, false, object_read },
	{ "write", OP_WRITE, true, true, object_write },
	{ "remove", OP_REMOVE, true, false, object_remove },
	{ "discard", OP_DISCARD, true, false, object_discard },
	{ "new", OP_NEW_VDI, false, true, run_new },
	{ "lock", OP_LOCK_VDI, false, true, run_lock },
	{ "release", OP_RELEASE_VDI, false, false, run_release },
	{ "info", OP_VDI_INFO, false, true, run_info },
	{ "vdis", OP_READ_VDIS, false, false, run_vdis },
	{ "flush", OP_FLUSH_VDI, true, false, run_flush },
	{ "delete", OP_DEL_VDI, false, true, run_delete },
	{ "defaults", OP_DEFAULTS, false, false, run_defaults },
};
const unsigned int nr_ops = ARRAY_SIZE(ops);

const struct op *op_of_code(uint8_t code)
{
	for (unsigned int i = 0; i < nr_ops; i++)
		if (ops[i].code == code)
			return &ops[i];
	return NULL;
}

const struct op *op_of_name(const char *name)
{
	for (unsigned int i = 0; i < nr_ops; i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

struct request *request_new(struct conn *c, const struct wire_request *head,
			    uint8_t *payload, uint32_t payload_bytes)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r) {
		free(payload);
		return NULL;
	}
	list_init(&r->queue);
	list_init(&r->flight);
	r->conn = c;
	c->refs++;
	r->head = *head;
	r->payload = payload;
	r->payload_bytes = payload_bytes;
	r->op = op_of_code(head->op);
	r->flags = le16_get(head->flags);
	r->data_bytes = le32_get(head->data_bytes);
	if (r->op && r->op->is_object) {
		r->oid = le64_get(head->obj.oid);
		r->offset = le32_get(head->obj.offset);
	}
	return r;
}

void request_free(struct request *r)
{
	list_del(&r->queue);
	list_del(&r->flight);
	conn_put(r->conn);
	free(r->payload);
	free(r->reply);
	free(r);
}

void *request_reply_payload(struct request *r, uint32_t bytes)
{
	struct wire_reply *longer = realloc(r->reply, sizeof(*longer) + bytes);

	if (!longer) {
		r->result = RES_SYSTEM_ERROR;
		return NULL;
	}
	r->reply = longer;
	r->reply_bytes = bytes;
	return longer + 1;
}

static void run(struct request *r)
{
	if (r->head.proto_ver > 2)
		r->result = RES_VER_MISMATCH;
	else if (!r->op || r->op->has_payload != !!(r->flags & FLAG_WRITE))
		r->result = RES_INVALID_PARMS;
	else
		r->op->run(r);
}

static void fill_reply(struct request *r)
{
	if (r->result != RES_SUCCESS)
		r->reply_bytes = 0;
	r->reply->op = r->head.op;
	r->reply->epoch = le32_make(request_epoch);
	r->reply->id = r->head.id;
	r->reply->data_bytes = le32_make(r->reply_bytes);
	r->reply->result = le32_make(r->result);
}

void request_execute(struct request *r)
{
	r->executed = true;
	r->reply = calloc(1, sizeof(*r->reply));
	if (!r->reply)
		return;
	run(r);
	fill_reply(r);
}

void request_refuse(struct request *r, uint32_t result)
{
	if (!r->reply)
		r->reply = calloc(1, sizeof(*r->reply));
	r->executed = true;
	r->result = result;
	if (r->reply)
		fill_reply(r);
}

bool request_is_slots(const struct request *r)
{
	return r->op && r->op->code == OP_WRITE && oid_is_inode(r->oid) &&
	       r->payload_bytes && r->offset >= WIRE_SLOTS_AT &&
	       (uint64_t)r->offset + r->payload_bytes <= WIRE_REFS_AT;
}

uint32_t request_first_slot(const struct request *r)
{
	return (r->offset - WIRE_SLOTS_AT) / 4;
}

uint32_t request_nr_slots(const struct request *r)
{
	return (r->offset + r->payload_bytes - WIRE_SLOTS_AT + 3) / 4 -
	       request_first_slot(r);
}
