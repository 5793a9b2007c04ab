/* SPDX-License-Identifier: BSD-3-Clause */
/* loop.h - waiting for file descriptors. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct source {
	void (*ready)(struct source *s, uint32_t events);
	bool dead; /* in this turn: it was closed, do not call it */
};

int loop_init(void);
int loop_add(int fd, struct source *s);
void loop_watch(int fd, struct source *s, bool in, bool out);
void loop_remove(int fd);

/* Wait until @until_ns of the monotonic clock at the longest, and call who is
 * ready. */
void loop_turn(uint64_t until_ns);
