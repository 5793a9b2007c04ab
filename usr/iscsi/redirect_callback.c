/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/redirect_callback.c - a program tells where a login is to go.
 *
 *	<program> <target name> <initiator's address>
 *
 * Control never waits for it: a pidfd tells of its end, and what it printed is
 * then in the pipe (more than a pipe holds is no answer, but a program that does
 * not end).  A program that is killed keeps its place until it is reaped.
 */
#include "iscsi/redirect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/text.h"
#include "iscsi/target.h"
#include "reactor/group.h"
#include "reactor/watch.h"
#include "scsi/target.h"

struct iscsi_redirect_program {
	pid_t pid;			/* 0: this place is free */
	int out_fd;			/* what it prints */
	struct watch watch;		/* its pidfd */
	struct iscsi_redirect_query *query;	/* NULL: killed, nobody waits */
};

/* All control's. */
static struct iscsi_redirect_program programs[ISCSI_REDIRECT_PROGRAMS_MAX];
static struct list_head running = LIST_HEAD_INIT(running);	/* queries */
static struct list_head queued = LIST_HEAD_INIT(queued);

static void start_queued(void);

static const struct iscsi_redirect *config_of(const struct iscsi_redirect_query *q)
{
	return &iscsi_target_config(q->target)->redirect;
}

/* --- one program --- */

/* argv is not const in posix_spawn(3), though it is only read. */
static int spawn(const char *path, char *const argv[], int out_fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipes;
	int err;

	if (posix_spawn_file_actions_init(&files))
		return -ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&files);
		return -ENOMEM;
	}
	sigemptyset(&none);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);	/* which the daemon ignores */
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipes);
	/* A group of its own: what it starts is killed with it. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	err = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
					       O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
	if (!err)
		err = posix_spawn(ret_pid, path, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

/* The place is free again. */
static void forget(struct iscsi_redirect_program *p)
{
	close(p->out_fd);
	p->pid = 0;
}

static void ended(struct watch *w, uint32_t events);

/* Watch for the end of the child @p->pid. */
static int watch_child(struct iscsi_redirect_program *p)
{
	int err;

	p->watch = (struct watch){ .fd = (int)syscall(SYS_pidfd_open, p->pid, 0),
				   .events = EPOLLIN,
				   .ready = ended };
	if (p->watch.fd == -1)
		return -errno;
	err = reactor_watch_add(reactor_group_control(), &p->watch);
	if (err < 0)
		close(p->watch.fd);
	return err;
}

static int program_start(struct iscsi_redirect_program *p, struct iscsi_redirect_query *q,
			 const char *path)
{
	char *const argv[] = { (char *)path, (char *)q->target->scsi->name,
			       (char *)q->peer, NULL };
	_cleanup_close_ int in = -1;
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return -errno;
	p->out_fd = fds[0];
	in = fds[1];
	/* A program may rely on a stdout that blocks. */
	err = fcntl(in, F_SETFL, 0) == -1 ? -errno : spawn(path, argv, in, &p->pid);
	if (err < 0) {
		forget(p);
		return err;
	}
	err = watch_child(p);
	if (err < 0) {		/* its end would not be heard of; SIGKILL makes it now */
		kill(-p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		forget(p);
	}
	return err;
}

/* --- queries --- */

/* By the program's @answer; NULL or "": by the fixed address. */
static void settle(struct iscsi_redirect_query *q, const char *answer, const char *why)
{
	char quoted[96];

	reactor_timer_cancel(reactor_group_control(), &q->timer);
	list_del(&q->node);
	if (answer && *answer && iscsi_redirect_parse(answer, &q->to) < 0) {
		log_warn("target %s: RedirectCallback answered '%s', which is not address:port:reason",
			 q->target->scsi->name,
			 text_quote(quoted, sizeof(quoted), answer,
				    strcspn(answer, "\r\n")));
		answer = NULL;
	} else if (why) {
		log_warn("target %s: RedirectCallback %s", q->target->scsi->name, why);
	}
	if (!answer || !*answer)
		iscsi_redirect_fixed(config_of(q), &q->to);
	q->done(q);
}

/* Nobody waits for its program any more. */
static void part(struct iscsi_redirect_query *q)
{
	struct iscsi_redirect_program *p = TAKE_PTR(q->program);

	if (!p)
		return;
	p->query = NULL;
	kill(-p->pid, SIGKILL);
}

static void expired(struct timer *t)
{
	struct iscsi_redirect_query *q =
		container_of(t, struct iscsi_redirect_query, timer);
	const bool started = q->program;

	part(q);
	settle(q, NULL,
	       started ? "has not ended within 100 ms" :
			 "could not be asked: too many are running");
}

static_assert(ISCSI_REDIRECT_LIMIT_MS == 100, "expired() says so");

static void ended(struct watch *w, uint32_t events __attribute__((unused)))
{
	struct iscsi_redirect_program *p =
		container_of(w, struct iscsi_redirect_program, watch);
	struct iscsi_redirect_query *q = TAKE_PTR(p->query);
	char answer[2 * NET_ADDR_TEXT_MAX];
	const int pidfd = w->fd;
	bool good;
	int status;
	ssize_t n;

	good = waitpid(p->pid, &status, 0) == p->pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
	n = read(p->out_fd, answer, sizeof(answer) - 1);
	answer[n > 0 ? n : 0] = '\0';
	reactor_watch_del(reactor_group_control(), w);
	close(pidfd);
	forget(p);
	if (q) {
		q->program = NULL;
		settle(q, good ? answer : NULL, good ? NULL : "failed");
	}
	start_queued();
}

static struct iscsi_redirect_program *free_place(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!programs[i].pid)
			return &programs[i];
	return NULL;
}

/* -errno: it is not running. */
static int start(struct iscsi_redirect_query *q, struct iscsi_redirect_program *p)
{
	const int err = program_start(p, q, config_of(q)->callback);

	if (err < 0)
		return err;
	q->program = p;
	p->query = q;
	list_add_tail(&running, &q->node);
	/* A timer that was armed moves: only a new one can fail. */
	if (reactor_timer_arm(reactor_group_control(), &q->timer,
			      ISCSI_REDIRECT_LIMIT_MS) < 0) {
		list_del(&q->node);
		part(q);
		return -ENOMEM;
	}
	return 0;
}

static void start_queued(void)
{
	struct iscsi_redirect_program *p;

	while (!list_empty(&queued) && (p = free_place())) {
		struct iscsi_redirect_query *q =
			list_first(&queued, struct iscsi_redirect_query, node);
		const char *why = NULL;

		list_del(&q->node);
		if (config_of(q)->callback) {
			const int err = start(q, p);

			if (!err)
				continue;
			why = strerror(-err);
		}
		list_add_tail(&running, &q->node);	/* settle() takes it off */
		settle(q, NULL, why);
	}
}

bool iscsi_redirect_find(struct iscsi_redirect_query *q)
{
	const struct iscsi_redirect *r = config_of(q);
	struct iscsi_redirect_program *p = free_place();
	int err;

	iscsi_redirect_fixed(r, &q->to);
	if (!r->callback)
		return true;
	q->timer.expired = expired;
	if (p && list_empty(&queued)) {
		err = start(q, p);
	} else {
		err = reactor_timer_arm(reactor_group_control(), &q->timer,
					ISCSI_REDIRECT_QUEUE_MS);
		if (!err)
			list_add_tail(&queued, &q->node);
	}
	if (err < 0)
		log_warn("target %s: RedirectCallback %s: %s", q->target->scsi->name,
			 r->callback, strerror(-err));
	return err < 0;
}

static void cancel(struct list_head *list, int tid)
{
	struct iscsi_redirect_query *q, *tmp;

	list_for_each_safe(q, tmp, list, node) {
		if (tid != -1 && q->target->scsi->tid != tid)
			continue;
		part(q);
		q->cancelled = true;
		settle(q, NULL, NULL);
	}
}

void iscsi_redirect_cancel(int tid)
{
	cancel(&queued, tid);
	cancel(&running, tid);
}
