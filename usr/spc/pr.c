/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/pr.c - codes and names of persistent reservations on the wire. */
#include "spc/pr.h"

#include <string.h>
#include "base/be.h"
#include "base/macros.h"

/* TYPE, SPC-4 r37 table 230. */
static const uint8_t type_codes[LU_RESERVE_NR_TYPES] = {
	[LU_RESERVE_WRITE_EXCLUSIVE] = 0x1,
	[LU_RESERVE_EXCLUSIVE_ACCESS] = 0x3,
	[LU_RESERVE_WRITE_EXCLUSIVE_REGISTRANTS] = 0x5,
	[LU_RESERVE_EXCLUSIVE_ACCESS_REGISTRANTS] = 0x6,
	[LU_RESERVE_WRITE_EXCLUSIVE_ALL] = 0x7,
	[LU_RESERVE_EXCLUSIVE_ACCESS_ALL] = 0x8,
};

uint8_t spc_pr_type_code(enum lu_reserve_type type)
{
	return type_codes[type];
}

enum lu_reserve_type spc_pr_type(uint8_t scope_and_type)
{
	for (unsigned int i = LU_RESERVE_NONE + 1; i < LU_RESERVE_NR_TYPES; i++)
		if (type_codes[i] == scope_and_type)
			return (enum lu_reserve_type)i;
	return LU_RESERVE_NONE;
}

/* Format 01b: the name of the port, "iqn...,i,0x00023d000001". */
#define ISCSI_PORT	0x45
#define NAME_BYTES_MIN	20U

size_t spc_pr_put_transport_id(const char *name, uint8_t *p)
{
	const size_t n = MIN(strlen(name), SPC_PR_TRANSPORT_ID_MAX - 4 - 1);
	const size_t bytes = MAX(ROUND_UP(n + 1, 4U), NAME_BYTES_MIN);

	memset(p, 0, 4 + bytes);
	p[0] = ISCSI_PORT;
	be_store(p + 2, 2, bytes);
	memcpy(p + 4, name, n);
	return 4 + bytes;
}

/*
 * Format 00b, an initiator device without its ISID, would stand for all ports of it
 * that we know: those that log in later could not do what their sisters can, so it
 * is not taken.
 */
size_t spc_pr_get_transport_id(const uint8_t *p, size_t bytes, char *name,
			       size_t name_bytes)
{
	const char *separator;
	size_t n;

	if (bytes < 4 || p[0] != ISCSI_PORT)
		return 0;
	n = (size_t)be_load(p + 2, 2);
	if (n < NAME_BYTES_MIN || n % 4 || n > bytes - 4 || strnlen((const char *)p + 4, n) >= MIN(n, name_bytes))
		return 0;
	memcpy(name, p + 4, strlen((const char *)p + 4) + 1);
	separator = strcasestr(name, ",i,0x");
	return separator && separator != name ? 4 + n : 0;
}
