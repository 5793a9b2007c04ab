/* SPDX-License-Identifier: BSD-3-Clause */
/* base/option.c - see option.h. */
#include "base/option.h"

#include <stdbool.h>
#include <stdio.h>

#define COLUMN		32		/* where the words of help begin, less two */

static bool is_letter(int letter)
{
	return letter > ' ' && letter < 0x7f;
}

void option_print_help(int letter, const char *name, const char *arg_name, const char *help)
{
	char left[64], brief[] = "-x, ";

	brief[1] = (char)letter;
	snprintf(left, sizeof(left), "%s--%s%s%s", is_letter(letter) ? brief : "    ", name,
		 arg_name ? " " : "", arg_name ? arg_name : "");
	printf("  %-*s %s\n", COLUMN, left, help);
}
