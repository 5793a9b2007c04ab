/* SPDX-License-Identifier: BSD-3-Clause */
/* bs/host.c - what the host lends to modules: timers, watches, words. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "bs/internal.h"
#include "reactor/timer.h"
#include "reactor/watch.h"

struct bs_watch {
	struct watch w;
	struct reactor *reactor;
	void (*ready)(void *ctx);
	void *ctx;
};

struct bs_timer {
	struct timer t;
	struct reactor *reactor;
	void (*expired)(void *ctx);
	void *ctx;
};

/* The module may free the watch, or the timer, in its callback: last touch. */
static void watch_ready(struct watch *w, uint32_t events)
{
	const struct bs_watch *b = container_of(w, struct bs_watch, w);

	(void)events;
	b->ready(b->ctx);
}

struct bs_watch *bs_watch_new(struct bs_group *g, int fd, void (*ready)(void *ctx),
			      void *ctx)
{
	struct bs_watch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->reactor = bs_channel_reactor(g);
	b->ready = ready;
	b->ctx = ctx;
	b->w = (struct watch){ .fd = fd, .events = EPOLLIN, .ready = watch_ready };
	if (reactor_watch_add(b->reactor, &b->w)) {
		free(b);
		return NULL;
	}
	return b;
}

void bs_watch_free(struct bs_watch *w)
{
	if (!w)
		return;
	reactor_watch_del(w->reactor, &w->w);
	free(w);
}

static void timer_expired(struct timer *t)
{
	const struct bs_timer *b = container_of(t, struct bs_timer, t);

	b->expired(b->ctx);
}

struct bs_timer *bs_timer_new(struct bs_group *g, uint64_t ms,
			      void (*expired)(void *ctx), void *ctx)
{
	struct bs_timer *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->reactor = bs_channel_reactor(g);
	b->expired = expired;
	b->ctx = ctx;
	b->t.expired = timer_expired;
	if (reactor_timer_arm(b->reactor, &b->t, ms)) {
		free(b);
		return NULL;
	}
	return b;
}

void bs_timer_free(struct bs_timer *t)
{
	if (!t)
		return;
	reactor_timer_cancel(t->reactor, &t->t);
	free(t);
}

/* --- words --- */

static __thread char said[BS_SAY_BYTES];

void bs_host_say_start(void)
{
	said[0] = '\0';
}

const char *bs_host_said(void)
{
	return said;
}

void bs_say(const char *fmt, ...)
{
	char text[BS_SAY_BYTES];	/* an argument may be what was said before */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(said, text, sizeof(said));
}

void bs_log(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_info("%s", text);
}
