/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/reserve_store.c - reservations in the state directory, as "reservation-<unit>".
 *
 * From a file that is damaged there is no telling who may write to the disk: the
 * unit is not opened.
 */
#include "lu/reserve_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "base/parse.h"
#include "lu/state_dir.h"

#define KIND		"reservation"
#define ESCAPED_MAX	LU_STATE_DIR_WORD_MAX(LU_RESERVE_NAME_MAX)
#define HEADER		"tgtd-reservation 1"

/* --- the format --- */

static void write_reg(FILE *f, const struct lu_reserve_state *s, unsigned int i)
{
	const struct lu_reserve_reg *r = &s->reg[i];
	char initiator[ESCAPED_MAX], target[ESCAPED_MAX];

	fprintf(f, "%s 0x%016" PRIx64 " %u %s %s\n",
		(int)i == s->holder ? "holder" : "registrant", r->key, r->who.port,
		lu_state_dir_escape(r->who.initiator, initiator, sizeof(initiator)),
		lu_state_dir_escape(r->who.target, target, sizeof(target)));
}

char *lu_reserve_store_format(const char *unit, const struct lu_reserve_state *s)
{
	char name[ESCAPED_MAX];
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	bool ok;

	if (!f)
		return NULL;
	fprintf(f, HEADER "\nunit %s\ntype %s\n", lu_state_dir_escape(unit, name, sizeof(name)),
		lu_reserve_type_name(s->type));
	for (unsigned int i = 0; i < s->n; i++)
		write_reg(f, s, i);
	ok = !fflush(f);
	if (ok)
		lu_state_dir_seal(f, text, bytes);
	ok = !fclose(f) && ok;
	if (ok)
		return text;
	free(text);
	return NULL;
}

static int parse_type(const char *word, struct lu_reserve_state *s)
{
	for (unsigned int i = 0; i < LU_RESERVE_NR_TYPES; i++)
		if (!strcmp(lu_reserve_type_name((enum lu_reserve_type)i), word)) {
			s->type = (enum lu_reserve_type)i;
			return 0;
		}
	return -EBADMSG;
}

static int parse_reg(char *rest, struct lu_reserve_state *s)
{
	struct lu_reserve_reg *r = &s->reg[s->n];
	const char *key = strsep(&rest, " "), *port = strsep(&rest, " ");
	const char *initiator = strsep(&rest, " "), *target = rest;
	uint64_t number;

	if (s->n == LU_RESERVE_REGS_MAX || !target || parse_u64(key, 1, UINT64_MAX, &r->key) ||
	    parse_u64(port, 0, UINT16_MAX, &number) ||
	    lu_state_dir_unescape(initiator, r->who.initiator, sizeof(r->who.initiator)) ||
	    lu_state_dir_unescape(target, r->who.target, sizeof(r->who.target)))
		return -EBADMSG;
	r->who.port = (uint16_t)number;
	if (lu_reserve_state_find(s, &r->who) >= 0)
		return -EBADMSG;
	s->n++;
	return 0;
}

static int take(const char *word, char *rest, void *arg)
{
	struct lu_reserve_state *s = arg;

	if (!strcmp(word, "type"))
		return parse_type(rest, s);
	if (!strcmp(word, "registrant"))
		return parse_reg(rest, s);
	if (strcmp(word, "holder") || s->holder >= 0)
		return -EBADMSG;
	s->holder = (int)s->n;
	return parse_reg(rest, s);
}

/* A type has the holders that it must have. */
static bool is_whole(const struct lu_reserve_state *s)
{
	const bool one = s->type != LU_RESERVE_NONE && !lu_reserve_type_is_all(s->type);

	return s->n && one == (s->holder >= 0);
}

int lu_reserve_store_parse(char *text, const char *unit, struct lu_reserve_state **ret_s,
			   char *why, size_t why_bytes)
{
	_cleanup_free_ struct lu_reserve_state *s = lu_reserve_state_new(LU_RESERVE_REGS_MAX);

	if (!s)
		return -ENOMEM;
	if (lu_state_dir_parse(text, HEADER, unit, take, s, why, why_bytes))
		return -EBADMSG;
	if (!is_whole(s)) {
		snprintf(why, why_bytes, "the reservation and its holder do not match");
		return -EBADMSG;
	}
	s->durable = true;
	*ret_s = TAKE_PTR(s);
	return 0;
}

/* --- files --- */

static int dir_save(const char *unit, const struct lu_reserve_state *s)
{
	_cleanup_free_ char *text = NULL;

	if (s) {
		text = lu_reserve_store_format(unit, s);
		if (!text)
			return -ENOMEM;
	}
	return lu_state_dir_save(KIND, unit, text);
}

static int dir_load(const char *unit, struct lu_reserve_state **ret_s, char *why,
		    size_t why_bytes)
{
	char path[512], reason[128] = "out of memory";
	_cleanup_free_ char *text = NULL;
	int err;

	*ret_s = NULL;
	err = lu_state_dir_load(KIND, unit, &text, path, sizeof(path));
	if (!err && !text)
		return 0;
	if (!err)
		err = lu_reserve_store_parse(text, unit, ret_s, reason, sizeof(reason));
	if (err)
		snprintf(why, why_bytes,
			 "its reservations cannot be read from %s: %s; remove the file if no host relies on them",
			 path, text ? reason : strerrordesc_np(-err));
	return err;
}

const struct lu_reserve_store *lu_reserve_store_dir(void)
{
	static const struct lu_reserve_store store = { .save = dir_save, .load = dir_load };

	return lu_state_dir_is_set() ? &store : NULL;
}
