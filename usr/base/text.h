/* SPDX-License-Identifier: BSD-3-Clause */
/* base/text.h - text that came from a peer or a user. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/*
 * Print @n bytes at @s into @buf for a log line or an error sentence: printable
 * ASCII as it is, the rest as \xNN, "..." where it was cut.  Returns @buf.
 */
const char *text_quote(char *buf, size_t buf_bytes, const char *s, size_t n);

/* Well-formed UTF-8 (RFC 3629): no surrogates, nothing longer than need be. */
bool text_is_utf8(const char *s, size_t n);

/* Copy with truncation; always terminated.  Returns @to. */
char *text_copy(char *to, size_t to_bytes, const char *from);
