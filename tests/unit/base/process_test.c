/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a process: what it leaves alone, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/process.h"

static void *volatile kept;

static void taken_apart(void)
{
	printf("taken apart\n");
	fflush(stdout);
}

static void *stay(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Run @child with its output in @out; its wait status. */
static int run(void (*child)(void), char *out, size_t bytes)
{
	int fds[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		child();
	}
	close(fds[1]);
	while ((got = read(fds[0], out + n, bytes - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void says_and_ends(void)
{
	pthread_t t;

	atexit(taken_apart);
	pthread_create(&t, NULL, stay, NULL);
	printf("the last word");
	process_end(7);
}

static void what_other_threads_use_stays(void **state)
{
	char out[64];
	const int status = run(says_and_ends, out, sizeof(out));

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_string_equal(out, "the last word");
}

#ifdef __SANITIZE_ADDRESS__
static void leaks(void)
{
	close(STDERR_FILENO);
	kept = malloc(100);
	kept = NULL;
	process_end(0);
}

static void leaks_are_found(void **state)
{
	char out[64];
	const int status = run(leaks, out, sizeof(out));

	(void)state;
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_other_threads_use_stays),
#ifdef __SANITIZE_ADDRESS__
		cmocka_unit_test(leaks_are_found),
#endif
	};

	return cmocka_run_group_tests_name("base/process", tests, NULL, NULL);
}
