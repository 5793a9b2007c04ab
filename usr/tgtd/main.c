/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtd - the daemon: puts the layers together, runs the control thread, takes
 * them apart again.
 *
 * Start: everything that can fail does so before anybody is told that we are
 * ready, and says one sentence.  After that the daemon ends only when told to.
 * With --config the control thread runs before we listen: stores open in the
 * background, and nobody sees half of a configuration.
 *
 * End: nobody new comes in, sessions are asked to leave, targets go, stores
 * close; then threads are joined.  A store that hangs must not hold us: after
 * END_MS the process ends without waiting for it.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/rcu.h"
#include "bs/loader.h"
#include "tgtd/daemonize.h"
#include "iscsi/portal.h"
#include "iscsi/target.h"
#include "tgtd/config.h"
#include "tgtd/limits.h"
#include "lu/reserve.h"
#include "mgmt/methods.h"
#include "mgmt/server.h"
#include "mgmt/system.h"
#include "tgtd/options.h"
#include "reactor/buffer.h"
#include "reactor/group.h"
#include "reactor/mailbox.h"
#include "reactor/timer.h"
#include "reactor/worker.h"
#include "sbc/sbc.h"
#include "tgtd/signals.h"
#include "tgtd/watchdog.h"
#include "tgtd/state.h"
#include "spc/spc.h"

#define POLITE_MS	2000	/* for initiators to log out */
#define END_MS		4000	/* from the first signal to the end */
#define HURRY_MS	200	/* from the second */

static struct {
	struct tgtd_options options;
	struct reactor *control;
	char *pid_file;			/* absolute; NULL: none */
	bool ending, ended;
	struct timer deadline;
	json_t *config;			/* to begin with; NULL: nothing */
	struct mail begin;
	int code;			/* to exit with */
} daemon_state;

static int __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	fputs("tgtd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

/* --- the end ---------------------------------------------------------- */

static void all_answered(void *arg)
{
	(void)arg;
	daemon_state.ended = true;
	reactor_stop(daemon_state.control);
}

static void answer(struct reactor_spread *s, void *arg)
{
	(void)arg;
	reactor_group_spread_put(s);
}

/* What management has asked the reactors before is answered before this. */
static void all_closed(void *arg)
{
	if (reactor_group_spread(answer, all_answered, arg) < 0)
		all_answered(arg);
}

static void deadline_passed(struct timer *timer)
{
	(void)timer;
	log_err("sessions or stores have not ended in time: ending without them");
	reactor_stop(daemon_state.control);
}

static void end(void)
{
	const bool again = daemon_state.ending;

	daemon_state.deadline.expired = deadline_passed;
	if (reactor_timer_arm(daemon_state.control, &daemon_state.deadline,
			      again ? HURRY_MS : END_MS) < 0)
		reactor_stop(daemon_state.control);
	if (again)
		return;
	daemon_state.ending = true;
	tgtd_watchdog_stop();
	sd_notify(0, "STOPPING=1\nSTATUS=closing sessions");
	mgmt_server_stop();
	iscsi_portal_close_all();
	mgmt_system_close_all(POLITE_MS, all_closed, NULL);
}

/* In the reverse of start(), from wherever it came to. */
static void take_apart(void)
{
	if (daemon_state.control)
		tgtd_signals_unwatch(daemon_state.control);
	mgmt_server_stop();
	iscsi_portal_close_all();
	reactor_group_stop();
	rcu_barrier();
	lu_reserve_stop();
	reactor_worker_stop();
	bs_loader_unload();
	if (daemon_state.pid_file)
		unlink(daemon_state.pid_file);
	mgmt_server_fini();
	reactor_free(daemon_state.control);
	json_decref(daemon_state.config);
	free(daemon_state.pid_file);
}

/* --- the start -------------------------------------------------------- */

static void warn_unusable(void *ctx, const char *name, const struct bs_module *m,
			  const char *error)
{
	(void)m;
	if (error)
		log_warn("module bs_%s in %s is not usable: %s", name, (const char *)ctx, error);
}

static void load_modules(void)
{
	char dir[PATH_MAX];
	const int err = bs_loader_scan_default(dir, sizeof(dir));

	if (err < 0)
		log_warn("no backing stores: %s: %s", dir, strerrordesc_np(-err));
	bs_loader_each(warn_unusable, dir);
}

static int make_pid_file(const char *path)
{
	_cleanup_free_ char *cwd = NULL, *absolute = NULL;
	int err;

	if (!path)
		return 0;
	cwd = getcwd(NULL, 0);	/* the daemon leaves it */
	if (asprintf(&absolute, "%s%s%s", *path == '/' ? "" : cwd ? cwd : "",
		     *path == '/' ? "" : "/", path) < 0) {
		absolute = NULL;
		return fail("out of memory");
	}
	err = tgtd_daemonize_write_pid(absolute);
	if (err < 0)
		return fail("cannot write %s: %s", absolute, strerrordesc_np(-err));
	daemon_state.pid_file = TAKE_PTR(absolute);
	return 0;
}

static int start_threads(const struct tgtd_options *o)
{
	char why[2 * PATH_MAX + 128];
	int err;

	/* liburcu's thread too: none is added later. */
	if (!get_default_call_rcu_data())
		return fail("cannot start a thread for RCU");
	err = reactor_worker_start(o->worker_threads);
	if (err < 0)
		return fail("cannot start %u worker threads: %s", o->worker_threads,
			    strerrordesc_np(-err));
	if (tgtd_state_start(o->state_dir, why, sizeof(why)) < 0)
		return fail("%s", why);
	daemon_state.control = reactor_new(REACTOR_CONTROL);
	if (!daemon_state.control)
		return fail("cannot make the control thread's reactor: %s",
			    strerrordesc_np(errno));
	err = spc_register();
	if (!err)
		err = sbc_register();
	if (err < 0)
		return fail("cannot register device types: %s", strerrordesc_np(-err));
	reactor_buffer_set_cap(o->memory_bytes / o->reactors);
	reactor_buffer_set_huge(o->huge_pages);
	reactor_set_poll_ns(o->poll_us * NS_PER_US);
	reactor_group_set_cpus(o->nr_cpus ? o->cpus : NULL);
	err = reactor_group_start(daemon_state.control, o->reactors);
	if (err < 0)
		return fail("cannot start %u reactors: %s", o->reactors,
			    strerrordesc_np(-err));
	return 0;
}

/* Those of the command line; else of the configuration; else on all addresses. */
static int open_portals(const struct tgtd_options *o)
{
	char why[256] = "out of memory";

	if (!o->nr_portals && tgtd_config_has_portals(daemon_state.config))
		return tgtd_config_open_portals(daemon_state.config, why, sizeof(why)) < 0 ?
			fail("%s: %s", o->config, why) : 0;
	if (!o->nr_portals && iscsi_portal_new("", ISCSI_PORTAL_GROUP, why, sizeof(why)) < 0)
		return fail("portal on all addresses: %s", why);
	for (unsigned int i = 0; i < o->nr_portals; i++) {
		const struct tgtd_portal *p = &o->portals[i];

		if (iscsi_portal_new(p->text, p->tpgt ? p->tpgt : ISCSI_PORTAL_GROUP, why,
				     sizeof(why)) < 0)
			return fail("portal %s: %s", p->text, why);
	}
	return 0;
}

static int start_serving(const struct tgtd_options *o)
{
	const struct mgmt_server_options server = { o->control_port, o->mgmt_group };
	char why[256];
	int code = open_portals(o);

	if (code)
		return code;
	mgmt_system_on_shutdown(end);
	if (mgmt_server_start(daemon_state.control, &server, mgmt_methods, why,
			      sizeof(why)) < 0)
		return fail("%s", why);
	return make_pid_file(o->pid_file);
}

static void tell_ready(const struct tgtd_options *o)
{
	if (!o->foreground)
		log_to_syslog("tgtd");
	log_info("version " TGT_VERSION " is ready: %u reactors, %u workers", o->reactors,
		 o->worker_threads);
	tgtd_daemonize_ready();
	sd_notifyf(0, "READY=1\nSTATUS=serving with %u reactors", o->reactors);
}

/* --- with a configuration, on control's reactor ------------------------ */

static void configured(const char *why)
{
	const struct tgtd_options *o = &daemon_state.options;

	if (daemon_state.ending)
		return;
	daemon_state.code = why ? fail("%s: %s", o->config, why) : start_serving(o);
	if (daemon_state.code)
		end();
	else
		tell_ready(o);
}

static void begin(struct mail *m)
{
	(void)m;
	tgtd_config_apply(daemon_state.config, configured);
}

static int configure_later(const struct tgtd_options *o)
{
	char why[256];

	if (tgtd_config_read(o->config, &daemon_state.config, why, sizeof(why)) < 0)
		return fail("%s", why);
	reactor_mailbox_send(daemon_state.control, &daemon_state.begin, begin);
	return 0;
}

/* 0, or the exit code after a sentence. */
static int start(const struct tgtd_options *o)
{
	char why[256];
	int code, err;

	umask(0077);
	tgtd_limits_raise();
	if (mgmt_server_lock(o->control_port, why, sizeof(why)) < 0)
		return fail("%s", why);
	load_modules();
	code = start_threads(o);
	if (code)
		return code;
	iscsi_target_set_nop_default(o->nop_interval_s, o->nop_count);
	err = tgtd_signals_watch(daemon_state.control, end);
	if (err < 0)
		return fail("cannot watch signals: %s", strerrordesc_np(-err));
	if (o->config)
		return configure_later(o);
	rcu_register_thread();		/* what we publish, we publish as one */
	code = start_serving(o);
	rcu_unregister_thread();
	if (!code)
		tell_ready(o);
	return code;
}

int main(int argc, char **argv)
{
	struct tgtd_options *o = &daemon_state.options;
	int code = tgtd_options_parse(argc, argv, o);

	if (code >= 0)
		return code;
	atomic_store(&log_debug_enabled, o->debug);
	tgtd_signals_block();
	if (!o->foreground && !o->nodaemonize) {
		const int err = tgtd_daemonize_start();

		if (err < 0)
			return fail("cannot fork: %s", strerrordesc_np(-err));
	}
	code = start(o);
	if (code) {
		take_apart();
		process_end(code);
	}
	tgtd_watchdog_start(daemon_state.control);
	reactor_run(daemon_state.control);
	if (!daemon_state.ended) {
		/* Threads may hang in a store: they cannot be joined. */
		if (daemon_state.pid_file)
			unlink(daemon_state.pid_file);
		_exit(daemon_state.code);
	}
	log_info("all is closed");
	take_apart();
	process_end(daemon_state.code);
}
