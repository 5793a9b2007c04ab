/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs/params.h - --bsopts "key=value;key=value", checked against the table of
 * options that a module declares.  Any thread.
 */
#pragma once
#include <stddef.h>
#include <tgt/bs_module.h>

/*
 * Parse @text (NULL: none) for the module @who with option @table (NULL: none),
 * and fill in defaults.  -ENOMEM, or -EINVAL with a sentence in @why that names
 * the option, what is wrong with it and what is allowed.
 */
int bs_params_parse(const char *who, const struct bs_option *table, const char *text,
		    char *why, size_t why_bytes, struct bs_params **ret);
void bs_params_free(struct bs_params *p);
