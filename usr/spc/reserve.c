/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/reserve.c - RESERVE and RELEASE of SPC-2 (the whole logical unit, for the
 * nexus that asks; third parties and extents are obsolete), and PREVENT ALLOW
 * MEDIUM REMOVAL.  Where somebody is registered for persistent reservations they
 * do nothing: for a holder they are GOOD, for others a conflict (SPC-4 r37 5.12.3;
 * CRH of REPORT CAPABILITIES).
 */
#include <errno.h>
#include "scsi/nexus.h"
#include "scsi/reservation.h"
#include "spc/handlers.h"

static enum scsi_status status_of(int err)
{
	if (!err)
		return SCSI_GOOD;
	return err == -EBUSY ? SCSI_BUSY : SCSI_RESERVATION_CONFLICT;
}

/* SPC-2 r20 7.21, 7.22.  Dispatch has refused it while somebody else holds it;
 * two reactors may still meet here. */
enum scsi_status spc_reserve_take(struct scsi_task *t)
{
	struct lu_reserve_who who;

	scsi_reservation_who(t->nexus, &who);
	return status_of(lu_reserve_take(lu_reserve(t->dev->lu), &who, t->nexus->id));
}

/* SPC-2 r20 7.16, 7.17: no error if the nexus holds no reservation. */
enum scsi_status spc_reserve_release(struct scsi_task *t)
{
	struct lu_reserve_who who;

	scsi_reservation_who(t->nexus, &who);
	return status_of(lu_reserve_release(lu_reserve(t->dev->lu), &who, t->nexus->id));
}

/* SPC-4 r37 6.14.  PREVENT 10b and 11b are for medium changers, obsolete. */
enum scsi_status spc_reserve_prevent_removal(struct scsi_task *t)
{
	if (t->cdb[4] & 0x02)
		return scsi_task_fail_cdb(t, 4, 1);
	scsi_nexus_prevent_removal(t->itl, t->cdb[4] & 0x01);
	return SCSI_GOOD;
}
