/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/text.c - the form of a text is checked once, when it is complete; then
 * its pairs are read in place.
 */
#include "iscsi/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "iscsi/keys.h"

#define ROOM_MIN	256U

void iscsi_text_fini(struct iscsi_text *t)
{
	free(t->buf);
	*t = (struct iscsi_text){ 0 };
}

static int reserve(struct iscsi_text *t, uint32_t more)
{
	const uint64_t need = (uint64_t)t->bytes + more;
	uint64_t room = MAX(t->room, ROOM_MIN);
	char *buf;

	if (need <= t->room)
		return 0;
	while (room < need)
		room *= 2;
	if (room > UINT32_MAX)
		return -ENOMEM;
	buf = realloc(t->buf, room);
	if (!buf)
		return -ENOMEM;
	t->buf = buf;
	t->room = (uint32_t)room;
	return 0;
}

int iscsi_text_append(struct iscsi_text *t, const void *data, uint32_t bytes)
{
	int err;

	if (!bytes)
		return 0;
	if (bytes > ISCSI_TEXT_BYTES_MAX - t->bytes)
		return -EMSGSIZE;
	err = reserve(t, bytes);
	if (err < 0)
		return err;
	memcpy(t->buf + t->bytes, data, bytes);
	t->bytes += bytes;
	return 0;
}

/*
 * 6.1 wants a letter, then letters, digits and ".-+@_"; a key made of other
 * visible characters is merely one that nobody understands.
 */
static bool valid_key(const char *key, size_t n)
{
	if (!n || n > ISCSI_KEYS_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	return true;
}

int iscsi_text_check(struct iscsi_text *t)
{
	uint32_t nr = 0;

	while (t->bytes && !t->buf[t->bytes - 1]) {	/* padding, one is put back */
		t->bytes--;
		nr = 1;
	}
	if (!t->bytes)
		return 0;
	if (!nr)
		return -EINVAL;		/* the last pair has no NUL */
	t->bytes++;
	nr = 0;
	for (uint32_t pos = 0; pos < t->bytes;) {
		const char *pair = t->buf + pos;
		const char *equals = strchr(pair, '=');

		if (!equals || !valid_key(pair, (size_t)(equals - pair)))
			return -EINVAL;
		if (++nr > ISCSI_TEXT_PAIRS_MAX)
			return -E2BIG;
		pos += (uint32_t)strlen(pair) + 1;
	}
	/* Split for iscsi_text_next(): the first '=' of each pair is its own. */
	for (uint32_t pos = 0; pos < t->bytes;) {
		char *pair = t->buf + pos;

		pos += (uint32_t)strlen(pair) + 1;
		*strchr(pair, '=') = '\0';
	}
	return 0;
}

bool iscsi_text_next(const struct iscsi_text *t, uint32_t *pos,
		     const char **ret_key, const char **ret_value)
{
	if (*pos >= t->bytes)
		return false;
	*ret_key = t->buf + *pos;
	*pos += (uint32_t)strlen(*ret_key) + 1;
	*ret_value = t->buf + *pos;
	*pos += (uint32_t)strlen(*ret_value) + 1;
	return true;
}

const char *iscsi_text_find(const struct iscsi_text *t, const char *key)
{
	const char *k, *v;
	uint32_t pos = 0;

	while (iscsi_text_next(t, &pos, &k, &v))
		if (!strcmp(k, key))
			return v;
	return NULL;
}

int iscsi_text_add(struct iscsi_text *t, const char *key, const char *value)
{
	const uint32_t key_bytes = (uint32_t)strlen(key);
	const uint32_t value_bytes = (uint32_t)strlen(value);
	const int err = reserve(t, key_bytes + value_bytes + 2);

	if (err < 0)
		return err;
	memcpy(t->buf + t->bytes, key, key_bytes);
	t->bytes += key_bytes;
	t->buf[t->bytes++] = '=';
	memcpy(t->buf + t->bytes, value, value_bytes + 1);
	t->bytes += value_bytes + 1;
	return 0;
}

/* How much of the text goes first: whole pairs, if one fits. */
static uint32_t first_part(const struct iscsi_text *t, uint32_t max_bytes)
{
	const char *nul;

	if (t->bytes <= max_bytes)
		return t->bytes;
	nul = memrchr(t->buf, '\0', max_bytes);
	return nul ? (uint32_t)(nul - t->buf) + 1 : max_bytes;
}

int iscsi_text_take(struct iscsi_text *t, uint32_t max_bytes, void **ret_data,
		    uint32_t *ret_bytes)
{
	const uint32_t bytes = first_part(t, max_bytes);
	char *data = NULL;

	if (bytes) {
		data = malloc(bytes);
		if (!data)
			return -ENOMEM;
		memcpy(data, t->buf, bytes);
		memmove(t->buf, t->buf + bytes, t->bytes - bytes);
		t->bytes -= bytes;
	}
	*ret_data = data;
	*ret_bytes = bytes;
	return 0;
}
