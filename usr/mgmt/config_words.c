/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_words.c - for a person who asks what would happen. */
#include "mgmt/config_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"

#define SENTENCE_BYTES	640
#define VALUE_BYTES	160

void mgmt_config_words_add(json_t *words, const char *fmt, ...)
{
	char sentence[SENTENCE_BYTES], clean[SENTENCE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	json_array_append_new(words, json_string(text_quote(clean, sizeof(clean), sentence,
							    strlen(sentence))));
}

/* A value that is no list, in words. */
static void show_scalar(const json_t *v, char *buf, size_t buf_bytes)
{
	const json_t *user = json_object_get(v, "user");

	if (json_is_string(v))
		snprintf(buf, buf_bytes, "%s", json_string_value(v));
	else if (json_is_integer(v))
		snprintf(buf, buf_bytes, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (user)
		snprintf(buf, buf_bytes, "%s%s", json_string_value(user),
			 json_is_true(json_object_get(v, "outgoing")) ? " (outgoing)" : "");
	else
		snprintf(buf, buf_bytes, "%s", "...");
}

const char *mgmt_config_words_list(const json_t *list, char *buf, size_t buf_bytes)
{
	char one[VALUE_BYTES];
	size_t used = 0, i;
	const json_t *v;

	snprintf(buf, buf_bytes, "(none)");
	json_array_foreach(list, i, v) {
		if (used >= buf_bytes)
			break;
		show_scalar(v, one, sizeof(one));
		used += (size_t)snprintf(buf + used, buf_bytes - used, "%s%s", i ? ", " : "",
					 one);
	}
	return buf;
}

static const char *show(const json_t *v, char *buf, size_t buf_bytes)
{
	if (!v)
		snprintf(buf, buf_bytes, "(default)");
	else if (json_is_array(v))
		mgmt_config_words_list(v, buf, buf_bytes);
	else
		show_scalar(v, buf, buf_bytes);
	return buf;
}

static void say(json_t *words, const char *what, const char *name, const json_t *before,
		const json_t *after)
{
	char a[VALUE_BYTES], b[VALUE_BYTES];

	mgmt_config_words_add(words, "%s%s %s -> %s", what, name, show(before, a, sizeof(a)),
			      show(after, b, sizeof(b)));
}

unsigned int mgmt_config_words_diff(json_t *words, const char *what, const json_t *before,
				    const json_t *after)
{
	unsigned int n = 0;
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)before, name, v) {
		const json_t *other = json_object_get(after, name);

		if (json_equal(v, other))
			continue;
		say(words, what, name, v, other);
		n++;
	}
	json_object_foreach((json_t *)after, name, v) {
		if (json_object_get(before, name))
			continue;
		say(words, what, name, NULL, v);
		n++;
	}
	return n;
}
