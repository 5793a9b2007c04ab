/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/parse.h - values typed by people.  The whole string must match; on
 * failure the output is untouched and -EINVAL (not a value of that kind) or
 * -ERANGE (outside [min, max]) is returned.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, or hexadecimal with 0x. */
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

/* Bytes: a number with an optional suffix k, M, G, T, P (powers of 1024). */
int parse_size(const char *s, uint64_t *ret_bytes);

/* 0/1, no/yes, off/on, false/true, any case. */
int parse_bool(const char *s, bool *ret);

/*
 * CPU numbers as the kernel writes them: "0,2-5".  Their number, at most @max;
 * -EINVAL, or -ERANGE for more.
 */
int parse_cpu_list(const char *s, int *ret_cpus, int max);

/*
 * Take the next "key=value" of a list separated by @sep, changing *list in
 * place.  "key" alone gives a NULL value; empty items are skipped.  False at
 * the end.
 */
bool parse_next_pair(char **list, char sep, char **ret_key, char **ret_value);
