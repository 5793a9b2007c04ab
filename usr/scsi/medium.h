/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/medium.h - exchanging the medium of a removable logical unit.
 *
 * To initiators it is as if somebody had pressed a drive's button: their tasks end in
 * MEDIUM NOT PRESENT, then there is a unit attention, MEDIUM MAY HAVE CHANGED.  Writes
 * of before are on the old medium or nowhere.
 *
 * Threads: control.
 */
#pragma once
#include "lu/medium.h"

struct scsi_device;
struct scsi_medium_change;

/*
 * Nobody gets to the medium from now on, until scsi_medium_change() is over, or
 * scsi_medium_release().  -EBUSY: an initiator has locked it in (PREVENT ALLOW MEDIUM
 * REMOVAL); -EINPROGRESS: it is being formatted or sanitized; -ENOMEM.  Nothing has
 * happened then.
 */
int scsi_medium_hold(struct scsi_device *dev, struct scsi_medium_change **ret_change);
void scsi_medium_release(struct scsi_medium_change *c);

/*
 * @done when @m is the medium and can be used, or there is none (@m without a
 * store); @over when the old one is closed (lu/medium.h), after it.  Takes @c and @m.
 */
void scsi_medium_change(struct scsi_medium_change *c, struct lu_medium *m,
			void (*done)(void *arg), void (*over)(void *arg, int err),
			void *arg);
