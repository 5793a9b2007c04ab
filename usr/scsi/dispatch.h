/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/dispatch.h - the way of a command through the checks that all share, in
 * SAM order, to its handler.
 *
 * Threads: the reactor of the I_T nexus.
 */
#pragma once

struct scsi_task;

/* Takes the command over; collect() or respond() follow later in this turn or
 * another, never from within. */
void scsi_dispatch_start(struct scsi_task *t);

/*
 * The transport's answer to collect(): all t->out_bytes are in t->data, and
 * nothing more will be written there.  A transport that filled t->data before
 * scsi_dispatch_start() is always asked to collect, be it for 0 bytes (a command
 * that takes no data): then t->data is given back here.
 */
void scsi_dispatch_data_ready(struct scsi_task *t);
