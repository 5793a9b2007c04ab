/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/activity.h - whether commands are under way to a logical unit.
 *
 * A session that is idle is no activity, and neither is a command whose status is
 * known.  A task is that waits for data, memory or its turn, or that is in the
 * store, also if it was aborted or its session has ended; so are a copy that reads
 * or writes the logical unit on behalf of another, and an operation that goes on
 * in the background.
 */
#pragma once
#include <stdbool.h>

struct scsi_device;

/*
 * Ask every reactor, then @answer on the control thread.  It is true of a moment
 * that is past by then: a command may have come since, or ended.
 * -ENOMEM: @answer does not run.  Threads: control.
 */
int scsi_activity_ask(struct scsi_device *dev, void (*answer)(void *arg, bool active),
		      void *arg);
