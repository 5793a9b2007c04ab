/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/reservation.h - reservations as commands meet them: who may run, and who
 * is told when they change.  SPC-4 r37 5.12.
 */
#pragma once
#include <stdbool.h>
#include "lu/lu.h"
#include "lu/reserve.h"
#include "scsi/device.h"
#include "scsi/task.h"

struct scsi_nexus;

/* By which names @n is registered. */
void scsi_reservation_who(const struct scsi_nexus *n, struct lu_reserve_who *ret_who);

/* Somebody has a reservation.  SCSI_GOOD or SCSI_RESERVATION_CONFLICT. */
enum scsi_status scsi_reservation_check(struct scsi_task *t);

/* @t has a device. */
static inline enum scsi_status scsi_reservation_gate(struct scsi_task *t)
{
	const struct lu *lu = t->dev->lu;

	if (likely(!lu || !lu_reserve_active(lu_reserve(lu))))
		return SCSI_GOOD;
	return scsi_reservation_check(t);
}

/* Whether @n must not do it, LU_RESERVE_*, to a logical unit that a command to
 * another one means.  Callers are RCU readers. */
bool scsi_reservation_denies(const struct scsi_nexus *n, const struct lu *lu,
			     unsigned int what);

/*
 * Tell what @c has changed: a unit attention for each nexus that @c->event names,
 * on any reactor.  With @abort the tasks of those whose registration is gone end,
 * and are waited for.  Then @done on the caller's reactor.  -ENOMEM: nobody was
 * told.  A registrant without a session is told nothing later: its next session
 * begins with a unit attention anyhow.  Threads: a reactor or control.
 */
int scsi_reservation_tell(const struct lu_reserve_change *c, bool abort,
			  void (*done)(void *arg, int err), void *arg);
