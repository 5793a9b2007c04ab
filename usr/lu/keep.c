/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lu/keep.c - values that are kept, in a file "kept-<unit>" of the state directory.
 *
 * A change is written by a worker, with all the other values, and published by it: in
 * the order in which the files were written.  From a file that is damaged the unit is
 * not opened: its disks would come up with a write cache that somebody has turned off.
 */
#include "lu/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "lu/internal.h"
#include "lu/reserve.h"
#include "lu/state_dir.h"

#define KIND		"kept"
#define HEADER		"tgtd-kept 1"
#define UNIT_MAX	255

static const char *const names[LU_KEEP_NR] = {
	[LU_KEEP_INFORMATION] = "information",
	[LU_KEEP_TEXT_INFORMATION] = "text-information",
	[LU_KEEP_MODE] = "mode",
	[LU_KEEP_SANITIZE] = "sanitize",
};

/* --- the format --- */

static void write_value(FILE *f, const char *name, const struct lu_keep_value *v)
{
	if (!v->bytes)
		return;
	fprintf(f, "%s ", name);
	for (unsigned int i = 0; i < v->bytes; i++)
		fprintf(f, "%02x", v->b[i]);
	fputc('\n', f);
}

char *lu_keep_format(const char *unit, const struct lu_keep_value value[LU_KEEP_NR])
{
	char word[LU_STATE_DIR_WORD_MAX(UNIT_MAX)], *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	bool ok;

	if (!f)
		return NULL;
	fprintf(f, HEADER "\nunit %s\n", lu_state_dir_escape(unit, word, sizeof(word)));
	for (unsigned int i = 0; i < LU_KEEP_NR; i++)
		write_value(f, names[i], &value[i]);
	ok = !fflush(f);
	if (ok)
		lu_state_dir_seal(f, text, bytes);
	ok = !fclose(f) && ok;
	if (ok)
		return text;
	free(text);
	return NULL;
}

static int parse_value(const char *digits, struct lu_keep_value *v)
{
	const size_t n = strlen(digits);

	if (v->bytes || !n || n % 2 || n / 2 > LU_KEEP_BYTES_MAX ||
	    strspn(digits, "0123456789abcdef") != n)
		return -EBADMSG;
	for (size_t i = 0; i < n / 2; i++)
		sscanf(digits + 2 * i, "%2hhx", &v->b[i]);
	v->bytes = (uint16_t)(n / 2);
	return 0;
}

static int take(const char *word, char *rest, void *arg)
{
	struct lu_keep_value *value = arg;

	for (unsigned int i = 0; i < LU_KEEP_NR; i++)
		if (!strcmp(names[i], word))
			return parse_value(rest, &value[i]);
	return -EBADMSG;
}

int lu_keep_parse(char *text, const char *unit, struct lu_keep_value value[LU_KEEP_NR],
		  char *why, size_t why_bytes)
{
	struct lu_keep_value found[LU_KEEP_NR] = { 0 };

	if (lu_state_dir_parse(text, HEADER, unit, take, found, why, why_bytes))
		return -EBADMSG;
	memcpy(value, found, sizeof(found));
	return 0;
}

/* --- values --- */

bool lu_keep_can(void)
{
	return lu_state_dir_is_set();
}

void lu_keep_read(struct lu_keep *k, enum lu_keep_what what, struct lu_keep_value *ret_v)
{
	pthread_mutex_lock(&k->lock);
	*ret_v = k->value[what];
	pthread_mutex_unlock(&k->lock);
}

static bool is_same(const struct lu_keep_value *a, const struct lu_keep_value *b)
{
	return a->bytes == b->bytes && !memcmp(a->b, b->b, a->bytes);
}

/* Under the mutex over the file: nobody else changes a value. */
static int save(struct lu_keep *k, const char *unit, const struct lu_keep_change *c)
{
	struct lu_keep_value value[LU_KEEP_NR];
	_cleanup_free_ char *text = NULL;
	bool any = false;
	int err;

	memcpy(value, k->value, sizeof(value));
	value[c->what] = c->value;
	for (unsigned int i = 0; i < LU_KEEP_NR; i++)
		any |= value[i].bytes > 0;
	if (any) {
		text = lu_keep_format(unit, value);
		if (!text)
			return -ENOMEM;
	}
	err = lu_state_dir_save(KIND, unit, text);
	if (err)
		return err;
	pthread_mutex_lock(&k->lock);
	k->value[c->what] = c->value;
	pthread_mutex_unlock(&k->lock);
	return 0;
}

static void run(struct work *w)
{
	struct lu_keep_change *c = container_of(w, struct lu_keep_change, work);
	struct lu_keep *k = lu_reserve_keep(c->owner);

	pthread_mutex_lock(&k->saving);
	c->changed = !is_same(&k->value[c->what], &c->value);
	if (c->changed)
		c->err = save(k, lu_reserve_unit(c->owner), c);
	pthread_mutex_unlock(&k->saving);
}

static void saved(struct work *w)
{
	struct lu_keep_change *c = container_of(w, struct lu_keep_change, work);

	if (c->err) {
		c->changed = false;
		log_err("%s: what an initiator wants kept cannot be: %s",
			lu_reserve_unit(c->owner), strerrordesc_np(-c->err));
	}
	lu_reserve_put(TAKE_PTR(c->owner));
	c->done(c);
}

void lu_keep_submit(struct lu_reserve *r, struct lu_keep_change *c)
{
	c->owner = r;
	c->err = 0;
	c->changed = false;
	c->work = (struct work){ .run = run, .done = saved };
	lu_reserve_work(&c->work);
}

/* --- life --- */

void lu_keep_init(struct lu_keep *k)
{
	pthread_mutex_init(&k->saving, NULL);
	pthread_mutex_init(&k->lock, NULL);
}

void lu_keep_fini(struct lu_keep *k)
{
	pthread_mutex_destroy(&k->lock);
	pthread_mutex_destroy(&k->saving);
}

/* Nobody has seen it yet. */
int lu_keep_load(struct lu_keep *k, const char *unit, char *why, size_t why_bytes)
{
	char path[512], reason[128];
	_cleanup_free_ char *text = NULL;
	int err = lu_state_dir_load(KIND, unit, &text, path, sizeof(path));

	if (!err && !text)
		return 0;
	if (err)
		snprintf(reason, sizeof(reason), "%s", strerrordesc_np(-err));
	else
		err = lu_keep_parse(text, unit, k->value, reason, sizeof(reason));
	if (err)
		snprintf(why, why_bytes,
			 "what initiators have stored in it cannot be read from %s: %s; remove the file to start afresh",
			 path, reason);
	return err;
}
