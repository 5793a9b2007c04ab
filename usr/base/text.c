/* SPDX-License-Identifier: BSD-3-Clause */
/* base/text.c - never trusts its input, never writes past @buf. */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"

const char *text_quote(char *buf, size_t buf_bytes, const char *s, size_t n)
{
	size_t used = 0;

	assert(buf_bytes > 8);
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = (uint8_t)s[i];

		if (used + 8 > buf_bytes) {	/* room for \xNN and "..." */
			memcpy(buf + used, "...", 3);
			used += 3;
			break;
		}
		if (c >= 0x20 && c < 0x7f && c != '\\')
			buf[used++] = (char)c;
		else
			used += (size_t)snprintf(buf + used, 5, "\\x%02x", c);
	}
	buf[used] = '\0';
	return buf;
}

char *text_copy(char *to, size_t to_bytes, const char *from)
{
	const size_t n = strnlen(from, to_bytes - 1);

	memcpy(to, from, n);
	to[n] = '\0';
	return to;
}
