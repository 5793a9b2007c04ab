/* SPDX-License-Identifier: BSD-3-Clause */
/* base/option.h - what the programs' tables of options have in common. */
#pragma once

/*
 * A line of --help, to stdout.  @letter: of the short form, anything that is not a
 * printable character where there is none.  @arg_name: NULL if it takes no argument.
 */
void option_print_help(int letter, const char *name, const char *arg_name, const char *help);
