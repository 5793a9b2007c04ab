/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_stunted - says that its struct ends before submit(). */
#include <tgt/bs_module.h>

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = offsetof(struct bs_module, submit),
	.name = "stunted",
};
