/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor/timer.h - one-shot timers with millisecond resolution. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct reactor;

struct timer {			/* the caller's memory, embedded; zeroed at first */
	uint64_t due_ns;
	unsigned int slot;	/* 0: not armed */
	void (*expired)(struct timer *t);
};

/*
 * Threads: the reactor's own.  Arming an armed timer moves it.  expired() may
 * arm or cancel any timer.  Errors: -ENOMEM (only when a timer is new).
 */
int reactor_timer_arm(struct reactor *r, struct timer *t, uint64_t delay_ms);
void reactor_timer_cancel(struct reactor *r, struct timer *t);
bool reactor_timer_armed(const struct timer *t);
