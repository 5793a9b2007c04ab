/* SPDX-License-Identifier: BSD-3-Clause */
/* base/text.h - text that came from a peer or a user. */
#pragma once
#include <stddef.h>

/*
 * Print @n bytes at @s into @buf for a log line or an error sentence: printable
 * ASCII as it is, the rest as \xNN, "..." where it was cut.  Returns @buf.
 */
const char *text_quote(char *buf, size_t buf_bytes, const char *s, size_t n);

/* Copy with truncation; always terminated.  Returns @to. */
char *text_copy(char *to, size_t to_bytes, const char *from);
