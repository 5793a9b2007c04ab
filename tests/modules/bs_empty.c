/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_empty - a shared object that is no module. */
extern int bs_empty_number;
__attribute__((visibility("default"))) int bs_empty_number = 1;
