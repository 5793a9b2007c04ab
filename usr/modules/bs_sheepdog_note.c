/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_sheepdog_note.c - a stack of notes and an eventfd; only the first note of a burst
 * makes the system call. */
#include "bs_sheepdog_note.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void ready(void *ctx)
{
	struct sheep_notes *ns = ctx;
	uint64_t count;

	if (read(ns->fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		bs_sheepdog_note_run(ns);
}

int bs_sheepdog_note_open(struct sheep_notes *ns, struct bs_group *g)
{
	atomic_init(&ns->head, NULL);
	ns->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ns->fd == -1)
		return -errno;
	ns->watch = bs_watch_new(g, ns->fd, ready, ns);
	if (ns->watch)
		return 0;
	close(ns->fd);
	return -ENOMEM;
}

void bs_sheepdog_note_close(struct sheep_notes *ns)
{
	bs_watch_free(ns->watch);
	close(ns->fd);
}

void bs_sheepdog_note_post(struct sheep_notes *ns, struct sheep_note *n)
{
	const uint64_t one = 1;
	struct sheep_note *first;

	if (atomic_exchange(&n->posted, true))
		return;
	first = atomic_load(&ns->head);
	do
		n->next = first;
	while (!atomic_compare_exchange_weak(&ns->head, &first, n));
	/* Its counter cannot be full. */
	if (!first && write(ns->fd, &one, sizeof(one)) == -1)
		return;
}

void bs_sheepdog_note_run(struct sheep_notes *ns)
{
	struct sheep_note *n = atomic_exchange(&ns->head, NULL), *next,
			  *first = NULL;

	for (; n; n = next) {
		next = n->next;
		n->next = first;
		first = n;
	}
	for (n = first; n; n = next) {
		next = n->next;
		atomic_store(&n->posted, false);
		n->run(n); /* may free it */
	}
}
