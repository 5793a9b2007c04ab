/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_open.h - the calls of struct bs_module that block.  On a worker. */
#pragma once
#include <tgt/bs_module.h>

int bs_sheepdog_open(struct bs_dev *dev, const struct bs_open_args *args);
void bs_sheepdog_close(struct bs_dev *dev);
int bs_sheepdog_size(struct bs_dev *dev, uint64_t *ret_bytes);
