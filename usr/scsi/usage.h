/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi/usage.h - what all initiators together have done with a device. */
#pragma once
#include "lu/stats.h"

struct scsi_device;
struct scsi_itl;

/*
 * Sum up the I_T_L nexuses of @dev, those that are gone included.  @done runs
 * later on the calling reactor; @sum is valid during the call.  -ENOMEM: it will
 * not.  Threads: a reactor or control.
 */
int scsi_usage_collect(struct scsi_device *dev,
		       void (*done)(void *arg, const struct lu_stats *sum), void *arg);

/* scsi/ only: @itl is about to be freed. */
void scsi_usage_keep(const struct scsi_itl *itl);
