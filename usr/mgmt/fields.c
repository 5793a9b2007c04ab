/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/fields.c - strict: no unknown field, no number in quotes, no NUL. */
#include "mgmt/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include "base/macros.h"
#include "base/text.h"

#define PAIRS_MAX	64	/* names in a MGMT_PAIRS, values of one name */

static uint64_t text_max(const struct mgmt_field *f)
{
	return f->max ? f->max : MGMT_TEXT_MAX;
}

static void list_words(const struct mgmt_field *f, char *buf, size_t buf_bytes)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; f->words[i] && used < buf_bytes; i++)
		used += (size_t)snprintf(buf + used, buf_bytes - used, "%s%s",
					 i ? ", " : "", f->words[i]);
}

const char *mgmt_fields_range(const struct mgmt_field *f, char *buf, size_t buf_bytes)
{
	buf[0] = '\0';
	switch (f->type) {
	case MGMT_INT:
		snprintf(buf, buf_bytes, "%" PRIu64 " to %" PRIu64, f->min, f->max);
		break;
	case MGMT_TEXT:
		if (f->words)
			list_words(f, buf, buf_bytes);
		else
			snprintf(buf, buf_bytes, "%" PRIu64 " to %" PRIu64 " bytes",
				 f->min, text_max(f));
		break;
	case MGMT_LIST:
		snprintf(buf, buf_bytes, "at most %" PRIu64 " %s", f->max,
			 f->of ? "objects" : "strings");
		break;
	case MGMT_BOOL:
	case MGMT_PAIRS:
	case MGMT_OBJECT:
		break;
	}
	return buf;
}

const char *mgmt_fields_scalar(const json_t *v, char buf[MGMT_SCALAR_BYTES])
{
	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_boolean(v))
		return json_is_true(v) ? "1" : "0";
	snprintf(buf, MGMT_SCALAR_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return buf;
}

const char *mgmt_fields_type(enum mgmt_type type)
{
	static const char *const names[] = {
		[MGMT_INT] = "integer",
		[MGMT_BOOL] = "boolean",
		[MGMT_TEXT] = "string",
		[MGMT_PAIRS] = "object",
		[MGMT_OBJECT] = "object",
		[MGMT_LIST] = "array",
	};

	return names[type];
}

static int __attribute__((format(printf, 3, 4)))
fault(struct mgmt_fault *to, const struct mgmt_field *f, const char *fmt, ...)
{
	va_list ap;

	*to = (struct mgmt_fault){ .field = f ? f->name : NULL,
				   .error = MGMT_ERR_INVALID };
	if (f && f->error != MGMT_ERR_OK)
		to->error = f->error;
	va_start(ap, fmt);
	vsnprintf(to->sentence, sizeof(to->sentence), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int check_int(const struct mgmt_field *f, const json_t *v,
		     struct mgmt_fault *ret_fault)
{
	const json_int_t n = json_integer_value(v);
	char range[64];

	if (json_is_integer(v) && n >= 0 && (uint64_t)n >= f->min &&
	    (uint64_t)n <= f->max)
		return 0;
	return fault(ret_fault, f, "field '%s': must be %s", f->name,
		     mgmt_fields_range(f, range, sizeof(range)));
}

static bool is_word(const struct mgmt_field *f, const char *s)
{
	for (size_t i = 0; f->words[i]; i++)
		if (!strcmp(f->words[i], s))
			return true;
	return false;
}

static int check_text(const struct mgmt_field *f, const json_t *v,
		      struct mgmt_fault *ret_fault)
{
	const char *s = json_string_value(v);
	const size_t n = json_string_length(v);
	char range[128];

	if (!s)
		return fault(ret_fault, f, "field '%s': must be a string", f->name);
	if (f->words) {
		char quoted[64];

		if (is_word(f, s))
			return 0;
		return fault(ret_fault, f, "field '%s': '%s' is not one of: %s",
			     f->name, text_quote(quoted, sizeof(quoted), s, n),
			     mgmt_fields_range(f, range, sizeof(range)));
	}
	if (n < f->min || n > text_max(f))
		return fault(ret_fault, f, "field '%s': must be %s long", f->name,
			     mgmt_fields_range(f, range, sizeof(range)));
	return 0;
}

static bool is_scalar(const json_t *v)
{
	return json_is_boolean(v) || json_is_integer(v) ||
	       (json_is_string(v) && json_string_length(v) <= MGMT_TEXT_MAX);
}

static bool is_pair_value(const json_t *v)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(v))
		return is_scalar(v);
	if (!json_array_size(v) || json_array_size(v) > PAIRS_MAX)
		return false;
	json_array_foreach(v, i, item) {
		if (!is_scalar(item))
			return false;
	}
	return true;
}

static int check_pairs(const struct mgmt_field *f, const json_t *v,
		       struct mgmt_fault *ret_fault)
{
	const char *name;
	json_t *value;

	if (!json_is_object(v))
		return fault(ret_fault, f, "field '%s': must be an object", f->name);
	if (json_object_size(v) > PAIRS_MAX)
		return fault(ret_fault, f, "field '%s': more than %d names", f->name,
			     PAIRS_MAX);
	json_object_foreach((json_t *)v, name, value) {
		char quoted[64];

		if (!is_pair_value(value))
			return fault(ret_fault, f,
				     "field '%s': the value of '%s' must be text of at most %d bytes, "
				     "a number, a boolean, or an array of these",
				     f->name,
				     text_quote(quoted, sizeof(quoted), name, strlen(name)),
				     MGMT_TEXT_MAX);
	}
	return 0;
}

/* A fault within @f (element @i of it, unless -1) is told with the way to it. */
static int within(const struct mgmt_field *f, ssize_t i, struct mgmt_fault *fault_in)
{
	char index[24] = "", rest[128];
	const char *inner = *fault_in->where ? fault_in->where : fault_in->field;

	text_copy(rest, sizeof(rest), inner ? inner : "");
	if (i >= 0)
		snprintf(index, sizeof(index), "[%zd]", i);
	snprintf(fault_in->where, sizeof(fault_in->where), "%.32s%s%s%s", f->name, index,
		 *rest ? "." : "", rest);
	return -EINVAL;
}

static int check_object(const struct mgmt_field *f, const json_t *v,
			struct mgmt_fault *ret_fault)
{
	if (!json_is_object(v))
		return fault(ret_fault, f, "field '%s': must be an object", f->name);
	if (mgmt_fields_check(f->of, NULL, v, ret_fault) < 0)
		return within(f, -1, ret_fault);
	return 0;
}

static int check_item(const struct mgmt_field *f, const json_t *v,
		      struct mgmt_fault *ret_fault)
{
	if (!f->of) {
		if (json_is_string(v) && json_string_length(v) &&
		    json_string_length(v) <= MGMT_ITEM_MAX)
			return 0;
		return fault(ret_fault, NULL, "field '%s': must be strings of 1 to %d bytes",
			     f->name, MGMT_ITEM_MAX);
	}
	if (json_is_object(v))
		return mgmt_fields_check(f->of, NULL, v, ret_fault);
	return fault(ret_fault, NULL, "field '%s': must be objects", f->name);
}

static int check_list(const struct mgmt_field *f, const json_t *v,
		      struct mgmt_fault *ret_fault)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(v))
		return fault(ret_fault, f, "field '%s': must be an array", f->name);
	if (json_array_size(v) > f->max)
		return fault(ret_fault, f, "field '%s': more than %" PRIu64 " elements",
			     f->name, f->max);
	json_array_foreach(v, i, item) {
		if (check_item(f, item, ret_fault) < 0)
			return within(f, (ssize_t)i, ret_fault);
	}
	return 0;
}

static int check_value(const struct mgmt_field *f, const json_t *v,
		       struct mgmt_fault *ret_fault)
{
	switch (f->type) {
	case MGMT_INT:
		return check_int(f, v, ret_fault);
	case MGMT_TEXT:
		return check_text(f, v, ret_fault);
	case MGMT_PAIRS:
		return check_pairs(f, v, ret_fault);
	case MGMT_OBJECT:
		return check_object(f, v, ret_fault);
	case MGMT_LIST:
		return check_list(f, v, ret_fault);
	case MGMT_BOOL:
		break;
	}
	if (json_is_boolean(v))
		return 0;
	return fault(ret_fault, f, "field '%s': must be true or false", f->name);
}

static const struct mgmt_field *find(const struct mgmt_field *fields, const char *name)
{
	for (; fields && fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

int mgmt_fields_check(const struct mgmt_field *fields, const struct mgmt_field *common,
		      const json_t *params, struct mgmt_fault *ret_fault)
{
	const char *name;
	json_t *value;
	int err;

	json_object_foreach((json_t *)params, name, value) {
		const struct mgmt_field *f = find(fields, name);
		char quoted[64];

		if (!f)
			f = find(common, name);
		if (!f)
			return fault(ret_fault, NULL, "there is no field '%s' here",
				     text_quote(quoted, sizeof(quoted), name,
						strlen(name)));
		err = check_value(f, value, ret_fault);
		if (err)
			return err;
	}
	for (; fields->name; fields++)
		if (fields->required && !json_object_get(params, fields->name))
			return fault(ret_fault, fields, "field '%s': is required",
				     fields->name);
	return 0;
}
