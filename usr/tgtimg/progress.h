/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtimg/progress.h - a bar on a terminal, and the way to break an operation off. */
#pragma once
#include <stdint.h>

/* SIGINT, SIGTERM and SIGHUP from now on make the next report say: give up. */
void tgtimg_progress_start(void);

/* For struct bs_volume_args: not 0 after such a signal. */
int tgtimg_progress_report(void *unused, uint64_t done_bytes, uint64_t total_bytes);

/* Take the bar away, if there is one. */
void tgtimg_progress_end(void);
