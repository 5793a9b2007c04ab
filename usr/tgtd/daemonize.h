/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/daemonize.h - into the background, and the world told that we are ready. */
#pragma once
#include <stdbool.h>

/*
 * Before any thread exists.  The caller goes on as the daemon; the parent waits
 * and exits with 0 when tgtd_daemonize_ready() is called, or with the daemon's
 * exit code if it ends before.  -errno: no daemon was made.
 */
int tgtd_daemonize_start(void);

/* Let go of the parent, the terminal and the working directory. */
void tgtd_daemonize_ready(void);

/* -errno. */
int tgtd_daemonize_write_pid(const char *path);
