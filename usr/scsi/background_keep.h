/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/background_keep.h - what is kept of a SANITIZE that is under way or has failed,
 * so that after a crash nobody takes the medium for a clean one.
 *
 * The mark belongs to the identity (lu/keep.h), and names the store: another one that
 * comes by that identity was not touched.
 */
#pragma once
#include <stdbool.h>
#include "lu/keep.h"

struct scsi_device;

/* Make @c the change that sets the mark, or takes it away. */
void scsi_background_keep_set(struct lu_keep_change *c, const struct scsi_device *dev,
			      bool unrestricted);
void scsi_background_keep_clear(struct lu_keep_change *c);

/* There is a mark for @dev's medium; and whether EXIT FAILURE MODE may end it. */
bool scsi_background_keep_find(const struct scsi_device *dev, bool *ret_unrestricted);
