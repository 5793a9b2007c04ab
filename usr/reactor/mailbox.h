/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor/mailbox.h - messages between threads; the only thing they share. */
#pragma once
#include <urcu/wfcqueue.h>

struct reactor;

struct mail {			/* embedded in what is sent; in one box at a time */
	struct cds_wfcq_node node;
	void (*run)(struct mail *m);
};

/*
 * Run @m on @to's thread, after what was sent to it before by this thread.
 * Threads: any.  Never fails, never allocates, never blocks.
 */
void reactor_mailbox_send(struct reactor *to, struct mail *m,
			  void (*run)(struct mail *m));
