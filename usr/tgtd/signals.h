/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/signals.h - signals as events of the control thread. */
#pragma once

struct reactor;

/* Block them, before any thread exists: threads inherit that. */
void tgtd_signals_block(void);

/* -errno.  @terminate runs on SIGTERM and SIGINT, each time. */
int tgtd_signals_watch(struct reactor *r, void (*terminate)(void));
void tgtd_signals_unwatch(struct reactor *r);
