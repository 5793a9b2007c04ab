/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/signals.c - one signalfd.  SIGHUP has nothing to do: the configuration is
 * tgtadm's, the log is syslog's. */
#include "tgtd/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/log.h"
#include "base/macros.h"
#include "reactor/watch.h"

static const int caught[] = { SIGTERM, SIGINT, SIGHUP };
static void (*terminate_program)(void);
static struct watch watch = { .fd = -1 };

static sigset_t caught_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&set, caught[i]);
	return set;
}

void tgtd_signals_block(void)
{
	const sigset_t set = caught_set();

	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void ready(struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(w->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		log_info("SIGHUP: nothing to reload; use tgt-admin --update");
		return;
	}
	log_info("signal %u from process %u: ending", info.ssi_signo, info.ssi_pid);
	terminate_program();
}

int tgtd_signals_watch(struct reactor *r, void (*terminate)(void))
{
	const sigset_t set = caught_set();
	int err;

	watch = (struct watch){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
				.events = EPOLLIN, .ready = ready };
	if (watch.fd == -1)
		return -errno;
	terminate_program = terminate;
	err = reactor_watch_add(r, &watch);
	if (err) {
		close(watch.fd);
		watch.fd = -1;
	}
	return err;
}

void tgtd_signals_unwatch(struct reactor *r)
{
	const int fd = watch.fd;

	if (fd == -1)
		return;
	reactor_watch_del(r, &watch);
	close(fd);
}
