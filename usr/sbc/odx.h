/* SPDX-License-Identifier: BSD-3-Clause */
/* sbc/odx.h - limits of POPULATE TOKEN and WRITE USING TOKEN. */
#pragma once
#include <stdint.h>

#define SBC_ODX_BYTES_MAX	(64ULL << 30)	/* of a token, and of one command */
#define SBC_ODX_BYTES_OPTIMAL	(256ULL << 20)
