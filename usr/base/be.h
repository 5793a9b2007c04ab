/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/be.h - big-endian integers of a wire format.
 *
 * Structs, so that forgetting to convert is a compile error; alignment 1, so
 * that wire structs need no packing.
 */
#pragma once
#include <stdint.h>

typedef struct { uint8_t b[2]; } be16;
typedef struct { uint8_t b[3]; } be24;
typedef struct { uint8_t b[4]; } be32;
typedef struct { uint8_t b[8]; } be64;

static inline uint16_t be16_get(be16 v)
{
	return (uint16_t)(v.b[0] << 8 | v.b[1]);
}

static inline uint32_t be24_get(be24 v)
{
	return (uint32_t)v.b[0] << 16 | (uint32_t)v.b[1] << 8 | v.b[2];
}

static inline uint32_t be32_get(be32 v)
{
	return (uint32_t)v.b[0] << 24 | (uint32_t)v.b[1] << 16 |
	       (uint32_t)v.b[2] << 8 | v.b[3];
}

static inline uint64_t be64_get(be64 v)
{
	const be32 hi = { { v.b[0], v.b[1], v.b[2], v.b[3] } };
	const be32 lo = { { v.b[4], v.b[5], v.b[6], v.b[7] } };

	return (uint64_t)be32_get(hi) << 32 | be32_get(lo);
}

static inline be16 be16_make(uint16_t v)
{
	return (be16){ { (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline be24 be24_make(uint32_t v)
{
	return (be24){ { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline be32 be32_make(uint32_t v)
{
	return (be32){ { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
			 (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline be64 be64_make(uint64_t v)
{
	return (be64){ { (uint8_t)(v >> 56), (uint8_t)(v >> 48),
			 (uint8_t)(v >> 40), (uint8_t)(v >> 32),
			 (uint8_t)(v >> 24), (uint8_t)(v >> 16),
			 (uint8_t)(v >> 8), (uint8_t)v } };
}

/* A big-endian integer of 1 to 8 bytes at @p. */
static inline uint64_t be_load(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

static inline void be_store(uint8_t *p, unsigned int bytes, uint64_t v)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}
