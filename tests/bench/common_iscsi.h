/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi.h - an initiator's full feature phase: commands with immediate,
 * unsolicited and solicited data, Data-In with phase-collapsed status, the
 * command window, NOP.  Error recovery level 0: anything odd ends the program.
 */
#pragma once
#include <stdint.h>

#include "common_conn.h"

extern const struct bench_proto bench_iscsi_proto;

/* LUN in the flat or peripheral form of SAM-5 4.7.7. */
uint64_t bench_iscsi_lun(unsigned int lun);

/*
 * Run one command to its end while nothing else is active on @c.  A unit
 * attention is what a new session gets first: it is retried.  Dies unless the
 * status is GOOD.  Returns the bytes received.
 */
uint32_t bench_iscsi_exec(struct bench_conn *c, const uint8_t cdb[16],
			  void *buf, uint32_t len_bytes);

/* "sense 3/11/00", for messages.  Static storage. */
const char *bench_iscsi_sense(const struct bench_task *task);

/* Log out, wait for the answer, close. */
void bench_iscsi_logout(struct bench_conn *c);
