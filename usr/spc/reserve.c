/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/reserve.c - RESERVE and RELEASE of SPC-2 (the whole logical unit, for the
 * nexus that asks; third parties and extents are obsolete), and PREVENT ALLOW
 * MEDIUM REMOVAL.
 */
#include "lu/lu.h"
#include "scsi/device.h"
#include "scsi/nexus.h"
#include "spc/handlers.h"

/* SPC-2 r20 7.21, 7.22.  Dispatch has refused it while somebody else holds it;
 * two reactors may still meet here. */
enum scsi_status spc_reserve_take(struct scsi_task *t)
{
	if (!lu_reserve_take(&t->dev->lu->reserve, t->nexus->id))
		return SCSI_RESERVATION_CONFLICT;
	return SCSI_GOOD;
}

/* SPC-2 r20 7.16, 7.17: no error if the nexus holds no reservation. */
enum scsi_status spc_reserve_release(struct scsi_task *t)
{
	lu_reserve_release(&t->dev->lu->reserve, t->nexus->id);
	return SCSI_GOOD;
}

/* SPC-4 r37 6.14.  PREVENT 10b and 11b are for medium changers, obsolete. */
enum scsi_status spc_reserve_prevent_removal(struct scsi_task *t)
{
	if (t->cdb[4] & 0x02)
		return scsi_task_fail_cdb(t, 4, 1);
	scsi_nexus_prevent_removal(t->itl, t->cdb[4] & 0x01);
	return SCSI_GOOD;
}
