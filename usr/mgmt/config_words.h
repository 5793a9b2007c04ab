/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_words.h - differences in words.  Threads: any. */
#pragma once
#include <jansson.h>
#include "base/macros.h"

/* Append a sentence to the array @words. */
void mgmt_config_words_add(json_t *words, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Append one for each member in which the objects @before and @after differ, "<what><name>
 * <before> -> <after>"; one that is absent is "(default)".  Returns how many.
 */
unsigned int mgmt_config_words_diff(json_t *words, const char *what, const json_t *before,
				    const json_t *after);

/* The texts (or the "user"s of objects) of an array, with commas, in @buf. */
const char *mgmt_config_words_list(const json_t *list, char *buf, size_t buf_bytes);
