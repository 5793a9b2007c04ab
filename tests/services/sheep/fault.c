/* SPDX-License-Identifier: BSD-3-Clause */
/* fault.c - rules: parsing and matching. */
#include "fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "conn.h"
#include "gateway.h"
#include "request.h"

enum kind { ANY, DATA, INODE, SLOTS };

static const struct {
	const char *name;
	enum fault_what what;
	enum fault_where where;
} actions[] = {
	{ "die-before", FAULT_DIE, FAULT_BEFORE },
	{ "die-after", FAULT_DIE, FAULT_AFTER },
	{ "die-torn", FAULT_DIE, FAULT_TORN },
	{ "die-answered", FAULT_DIE, FAULT_ANSWERED },
	{ "close-before", FAULT_CLOSE, FAULT_BEFORE },
	{ "close-after", FAULT_CLOSE, FAULT_AFTER },
	{ "close-torn", FAULT_CLOSE, FAULT_TORN },
	{ "close-answered", FAULT_CLOSE, FAULT_ANSWERED },
	{ "hold", FAULT_HOLD, FAULT_BEFORE },
	{ "hold-after", FAULT_HOLD, FAULT_AFTER },
	{ "result", FAULT_RESULT, FAULT_BEFORE },
	{ "result-after", FAULT_RESULT, FAULT_AFTER },
	{ "late", FAULT_DELAY, FAULT_BEFORE },
	{ "delay", FAULT_DELAY, FAULT_AFTER },
	{ "mangle", FAULT_MANGLE, FAULT_AFTER },
};

static const struct {
	const char *name;
	uint32_t value;
} words[] = {
	{ "id", MANGLE_ID },
	{ "op", MANGLE_OP },
	{ "short", MANGLE_SHORT },
	{ "long", MANGLE_LONG },
	{ "UNKNOWN", 0x01 },
	{ "NO_OBJ", 0x02 },
	{ "EIO", 0x03 },
	{ "VDI_EXIST", 0x04 },
	{ "INVALID_PARMS", 0x05 },
	{ "SYSTEM_ERROR", 0x06 },
	{ "VDI_LOCKED", 0x07 },
	{ "NO_VDI", 0x08 },
	{ "NO_BASE_VDI", 0x09 },
	{ "VDI_READ", 0x0a },
	{ "VDI_WRITE", 0x0b },
	{ "BASE_VDI_READ", 0x0c },
	{ "BASE_VDI_WRITE", 0x0d },
	{ "NO_TAG", 0x0e },
	{ "STARTUP", 0x0f },
	{ "VDI_NOT_LOCKED", 0x10 },
	{ "SHUTDOWN", 0x11 },
	{ "NO_MEM", 0x12 },
	{ "FULL_VDI", 0x13 },
	{ "VER_MISMATCH", 0x14 },
	{ "NO_SPACE", 0x15 },
	{ "WAIT_FOR_FORMAT", 0x16 },
	{ "WAIT_FOR_JOIN", 0x17 },
	{ "JOIN_FAILED", 0x18 },
	{ "HALT", 0x19 },
	{ "READONLY", 0x1a },
	{ "INODE_INVALIDATED", 0x1d },
	{ "SUCCESS", 0x00 },
};

static struct list_head faults = LIST_HEAD_INIT(faults);

static bool parse_arg(const char *value, uint32_t *ret)
{
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].name, value)) {
			*ret = words[i].value;
			return true;
		}
	if (parse_u64(value, 0, UINT32_MAX, &n))
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool parse_action(struct fault *f, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, key) != 0)
			continue;
		f->what = actions[i].what;
		f->where = actions[i].where;
		return (f->what >= FAULT_RESULT) == !!value &&
		       (!value || parse_arg(value, &f->arg));
	}
	return false;
}

static bool parse_which(struct fault *f, const char *key, const char *value)
{
	const struct {
		const char *name;
		int64_t *to;
	} numbers[] = {
		{ "node", &f->gateway },
		{ "vid", &f->vid },
		{ "index", &f->index },
		{ "nth", (int64_t *)&f->nth },
		{ "count", (int64_t *)&f->count },
	};
	static const char *const kinds[] = {
		[DATA] = "data", [INODE] = "inode", [SLOTS] = "slots"
	};
	uint64_t n;

	for (int k = DATA; k <= SLOTS && !value; k++)
		if (!strcmp(kinds[k], key)) {
			f->kind = k;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && value; i++)
		if (!strcmp(numbers[i].name, key) &&
		    !parse_u64(value, 0, INT64_MAX, &n)) {
			*numbers[i].to = (int64_t)n;
			return true;
		}
	return false;
}

static bool parse(struct fault *f, char *text)
{
	char *key, *value;
	bool acts = false;

	key = strsep(&text, " ");
	f->op = op_of_name(key);
	if (!f->op && strcmp(key, "any") != 0)
		return false;
	while (parse_next_pair(&text, ' ', &key, &value)) {
		if (parse_which(f, key, value))
			continue;
		if (acts || !parse_action(f, key, value))
			return false;
		acts = true;
	}
	return acts;
}

const char *fault_add(const char *rule)
{
	char copy[sizeof((struct fault *)0)->text];
	struct fault *f;

	if (strlen(rule) >= sizeof(copy))
		return "the rule is too long";
	f = calloc(1, sizeof(*f));
	if (!f)
		return "no memory";
	*f = (struct fault){
		.gateway = -1, .vid = -1, .index = -1, .nth = 1, .count = 1
	};
	text_copy(f->text, sizeof(f->text), rule);
	text_copy(copy, sizeof(copy), rule);
	if (!parse(f, copy)) {
		free(f);
		return "that is no rule";
	}
	list_add_tail(&faults, &f->node);
	return NULL;
}

/* Requests may still refer to them, so they only stop matching. */
void fault_clear(void)
{
	struct fault *f;

	list_for_each(f, &faults, node) {
		f->nth = UINT64_MAX;
		f->text[0] = '\0';
	}
}

static bool has_kind(int kind, const struct request *r)
{
	switch (kind) {
	case DATA:
		return r->oid && oid_is_data(r->oid);
	case INODE:
		return oid_is_inode(r->oid);
	case SLOTS:
		return request_is_slots(r);
	default:
		return true;
	}
}

static bool is_about(const struct fault *f, const struct request *r)
{
	return (!f->op || f->op == r->op) && has_kind(f->kind, r) &&
	       (f->gateway == -1 || f->gateway == r->conn->gateway->node) &&
	       (f->vid == -1 || f->vid == oid_vid(r->oid)) &&
	       (f->index == -1 || f->index == oid_index(r->oid));
}

const struct fault *fault_match(const struct request *r)
{
	const struct fault *hit = NULL;
	struct fault *f;

	if (r->conn->gateway->lax)
		return NULL;
	list_for_each(f, &faults, node) {
		if (!is_about(f, r) || f->nth == UINT64_MAX)
			continue;
		f->seen++;
		if (!hit && f->seen >= f->nth &&
		    (!f->count || f->seen - f->nth < f->count))
			hit = f;
	}
	return hit;
}

void fault_list(char *text, unsigned int bytes)
{
	struct fault *f;
	int at = 0;

	*text = '\0';
	list_for_each(f, &faults, node)
		if (f->text[0] && at < (int)bytes - 160)
			at += snprintf(text + at, bytes - (unsigned int)at,
				       "%s: seen %" PRIu64 "\n", f->text,
				       f->seen);
}
