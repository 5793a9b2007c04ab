/* SPDX-License-Identifier: BSD-3-Clause */
/* iscsi/digest.h - CRC32C, RFC 7143 13.1, by isa-l.  Any thread. */
#pragma once
#include <isa-l/crc.h>
#include <stddef.h>
#include <stdint.h>

#define ISCSI_DIGEST_INIT	0xffffffffU

/* Add @bytes to a running value that began as ISCSI_DIGEST_INIT. */
static inline uint32_t iscsi_digest_add(uint32_t crc, const void *data, size_t bytes)
{
	return crc32_iscsi((unsigned char *)data, (int)bytes, crc);
}

/* The finished digest as it stands on the wire: least significant byte first. */
static inline void iscsi_digest_put(uint32_t crc, uint8_t wire[4])
{
	crc = ~crc;
	for (int i = 0; i < 4; i++)
		wire[i] = (uint8_t)(crc >> (8 * i));
}
