/* SPDX-License-Identifier: BSD-3-Clause */
/* control.h - a socket for the tests: one packet is one command, one its answer. */
#pragma once

/* -errno. */
int control_open(const char *path);
void control_close(void);
