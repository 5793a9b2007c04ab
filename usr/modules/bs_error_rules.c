/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_error_rules.c - from --bsopts to rules, and the matching of a request. */
#include "bs_error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"

#define OPS_HELP "which requests: read, write, flush, ..., any, joined by '+'"
#define RULE_OPTIONS(n)								\
	{ .name = "op" n, .type = BS_OPT_TEXT, .help = OPS_HELP },		\
	{ .name = "at" n, .type = BS_OPT_SIZE, .help = "that touch this offset" }, \
	{ .name = "len" n, .type = BS_OPT_SIZE, .min = 1,			\
	  .help = "and this many bytes from there" },				\
	{ .name = "after" n, .type = BS_OPT_U64, .help = "let so many pass first" }, \
	{ .name = "count" n, .type = BS_OPT_U64, .help = "hit so many; 0: all" }, \
	{ .name = "error" n, .type = BS_OPT_TEXT, .help = "EIO, ENODATA, ENOSPC, ..." }, \
	{ .name = "delay" n, .type = BS_OPT_U64, .max = 3600000,		\
	  .help = "milliseconds to hold them" },				\
	{ .name = "hang" n, .type = BS_OPT_BOOL,				\
	  .help = "hold them until the control file is removed" },		\
	{ .name = "short" n, .type = BS_OPT_BOOL,				\
	  .help = "do the first half only, then fail" }

const struct bs_option bs_error_options[] = {
	{ .name = "opts", .type = BS_OPT_TEXT,
	  .help = "bsopts of the store beneath, with ',' for ';'" },
	{ .name = "control", .type = BS_OPT_TEXT,
	  .help = "rules apply only while this file exists" },
	{ .name = "reads_zero", .type = BS_OPT_BOOL, .fallback = "yes",
	  .help = "no: what was unmapped reads as anything" },
	{ .name = "compare", .type = BS_OPT_SIZE, .max = UINT32_MAX,
	  .help = "be shared with others, and compare and write so many bytes at once" },
	RULE_OPTIONS(""),
	RULE_OPTIONS("2"),
	RULE_OPTIONS("3"),
	RULE_OPTIONS("4"),
	{ 0 },
};

static const struct {
	const char *name;
	uint32_t ops;
} op_names[] = {
	{ "read", BS_OP_BIT(BS_READ) },
	{ "write", BS_OP_BIT(BS_WRITE) },
	{ "flush", BS_OP_BIT(BS_FLUSH) },
	{ "unmap", BS_OP_BIT(BS_UNMAP) },
	{ "write_zeroes", BS_OP_BIT(BS_WRITE_ZEROES) },
	{ "write_same", BS_OP_BIT(BS_WRITE_SAME) },
	{ "compare_and_write", BS_OP_BIT(BS_COMPARE_AND_WRITE) },
	{ "block_status", BS_OP_BIT(BS_BLOCK_STATUS) },
	{ "prefetch", BS_OP_BIT(BS_PREFETCH) },
	{ "any", UINT32_MAX },
};

static const struct {
	const char *name;
	int error;
} error_names[] = {
	{ "EIO", -EIO },	     { "ENODATA", -ENODATA },
	{ "ENOSPC", -ENOSPC },	     { "EROFS", -EROFS },
	{ "ENXIO", -ENXIO },	     { "ETIMEDOUT", -ETIMEDOUT },
	{ "EOPNOTSUPP", -EOPNOTSUPP }, { "ENOMEM", -ENOMEM },
};

static int parse_ops(const char *text, uint32_t *ret_ops)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *word;

	if (!copy)
		return -ENOMEM;
	*ret_ops = 0;
	while ((word = strsep(&rest, "+"))) {
		size_t i = 0;

		while (i < ARRAY_SIZE(op_names) && strcmp(word, op_names[i].name) != 0)
			i++;
		if (i == ARRAY_SIZE(op_names)) {
			bs_say("error: there is no operation '%s'", word);
			return -EINVAL;
		}
		*ret_ops |= op_names[i].ops;
	}
	return 0;
}

static int parse_error(const char *text, int *ret_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(error_names); i++)
		if (!strcmp(text, error_names[i].name)) {
			*ret_error = error_names[i].error;
			return 0;
		}
	bs_say("error: there is no error '%s'", text);
	return -EINVAL;
}

/* Options of rule @i have a number behind their names, but for the first. */
struct rule_params {
	const struct bs_params *p;
	char number[4];
	char name[16];
};

static const char *name_of(struct rule_params *r, const char *option)
{
	snprintf(r->name, sizeof(r->name), "%s%s", option, r->number);
	return r->name;
}

static bool rule_given(struct rule_params *r)
{
	static const char *const names[] = { "op",    "at",    "len",  "after", "count",
					     "error", "delay", "hang", "short" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (bs_param_is_set(r->p, name_of(r, names[i])))
			return true;
	return false;
}

static int parse_rule(struct error_rule *to, struct rule_params *r)
{
	const char *text;
	int err = 0;

	to->ops = UINT32_MAX;
	text = bs_param_text(r->p, name_of(r, "op"));
	if (text)
		err = parse_ops(text, &to->ops);
	text = bs_param_text(r->p, name_of(r, "error"));
	if (text && !err)
		err = parse_error(text, &to->error);
	if (err)
		return err;
	to->at = bs_param_u64(r->p, name_of(r, "at"));
	to->len = bs_param_u64(r->p, name_of(r, "len"));
	if (bs_param_is_set(r->p, name_of(r, "at")) && !to->len)
		to->len = 1;
	to->after = bs_param_u64(r->p, name_of(r, "after"));
	to->count = bs_param_u64(r->p, name_of(r, "count"));
	to->delay_ms = bs_param_u64(r->p, name_of(r, "delay"));
	to->hang = bs_param_bool(r->p, name_of(r, "hang"));
	to->cut = bs_param_bool(r->p, name_of(r, "short"));
	if (to->cut && !to->error)
		to->error = -EIO;
	return 0;
}

int bs_error_rules_parse(struct error_rules *to, const struct bs_params *p)
{
	for (unsigned int i = 0; i < ERROR_RULES_MAX; i++) {
		struct error_rule *rule = &to->v[to->n];
		struct rule_params r = { .p = p };
		int err;

		if (i)
			snprintf(r.number, sizeof(r.number), "%u", i + 1);
		if (!rule_given(&r))
			continue;
		err = parse_rule(rule, &r);
		if (err)
			return err;
		if (rule->hang && !bs_param_is_set(p, "control")) {
			bs_say("error: hang needs control=PATH, or it would never end");
			return -EINVAL;
		}
		to->n++;
	}
	return 0;
}

static bool touches(const struct error_rule *r, const struct bs_req *req)
{
	if (!(r->ops & BS_OP_BIT(req->op)))
		return false;
	if (!r->len)
		return true;
	if (req->off_bytes >= r->at)
		return req->len_bytes && req->off_bytes - r->at < r->len;
	return r->at - req->off_bytes < req->len_bytes;
}

struct error_rule *bs_error_rules_match(struct error_rules *rules, const struct bs_req *req)
{
	for (unsigned int i = 0; i < rules->n; i++) {
		struct error_rule *r = &rules->v[i];
		uint64_t n;

		if (!touches(r, req))
			continue;
		n = atomic_fetch_add(&r->met, 1);
		if (n >= r->after && (!r->count || n - r->after < r->count))
			return r;
	}
	return NULL;
}
