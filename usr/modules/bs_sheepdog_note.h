/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_note.h - "look at this", from any thread to a group's reactor. */
#pragma once
#include <stdatomic.h>
#include <tgt/bs_module.h>

struct sheep_note { /* embedded; under way at most once at a time */
	struct sheep_note *next;
	void (*run)(struct sheep_note *n);
	atomic_bool posted;
};

struct sheep_notes {
	_Atomic(struct sheep_note *) head; /* latest first */
	int fd;
	struct bs_watch *watch;
};

int bs_sheepdog_note_open(struct sheep_notes *ns, struct bs_group *g);
void bs_sheepdog_note_close(struct sheep_notes *ns);
/* Any thread; both must live until run() was called. */
void bs_sheepdog_note_post(struct sheep_notes *ns, struct sheep_note *n);
/* The reactor: what is under way, now. */
void bs_sheepdog_note_run(struct sheep_notes *ns);
