/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_unresolved - needs a function that nobody has: dlopen() must refuse it. */
#include <tgt/bs_module.h>

int a_function_that_nobody_has(void);

static int unresolved_open(struct bs_dev *dev, const struct bs_open_args *args)
{
	(void)dev;
	(void)args;
	return a_function_that_nobody_has();
}

BS_EXPORT const struct bs_module bs_module = {
	.abi = BS_ABI,
	.struct_bytes = sizeof(struct bs_module),
	.name = "unresolved",
	.open = unresolved_open,
};
