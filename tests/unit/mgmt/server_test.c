/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/server: real sockets.  The reactor runs on a thread of its own, the test
 * is the clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/macros.h"
#include "base/text.h"
#include "mgmt/rpc.h"
#include "mgmt/server.h"
#include "mgmt/wire.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"

#define PORT	7
#define WAIT_MS	20000		/* for what must come; never waited out */

static char dir[64];
static struct reactor *control;
static pthread_t thread;

/* --- methods ---------------------------------------------------------- */

static struct mgmt_call *held;
static struct timer timer;
static sem_t held_now, dropped;

static void run_echo(struct mgmt_call *call)
{
	mgmt_rpc_reply(call, json_pack("{s:I}", "n",
				       (json_int_t)mgmt_rpc_int(call, "n", -1)));
}

static void expired(struct timer *t)
{
	struct mgmt_call *call = held;

	(void)t;
	held = NULL;
	mgmt_rpc_reply(call, json_pack("{s:s}", "late", "yes"));
	sem_post(&dropped);
}

/* Answered after "ms". */
static void run_later(struct mgmt_call *call)
{
	held = call;
	timer.expired = expired;
	reactor_timer_arm(reactor_current(), &timer, (uint64_t)mgmt_rpc_int(call, "n", 0));
	sem_post(&held_now);
}

static void run_big(struct mgmt_call *call)
{
	const size_t n = (size_t)mgmt_rpc_int(call, "n", 0) << 20;
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	mgmt_rpc_reply(call, json_pack("{s:s}", "text", text));
	free(text);
}

static const struct mgmt_field n_field[] = { { "n", "a number", MGMT_INT, false, 0, 9999 },
					     { NULL } };
static const struct mgmt_method methods[] = {
	{ "test.big", "", NULL, n_field, run_big },
	{ "test.echo", "", NULL, n_field, run_echo },
	{ "test.later", "", NULL, n_field, run_later },
	{ NULL }
};

/* --- a client --------------------------------------------------------- */

static int client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char path[MGMT_SOCKET_PATH_MAX];
	const struct timeval limit = { WAIT_MS / 1000, 0 };

	assert_true(mgmt_socket_path(path, PORT));
	text_copy(addr.sun_path, sizeof(addr.sun_path), path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void call(int fd, int id, const char *method, int n)
{
	char line[128];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":{\"n\":%d}}\n", id,
		 method, n);
	put(fd, line);
}

/* The next line, byte by byte; "" at the end. */
static char *get(int fd)
{
	static char line[1 << 16];
	size_t n = 0;

	while (n < sizeof(line) - 1 && recv(fd, line + n, 1, 0) == 1) {
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return line;
}

static void expect_result(int fd, int id, const char *result)
{
	char want[128];

	snprintf(want, sizeof(want), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":%s}", id, result);
	assert_string_equal(get(fd), want);
}

static void expect_alive(void)
{
	const int fd = client();

	call(fd, 77, "test.echo", 5);
	expect_result(fd, 77, "{\"n\":5}");
	close(fd);
}

static void wait_sem(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	assert_int_equal(sem_timedwait(sem, &until), 0);
}

/* --- tests ------------------------------------------------------------ */

static void requests_come_in_any_pieces(void **state)
{
	static const char line[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.echo\",\"params\":{\"n\":3}}\n";
	const int fd = client();

	(void)state;
	for (size_t i = 0; i < sizeof(line) - 1; i++)
		assert_int_equal(send(fd, line + i, 1, MSG_NOSIGNAL), 1);
	expect_result(fd, 1, "{\"n\":3}");
	put(fd, "\n  \r\n\n");		/* blank lines ask for nothing */
	call(fd, 2, "test.echo", 4);
	expect_result(fd, 2, "{\"n\":4}");
	close(fd);
}

static void requests_are_answered_in_order(void **state)
{
	const int fd = client(), other = client();

	(void)state;
	call(fd, 1, "test.later", 100);
	call(fd, 2, "test.echo", 2);
	call(fd, 3, "test.echo", 3);
	wait_sem(&held_now);
	call(other, 9, "test.echo", 9);		/* others do not wait */
	expect_result(other, 9, "{\"n\":9}");
	expect_result(fd, 1, "{\"late\":\"yes\"}");
	expect_result(fd, 2, "{\"n\":2}");
	expect_result(fd, 3, "{\"n\":3}");
	wait_sem(&dropped);
	close(fd);
	close(other);
}

static void a_client_that_leaves_hurts_nobody(void **state)
{
	int fd = client();

	(void)state;
	call(fd, 1, "test.later", 50);
	wait_sem(&held_now);
	close(fd);
	wait_sem(&dropped);	/* the answer had nobody to go to */
	expect_alive();
	fd = client();
	put(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"meth");
	close(fd);
	expect_alive();
}

static void half_a_goodbye_is_still_answered(void **state)
{
	const int fd = client();

	(void)state;
	call(fd, 1, "test.later", 20);
	call(fd, 2, "test.echo", 2);
	shutdown(fd, SHUT_WR);
	expect_result(fd, 1, "{\"late\":\"yes\"}");
	expect_result(fd, 2, "{\"n\":2}");
	assert_string_equal(get(fd), "");
	wait_sem(&held_now);
	wait_sem(&dropped);
	close(fd);
}

static void garbage_is_told_and_survived(void **state)
{
	const int fd = client();

	(void)state;
	put(fd, "GET / HTTP/1.0\n");
	assert_non_null(strstr(get(fd), "\"code\":-32700"));
	call(fd, 1, "test.echo", 1);
	expect_result(fd, 1, "{\"n\":1}");
	close(fd);
}

static void a_line_without_end_is_cut_off(void **state)
{
	const size_t n = MGMT_REQUEST_MAX + 1;
	char *text = malloc(n);
	const int fd = client();
	size_t sent = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	while (sent < n) {
		const ssize_t m = send(fd, text + sent, n - sent, MSG_NOSIGNAL);

		if (m < 0)
			break;
		sent += (size_t)m;
	}
	assert_true(sent >= MGMT_REQUEST_MAX);
	assert_non_null(strstr(get(fd), "longer than 16 MiB"));
	assert_string_equal(get(fd), "");
	free(text);
	close(fd);
	expect_alive();
}

static void the_longest_line_is_taken(void **state)
{
	static const char head[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.echo\",\"params\":{}";
	char *text = malloc(MGMT_REQUEST_MAX + 1);
	const int fd = client();

	(void)state;
	assert_non_null(text);
	memset(text, ' ', MGMT_REQUEST_MAX);
	memcpy(text, head, sizeof(head) - 1);
	text[MGMT_REQUEST_MAX - 2] = '}';
	text[MGMT_REQUEST_MAX - 1] = '\n';
	text[MGMT_REQUEST_MAX] = '\0';
	put(fd, text);
	expect_result(fd, 1, "{\"n\":-1}");
	free(text);
	close(fd);
}

/* Nobody reads: the answer waits, and so do further requests. */
static void a_slow_reader_gets_it_all(void **state)
{
	const int fd = client();
	size_t got = 0;
	char buf[65536];

	(void)state;
	call(fd, 1, "test.big", 8);
	call(fd, 2, "test.echo", 2);
	expect_alive();
	while (got < (8U << 20)) {
		const ssize_t n = recv(fd, buf, sizeof(buf), 0);

		assert_true(n > 0);
		got += (size_t)n;
		if (memchr(buf, '\n', (size_t)n))
			break;
	}
	assert_in_range(got, 8 << 20, (8 << 20) + 4096);
	close(fd);
	expect_alive();
}

static void there_is_room_for_so_many(void **state)
{
	int fds[MGMT_CLIENTS_MAX], more;

	(void)state;
	for (int i = 0; i < MGMT_CLIENTS_MAX; i++) {
		fds[i] = client();
		call(fds[i], i, "test.echo", i);
		free(strdup(get(fds[i])));
	}
	more = client();
	assert_non_null(strstr(get(more), "too many management clients"));
	assert_string_equal(get(more), "");
	close(more);
	for (int i = 0; i < MGMT_CLIENTS_MAX; i++)
		close(fds[i]);
	/* Their places are free as soon as the daemon has seen them go. */
	for (int tries = 0; tries < WAIT_MS; tries++) {
		more = client();
		call(more, 1, "test.echo", 1);
		if (strstr(get(more), "result")) {
			close(more);
			return;
		}
		close(more);
		poll(NULL, 0, 1);
	}
	fail_msg("the places stay taken");
}

static void without_descriptors_it_waits(void **state)
{
	struct rlimit limit, less;
	const int fd = client(), lowest = dup(fd);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char path[MGMT_SOCKET_PATH_MAX];
	struct pollfd p = { .fd = lowest, .events = POLLIN };
	int s;

	(void)state;
	call(fd, 1, "test.echo", 1);
	expect_result(fd, 1, "{\"n\":1}");
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(dup2(s, lowest), lowest);
	close(s);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	less = limit;
	less.rlim_cur = 3;		/* all of them are taken */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	assert_true(mgmt_socket_path(path, PORT));
	text_copy(addr.sun_path, sizeof(addr.sun_path), path);
	assert_int_equal(connect(lowest, (struct sockaddr *)&addr, sizeof(addr)), 0);
	call(lowest, 2, "test.echo", 2);
	/* Who is in is served meanwhile.  Twice: the turn after the first answer
	 * is one that has seen the newcomer. */
	for (int i = 3; i < 5; i++) {
		call(fd, i, "test.echo", 0);
		expect_result(fd, i, "{\"n\":0}");
	}
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_result(lowest, 2, "{\"n\":2}");
	close(lowest);
	close(fd);
}

static void nobody_else_may_enter(void **state)
{
	char path[MGMT_SOCKET_PATH_MAX];
	struct stat st;
	pid_t pid;
	int status;

	(void)state;
	assert_true(mgmt_socket_path(path, PORT));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	if (geteuid() != 0)
		skip();
	/* Open the door wide: the credentials still count. */
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	pid = fork();
	if (!pid) {
		const int fd = client();
		bool refused;

		close(fd);
		if (setgid(65534) || setuid(65534))
			_exit(2);
		refused = strstr(get(client()), "\"code\":-32001") != NULL;
		_exit(refused ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_lock_is_held_by_one(void **state)
{
	char why[256];
	int status;
	pid_t pid;

	(void)state;
	pid = fork();		/* such locks are between processes */
	if (!pid)
		_exit(mgmt_server_lock(PORT, why, sizeof(why)) < 0 &&
		      strstr(why, "another tgtd is using") ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- */

static void *thread_main(void *arg)
{
	reactor_run(arg);
	return NULL;
}

static int start(void **state)
{
	const struct mgmt_server_options o = { PORT, MGMT_NO_GROUP };
	char base[80], why[256];

	(void)state;
	text_copy(dir, sizeof(dir), "/tmp/mgmt-server-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(base, sizeof(base), "%s/socket", dir);
	setenv(MGMT_SOCKET_ENV, base, 1);
	sem_init(&held_now, 0, 0);
	sem_init(&dropped, 0, 0);
	control = reactor_new(REACTOR_CONTROL);
	if (!control || mgmt_server_lock(PORT, why, sizeof(why)) ||
	    mgmt_server_start(control, &o, methods, why, sizeof(why)))
		return -1;
	return pthread_create(&thread, NULL, thread_main, control);
}

static int stop(void **state)
{
	char path[128];

	(void)state;
	reactor_stop(control);
	pthread_join(thread, NULL);
	mgmt_server_fini();
	reactor_free(control);
	snprintf(path, sizeof(path), "%s/socket.%d.lock", dir, PORT);
	unlink(path);
	return rmdir(dir);	/* the socket is gone, too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_come_in_any_pieces),
		cmocka_unit_test(requests_are_answered_in_order),
		cmocka_unit_test(a_client_that_leaves_hurts_nobody),
		cmocka_unit_test(half_a_goodbye_is_still_answered),
		cmocka_unit_test(garbage_is_told_and_survived),
		cmocka_unit_test(a_line_without_end_is_cut_off),
		cmocka_unit_test(the_longest_line_is_taken),
		cmocka_unit_test(a_slow_reader_gets_it_all),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(without_descriptors_it_waits),
		cmocka_unit_test(nobody_else_may_enter),
		cmocka_unit_test(a_lock_is_held_by_one),
	};

	return cmocka_run_group_tests_name("mgmt/server", tests, start, stop);
}
