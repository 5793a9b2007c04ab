/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgtd/daemonize.c - the parent reads a pipe: a byte means ready, its end means
 * that the daemon ended.  Until then the daemon keeps stderr, so that whoever
 * starts it sees what went wrong.
 */
#include "tgtd/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"

static int ready_fd = -1;		/* of the pipe; -1: there is no parent */

static void __attribute__((noreturn)) wait_as_parent(pid_t child, int fd)
{
	ssize_t n;
	int status;
	char byte;

	do
		n = read(fd, &byte, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1)
		_exit(0);
	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			_exit(1);
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
}

int tgtd_daemonize_start(void)
{
	pid_t child;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	child = fork();
	if (child == -1) {
		const int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (child) {
		close(fds[1]);
		wait_as_parent(child, fds[0]);
	}
	close(fds[0]);
	ready_fd = fds[1];
	setsid();
	return 0;
}

void tgtd_daemonize_ready(void)
{
	_cleanup_close_ int null = -1;
	ssize_t n;

	if (ready_fd == -1)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null != -1 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (chdir("/") == -1)
		perror("tgtd: chdir /");
	do
		n = write(ready_fd, "", 1);
	while (n == -1 && errno == EINTR);
	close(ready_fd);
	ready_fd = -1;
}

int tgtd_daemonize_write_pid(const char *path)
{
	_cleanup_close_ int fd = -1;
	char text[16];
	int n;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd == -1)
		return -errno;
	n = snprintf(text, sizeof(text), "%d\n", getpid());
	if (write(fd, text, (size_t)n) != n)
		return errno ? -errno : -EIO;
	return 0;
}
