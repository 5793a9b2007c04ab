/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtd/watchdog.c - three times within the manager's time each reactor is asked; when
 * all have answered the manager is told, and only then a time is set for the next
 * question.  While one does not answer, the manager hears nothing.
 */
#include "tgtd/watchdog.h"

#include <systemd/sd-daemon.h>
#include "base/macros.h"
#include "reactor/group.h"
#include "reactor/mailbox.h"
#include "reactor/timer.h"

#define ASKED_PER_TIMEOUT	3

static struct {
	struct reactor *control;	/* NULL: nobody wants to be told */
	uint64_t interval_ms;
	struct timer timer;
	struct mail mail;
} watchdog;

static void ask_later(void)
{
	/* No memory for a timer, at the start: then we are not fed, and started again. */
	if (watchdog.control)
		(void)reactor_timer_arm(watchdog.control, &watchdog.timer, watchdog.interval_ms);
}

static void all_answered(void *arg)
{
	(void)arg;
	sd_notify(0, "WATCHDOG=1");
	ask_later();
}

static void answer(struct reactor_spread *s, void *arg)
{
	(void)arg;
	reactor_group_spread_put(s);
}

static void ask(struct timer *timer)
{
	(void)timer;
	if (reactor_group_spread(answer, all_answered, NULL) < 0)
		ask_later();		/* out of memory */
}

static void begin(struct mail *mail)
{
	(void)mail;
	ask_later();
}

void tgtd_watchdog_start(struct reactor *control)
{
	uint64_t timeout_us;

	if (sd_watchdog_enabled(0, &timeout_us) <= 0)
		return;
	watchdog.control = control;
	watchdog.interval_ms = MAX(timeout_us / 1000 / ASKED_PER_TIMEOUT, UINT64_C(1));
	watchdog.timer.expired = ask;
	reactor_mailbox_send(control, &watchdog.mail, begin);
}

void tgtd_watchdog_stop(void)
{
	if (watchdog.control)
		reactor_timer_cancel(watchdog.control, &watchdog.timer);
	watchdog.control = NULL;
}
