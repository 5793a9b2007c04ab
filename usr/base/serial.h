/* SPDX-License-Identifier: BSD-3-Clause */
/* base/serial.h - serial number arithmetic, RFC 1982 (CmdSN, StatSN, DataSN). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

static inline bool serial32_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool serial32_le(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}
