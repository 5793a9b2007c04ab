/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtd/watchdog.h - tell the service manager that we serve (sd_watchdog_enabled(3)):
 * only as long as every reactor answers.
 */
#pragma once

struct reactor;

/* Before @control runs; nothing is done if nobody wants to be told. */
void tgtd_watchdog_start(struct reactor *control);

/* On the control thread, before reactors are told to end.  What has been asked is answered, later. */
void tgtd_watchdog_stop(void);
