/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reactor/watch.c - events that were fetched in this turn for a watch that is
 * deleted before their dispatch are struck out, so ready() never sees a ghost.
 */
#include "reactor/watch.h"

#include <errno.h>
#include "reactor/internal.h"

static int control(struct reactor *r, int op, struct watch *w)
{
	struct epoll_event e = { .events = w->events, .data.ptr = w };

	return epoll_ctl(r->epoll_fd, op, w->fd, &e) == -1 ? -errno : 0;
}

int reactor_watch_add(struct reactor *r, struct watch *w)
{
	return control(r, EPOLL_CTL_ADD, w);
}

int reactor_watch_change(struct reactor *r, struct watch *w, uint32_t events)
{
	if (w->events == events)
		return 0;
	w->events = events;
	return control(r, EPOLL_CTL_MOD, w);
}

void reactor_watch_del(struct reactor *r, struct watch *w)
{
	if (w->fd == -1)
		return;
	control(r, EPOLL_CTL_DEL, w);
	w->fd = -1;
	for (int i = r->next_event; i < r->nr_events; i++)
		if (r->events[i].data.ptr == w)
			r->events[i].data.ptr = NULL;
}
