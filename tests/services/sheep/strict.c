/* SPDX-License-Identifier: BSD-3-Clause */
/* strict.c - the table of rules, and the record. */
#include "strict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "conn.h"
#include "gateway.h"
#include "request.h"

/* The section of the protocol's description that says so is in README.md. */
static struct {
	const char *name;
	bool allowed;
} rules[] = {
	{ "write-flag" },
	{ "version" },
	{ "opcode" },
	{ "flags" },
	{ "zero" },
	{ "huge" },
	{ "names" },
	{ "copies" },
	{ "object-size" },
	{ "inode-create" },
	{ "inode-header" },
	{ "inode-refs" },
	{ "id" },
	{ "overlap" },
	{ "overlap-read" },
	{ "alone" },
	{ "slot-order" },
	{ "create-exists" },
	{ "create-removed" },
	{ "cow-base" },
	{ "unslotted" },
	{ "slot-value" },
	{ "slot-unchanged" },
	{ "slot-range" },
	{ "discard" },
	{ "old-vid" },
	{ "tgt-flag" },
	{ "unlocked" },
	{ "clone-base" },
	{ "delete-mapped" },
};

static FILE *file;
static unsigned int nr_breaches;
static bool excused;

bool strict_init(const char *path)
{
	file = fopen(path, "ae");
	if (file)
		setlinebuf(file);
	return file;
}

bool strict_allow(const char *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].name, rule)) {
			rules[i].allowed = true;
			return true;
		}
	return false;
}

unsigned int strict_nr_breaches(void)
{
	return nr_breaches;
}

static bool is_recorded(const char *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].name, rule))
			return !rules[i].allowed;
	assert(!"a rule without a row");
	return true;
}

void strict_breach(const struct request *r, const char *rule, const char *fmt,
		   ...)
{
	va_list args;

	if (!is_recorded(rule))
		return;
	nr_breaches++;
	fprintf(file, "%s: ", rule);
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fprintf(file,
		" (%s op 0x%02x id %u flags 0x%x oid %016" PRIx64
		" offset %u length %u)\n",
		r->op ? r->op->name : "unknown", r->head.op,
		le32_get(r->head.id), r->flags, r->oid, r->offset,
		r->data_bytes);
}

void strict_excuse(void)
{
	excused = true;
}

bool strict_is_excused(void)
{
	return excused;
}

void strict_arrived(struct request *r)
{
	if (r->conn->gateway->lax)
		return;
	strict_head_check(r);
	strict_flight_add(r);
}

void strict_executes(const struct request *r)
{
	if (!r->conn->gateway->lax && r->op)
		strict_map_before(r);
}

/* What tools have made needs no slot of a client, but what it does to slots
 * counts. */
void strict_executed(const struct request *r)
{
	if (r->op)
		strict_map_after(r);
}

void strict_conn_ended(const struct conn *c)
{
	if (!c->gateway->lax && c->refs > 1)
		strict_excuse();
}

bool strict_framing_holds(const struct request *r)
{
	return !r->op || r->op->has_payload == !!(r->flags & FLAG_WRITE) ||
	       !r->data_bytes;
}

void strict_huge(struct conn *c, const struct wire_request *head)
{
	struct request r = { .conn = c,
			     .head = *head,
			     .op = op_of_code(head->op),
			     .flags = le16_get(head->flags),
			     .data_bytes = le32_get(head->data_bytes) };

	if (!c->gateway->lax)
		strict_breach(&r, "huge", "a payload that no object has");
}
