/* SPDX-License-Identifier: BSD-3-Clause */
/* base/hash.h - hashes for tables and for stable identities.  Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits: the same on every machine and release (identities rest on it). */
uint64_t hash_bytes(const void *data, size_t bytes, uint64_t seed);

/* For hash tables: mixed down to the machine word. */
unsigned long hash_string(const char *s);
