/* SPDX-License-Identifier: BSD-3-Clause */
/* base/process.h - the end of a process. */
#pragma once

/*
 * End the process with @code: what stdio holds is written out, but nothing else is taken
 * apart.  A module's library may still have threads (a call that waits for a cluster was
 * given up), and exit() would destroy under them what they use.  Callers: main().
 */
void process_end(int code) __attribute__((noreturn));
