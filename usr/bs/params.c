/* SPDX-License-Identifier: BSD-3-Clause */
/* bs/params.c - one value per row of the module's table, in the table's order. */
#include "bs/params.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#define OPTION_SEPARATOR ';'

struct value {
	const char *text;	/* NULL: unset */
	uint64_t number;
	bool by_user;
};

struct bs_params {
	const struct bs_option *table;
	unsigned int n;
	char *copy;		/* of the user's text, cut into pieces */
	struct value v[];
};

struct why {
	const char *who;
	char *buf;
	size_t bytes;
};

static unsigned int table_rows(const struct bs_option *table)
{
	unsigned int n = 0;

	while (table && table[n].name)
		n++;
	return n;
}

void bs_params_free(struct bs_params *p)
{
	if (!p)
		return;
	free(p->copy);
	free(p);
}
DEFINE_CLEANUP(struct bs_params *, bs_params_free)

static int unknown(const struct why *w, const struct bs_params *p, const char *key)
{
	char quoted[64];
	int used = snprintf(w->buf, w->bytes, "%s has no option '%s'; it has ", w->who,
			    text_quote(quoted, sizeof(quoted), key, strlen(key)));

	for (unsigned int i = 0; i < p->n && used >= 0 && (size_t)used < w->bytes; i++)
		used += snprintf(w->buf + used, w->bytes - (size_t)used, "%s%s",
				 i ? ", " : "", p->table[i].name);
	if (!p->n && used >= 0 && (size_t)used < w->bytes)
		snprintf(w->buf + used, w->bytes - (size_t)used, "none");
	return -EINVAL;
}

/* What a row admits, for a sentence: "a size in bytes from 512 to 4096". */
static const char *allowed(const struct bs_option *o, char *buf, size_t bytes)
{
	static const char *const kinds[] = {
		[BS_OPT_TEXT] = "a text",
		[BS_OPT_U64] = "a number",
		[BS_OPT_SIZE] = "a number of bytes (suffix k, M, G, T or P)",
		[BS_OPT_BOOL] = "yes or no",
	};
	const char *kind = kinds[o->type];

	if (o->type == BS_OPT_TEXT || o->type == BS_OPT_BOOL)
		snprintf(buf, bytes, "%s", kind);
	else if (o->max)
		snprintf(buf, bytes, "%s from %llu to %llu", kind,
			 (unsigned long long)o->min, (unsigned long long)o->max);
	else if (o->min)
		snprintf(buf, bytes, "%s of at least %llu", kind,
			 (unsigned long long)o->min);
	else
		snprintf(buf, bytes, "%s", kind);
	return buf;
}

static int convert(const struct bs_option *o, const char *text, uint64_t *ret)
{
	const uint64_t max = o->max ? o->max : UINT64_MAX;
	bool yes;
	int err;

	switch (o->type) {
	case BS_OPT_TEXT:
		return *text ? 0 : -EINVAL;
	case BS_OPT_U64:
		return parse_u64(text, o->min, max, ret);
	case BS_OPT_SIZE:
		err = parse_size(text, ret);
		if (err)
			return err;
		return *ret < o->min || *ret > max ? -ERANGE : 0;
	case BS_OPT_BOOL:
		err = parse_bool(text, &yes);
		if (!err)
			*ret = yes;
		return err;
	}
	return -EINVAL;
}

static int set(const struct why *w, const struct bs_option *o, struct value *v,
	       const char *text)
{
	char quoted[64], rule[128];
	uint64_t number = 0;

	if (convert(o, text, &number)) {
		snprintf(w->buf, w->bytes, "%s: option %s: '%s' is not %s", w->who, o->name,
			 text_quote(quoted, sizeof(quoted), text, strlen(text)),
			 allowed(o, rule, sizeof(rule)));
		return -EINVAL;
	}
	v->text = text;
	v->number = number;
	return 0;
}

static int set_by_user(const struct why *w, struct bs_params *p, const char *key,
		       const char *text)
{
	char rule[128];

	for (unsigned int i = 0; i < p->n; i++) {
		const struct bs_option *o = &p->table[i];

		if (strcmp(o->name, key) != 0)
			continue;
		if (p->v[i].by_user) {
			snprintf(w->buf, w->bytes, "%s: option %s is given twice", w->who, key);
			return -EINVAL;
		}
		if (!text && o->type == BS_OPT_BOOL)
			text = "yes";
		if (!text) {
			snprintf(w->buf, w->bytes, "%s: option %s needs a value: %s=..., %s",
				 w->who, key, key, allowed(o, rule, sizeof(rule)));
			return -EINVAL;
		}
		p->v[i].by_user = true;
		return set(w, o, &p->v[i], text);
	}
	return unknown(w, p, key);
}

int bs_params_parse(const char *who, const struct bs_option *table, const char *text,
		    char *why, size_t why_bytes, struct bs_params **ret)
{
	const struct why w = { who, why, why_bytes };
	const unsigned int n = table_rows(table);
	_cleanup_(bs_params_freep) struct bs_params *p = NULL;
	char *rest, *key, *value;
	int err;

	p = calloc(1, sizeof(*p) + n * sizeof(p->v[0]));
	if (!p)
		return -ENOMEM;
	p->table = table;
	p->n = n;
	p->copy = strdup(text ? text : "");
	if (!p->copy)
		return -ENOMEM;
	for (rest = p->copy; parse_next_pair(&rest, OPTION_SEPARATOR, &key, &value);) {
		err = set_by_user(&w, p, key, value);
		if (err)
			return err;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (p->v[i].by_user || !table[i].fallback)
			continue;
		err = set(&w, &table[i], &p->v[i], table[i].fallback);
		if (err)
			return err;
	}
	*ret = TAKE_PTR(p);
	return 0;
}

/* --- for modules --- */

/* A name that is not in the module's own table reads as unset. */
static const struct value *find(const struct bs_params *p, const char *name)
{
	static const struct value unset;

	for (unsigned int i = 0; i < p->n; i++)
		if (!strcmp(p->table[i].name, name))
			return &p->v[i];
	return &unset;
}

const char *bs_param_text(const struct bs_params *p, const char *name)
{
	return find(p, name)->text;
}

uint64_t bs_param_u64(const struct bs_params *p, const char *name)
{
	return find(p, name)->number;
}

bool bs_param_bool(const struct bs_params *p, const char *name)
{
	return find(p, name)->number != 0;
}

bool bs_param_is_set(const struct bs_params *p, const char *name)
{
	return find(p, name)->by_user;
}
