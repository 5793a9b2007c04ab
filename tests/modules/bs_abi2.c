/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_abi2 - of another ABI: the host must not look further than the number. */
#include <tgt/bs_module.h>

BS_EXPORT const struct {
	uint32_t abi;
	uint32_t struct_bytes;
	const char *name;
} bs_module = { BS_ABI + 1, 16, "abi2" };
