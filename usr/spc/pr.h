/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/pr.h - what PERSISTENT RESERVE IN and OUT share: codes and TransportIDs. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lu/reserve_state.h"

/* SCOPE and TYPE in one byte, SPC-4 r37 6.15.3.3 and 6.15.3.4: the only scope is
 * the logical unit, 0. */
uint8_t spc_pr_type_code(enum lu_reserve_type type);
enum lu_reserve_type spc_pr_type(uint8_t scope_and_type);	/* NONE: no such */

/* iSCSI TransportIDs, SPC-4 r37 7.6.4.6. */
#define SPC_PR_TRANSPORT_ID_MAX	(4U + 256U)

/* Write that of initiator port @name; returns its length, a multiple of 4. */
size_t spc_pr_put_transport_id(const char *name, uint8_t *p);
/*
 * Read the one that @p begins with: the name of an initiator port.  Returns its
 * length, or 0: not whole, or not of an initiator port that we could know.
 */
size_t spc_pr_get_transport_id(const uint8_t *p, size_t bytes, char *name,
			       size_t name_bytes);
