/* SPDX-License-Identifier: BSD-3-Clause */
/* A reactor runs on this thread until the test has seen what it wants, or until
 * a timer says that it never will. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/macros.h"
#include "net/addr.h"
#include "net/listener.h"
#include "reactor/mailbox.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"

#define PATIENCE_MS	20000
#define MANY		200

static struct test {
	struct reactor *r;
	struct timer patience, later;
	uint64_t later_ms;
	struct mail start;
	int fds[MANY];
	int n, wanted;
	bool timed_out;
	struct rlimit limit;
} t;

static void lost_patience(struct timer *timer)
{
	(void)timer;
	t.timed_out = true;
	reactor_stop(t.r);
}

/* Timers belong to a reactor that runs. */
static void start(struct mail *m)
{
	(void)m;
	reactor_timer_arm(t.r, &t.patience, PATIENCE_MS);
	if (t.later_ms)
		reactor_timer_arm(t.r, &t.later, t.later_ms);
}

static void accepted(void *arg, int fd)
{
	assert_ptr_equal(arg, &t);
	t.fds[t.n++] = fd;
	if (t.n == t.wanted)
		reactor_stop(t.r);
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.r = reactor_new(REACTOR_CONTROL);
	assert_non_null(t.r);
	t.patience.expired = lost_patience;
	reactor_mailbox_send(t.r, &t.start, start);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < t.n; i++)
		close(t.fds[i]);
	reactor_timer_cancel(t.r, &t.patience);
	reactor_free(t.r);
	return 0;
}

static struct net_listener *listen_on(const char *text)
{
	struct sockaddr_storage addr;
	struct net_listener *l;
	int err;

	assert_int_equal(net_addr_parse(text, 0, &addr, NULL, 0), 0);
	err = net_listener_open(t.r, &addr, accepted, &t, &l);
	if (err == -EADDRNOTAVAIL || err == -EAFNOSUPPORT)
		return NULL;		/* no such family on this host */
	assert_int_equal(err, 0);
	return l;
}

static int connect_to(const struct net_listener *l)
{
	const struct sockaddr_storage *addr = net_listener_local(l);
	const int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, (const struct sockaddr *)addr,
				 net_addr_bytes(addr)), 0);
	return fd;
}

static void accepts_v4_and_v6_on_the_same_port(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]" };
	struct net_listener *l[2] = { NULL };
	int fds[2] = { -1, -1 };
	char text[NET_ADDR_TEXT_MAX] = "";

	(void)state;
	for (int i = 0; i < 2; i++) {
		const unsigned int port = l[0] ? net_addr_port(net_listener_local(l[0])) : 0;

		snprintf(text, sizeof(text), "%s:%u", hosts[i], port);
		l[i] = listen_on(text);
		if (!l[i])
			continue;
		assert_int_not_equal(net_addr_port(net_listener_local(l[i])), 0);
		fds[i] = connect_to(l[i]);
		t.wanted++;
	}
	reactor_run(t.r);
	assert_false(t.timed_out);
	for (int i = 0; i < t.n; i++) {
		assert_true(fcntl(t.fds[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(t.fds[i], F_GETFD) & FD_CLOEXEC);
	}
	for (int i = 0; i < 2; i++) {
		net_listener_close(l[i]);
		if (fds[i] != -1)
			close(fds[i]);
	}
}

static void a_port_is_bound_once(void **state)
{
	struct net_listener *l = listen_on("127.0.0.1:0"), *other;

	(void)state;
	assert_int_equal(net_listener_open(t.r, net_listener_local(l), accepted, &t,
					   &other), -EADDRINUSE);
	net_listener_close(l);
}

static void a_foreign_address_is_an_error(void **state)
{
	struct sockaddr_storage addr;
	struct net_listener *l;

	(void)state;
	net_addr_parse("192.0.2.1:0", 0, &addr, NULL, 0);
	assert_int_equal(net_listener_open(t.r, &addr, accepted, &t, &l),
			 -EADDRNOTAVAIL);
}

static void many_are_accepted(void **state)
{
	struct net_listener *l = listen_on("127.0.0.1:0");
	int fds[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		fds[i] = connect_to(l);
	t.wanted = MANY;
	reactor_run(t.r);
	assert_false(t.timed_out);
	net_listener_close(l);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

static void raise_limit(struct timer *timer)
{
	(void)timer;
	setrlimit(RLIMIT_NOFILE, &t.limit);
}

/* With no descriptor left the listener waits.  A loop that spun would burn the
 * whole second. */
static void out_of_descriptors_it_waits_and_goes_on(void **state)
{
	struct net_listener *l = listen_on("127.0.0.1:0");
	struct timespec begin, end;
	struct rlimit none;
	double cpu_s;
	int fd;

	(void)state;
	fd = connect_to(l);
	getrlimit(RLIMIT_NOFILE, &t.limit);
	none = t.limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	t.later.expired = raise_limit;
	t.later_ms = 1000;
	t.wanted = 1;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	reactor_run(t.r);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	setrlimit(RLIMIT_NOFILE, &t.limit);
	assert_false(t.timed_out);
	assert_int_equal(t.n, 1);
	cpu_s = (double)(end.tv_sec - begin.tv_sec) +
		(double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	if (cpu_s > 0.25)
		fail_msg("%.3f s of CPU while a second passed", cpu_s);
	net_listener_close(l);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(accepts_v4_and_v6_on_the_same_port,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_port_is_bound_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_foreign_address_is_an_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_are_accepted, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_descriptors_it_waits_and_goes_on,
						setup, teardown),
	};

	return cmocka_run_group_tests_name("net/listener", tests, NULL, NULL);
}
