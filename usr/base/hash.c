/* SPDX-License-Identifier: BSD-3-Clause */
/* base/hash.c - FNV-1a with a final mix, so that short keys spread over all bits. */
#include "base/hash.h"

#include <string.h>

#define FNV_OFFSET	0xcbf29ce484222325ULL
#define FNV_PRIME	0x100000001b3ULL

uint64_t hash_bytes(const void *data, size_t bytes, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t h = FNV_OFFSET ^ seed;

	while (bytes--) {
		h ^= *p++;
		h *= FNV_PRIME;
	}
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	return h;
}

unsigned long hash_string(const char *s)
{
	return (unsigned long)hash_bytes(s, strlen(s), 0);
}
