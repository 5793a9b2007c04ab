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

/* Bytes of the character at @p, at most @n; 0: there is none. */
static size_t utf8_bytes(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t bytes = p[0] < 0x80 ? 1 : p[0] >> 5 == 0x06 ? 2 : p[0] >> 4 == 0x0e ? 3 :
			     p[0] >> 3 == 0x1e ? 4 : 0;
	uint32_t c;

	if (bytes <= 1 || bytes > n)
		return bytes == 1;
	c = p[0] & (0x7fU >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if (p[i] >> 6 != 0x02)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c >= least[bytes] && c <= 0x10ffff && c >> 11 != 0x1b ? bytes : 0;
}

bool text_is_utf8(const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t bytes;

	for (; n; p += bytes, n -= bytes) {
		bytes = utf8_bytes(p, n);
		if (!bytes)
			return false;
	}
	return true;
}

char *text_copy(char *to, size_t to_bytes, const char *from)
{
	const size_t n = strnlen(from, to_bytes - 1);

	memcpy(to, from, n);
	to[n] = '\0';
	return to;
}
