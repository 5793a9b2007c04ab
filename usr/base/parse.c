/* SPDX-License-Identifier: BSD-3-Clause */
/* base/parse.c - strict where strtoull() is lenient: no sign, no blanks, no rest. */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/macros.h"

static int number(const char *s, uint64_t *ret, const char **ret_end)
{
	const bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	uint64_t v;
	char *end;

	if (!isdigit((unsigned char)s[0]) ||
	    (hex && !isxdigit((unsigned char)s[2])))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	*ret = v;
	*ret_end = end;
	return 0;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	int err;

	err = number(s, &v, &end);
	if (err)
		return err;
	if (*end)
		return -EINVAL;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_size(const char *s, uint64_t *ret_bytes)
{
	static const char suffixes[] = "kmgtp";
	const char *end, *suffix;
	unsigned int shift = 0;
	uint64_t v;
	int err;

	err = number(s, &v, &end);
	if (err)
		return err;
	if (*end) {
		suffix = strchr(suffixes, tolower((unsigned char)*end));
		if (!suffix || end[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
	}
	if (v > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = v << shift;
	return 0;
}

int parse_bool(const char *s, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "0", false },	{ "1", true },	 { "no", false },    { "yes", true },
		{ "off", false }, { "on", true }, { "false", false }, { "true", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(s, words[i].word)) {
			*ret = words[i].value;
			return 0;
		}
	return -EINVAL;
}

bool parse_next_pair(char **list, char sep, char **ret_key, char **ret_value)
{
	const char separator[] = { sep, '\0' };
	char *item;

	do {
		item = strsep(list, separator);
		if (!item)
			return false;
	} while (!*item);
	*ret_value = strchr(item, '=');
	if (*ret_value)
		*(*ret_value)++ = '\0';
	*ret_key = item;
	return true;
}

int parse_cpu_list(const char *s, int *ret_cpus, int max)
{
	int n = 0;

	for (;; s++) {
		uint64_t first, last;
		int err = number(s, &first, &s);

		if (err)
			return err;
		last = first;
		if (*s == '-')
			err = number(s + 1, &last, &s);
		if (err)
			return err;
		if (last < first || last > INT32_MAX)
			return -EINVAL;
		for (; first <= last; first++) {
			if (n == max)
				return -ERANGE;
			ret_cpus[n++] = (int)first;
		}
		if (!*s)
			return n;
		if (*s != ',')
			return -EINVAL;
	}
}
