/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor/group.h - the daemon's reactors: starting, stopping, asking them all. */
#pragma once
#include "reactor/mailbox.h"
#include "reactor/reactor.h"

/*
 * Start @n reactor threads (ids 0 to n-1).  @control is the caller's own
 * reactor, which need not run yet.  Errors: -EAGAIN, -ENOMEM, -EMFILE; nothing
 * is left running then.
 */
int reactor_group_start(struct reactor *control, unsigned int n);

/* Reactor i runs on CPU @cpus[i] only; NULL (default): wherever the kernel wants.
 * Before reactor_group_start(), which then may also say -EINVAL: no such CPU.
 * Borrowed until that returns. */
void reactor_group_set_cpus(const int *cpus);

/* Stop and join them all.  Threads: control. */
void reactor_group_stop(void);

unsigned int reactor_group_size(void);
struct reactor *reactor_group_get(unsigned int id);
struct reactor *reactor_group_control(void);

/*
 * Run @run on every reactor (not on control), then @done on the caller's
 * reactor.  Each run() must, now or later on the same reactor, be answered by
 * one reactor_group_spread_put().  @arg is the caller's, alive until done().
 *
 * Threads: any reactor, or control.  Errors: -ENOMEM, with nothing sent.
 */
struct reactor_spread;
int reactor_group_spread(void (*run)(struct reactor_spread *s, void *arg),
			 void (*done)(void *arg), void *arg);
void reactor_group_spread_put(struct reactor_spread *s);
