/* SPDX-License-Identifier: BSD-3-Clause */
/* Portals: real sockets on loopback, on a control reactor that this thread runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/macros.h"
#include "base/rcu.h"
#include "iscsi/conn.h"
#include "iscsi/portal.h"
#include "net/addr.h"
#include "reactor/group.h"

#define PATIENCE_MS	20000

static struct reactor *control;
static unsigned int nr_accepted;
static bool timed_out;
static struct timer patience;
static struct mail start;

int iscsi_conn_accept(int fd, uint16_t tpgt)
{
	assert_int_equal(tpgt, 1);
	close(fd);
	nr_accepted++;
	reactor_stop(control);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	rcu_register_thread();
	nr_accepted = 0;
	timed_out = false;
	control = reactor_new(REACTOR_CONTROL);
	assert_non_null(control);
	assert_int_equal(reactor_group_start(control, 1), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	iscsi_portal_close_all();
	iscsi_portal_set_open(true);
	reactor_group_stop();
	rcu_quiescent_state();
	rcu_barrier();
	reactor_free(control);
	rcu_unregister_thread();
	return 0;
}

struct shown {
	char text[1000];
	unsigned int n;
	struct sockaddr_storage newest;
};

static void show(const struct sockaddr_storage *addr, uint16_t tpgt, void *arg)
{
	struct shown *s = arg;
	char endpoint[NET_ADDR_TEXT_MAX];
	const size_t at = strlen(s->text);

	if (!s->n++)
		s->newest = *addr;
	snprintf(s->text + at, sizeof(s->text) - at, "%s,%u ",
		 net_addr_format_endpoint(addr, endpoint, sizeof(endpoint)), tpgt);
}

static struct shown shown(void)
{
	struct shown s = { .n = 0 };

	iscsi_portal_each(show, &s);
	return s;
}

static void assert_new(const char *text, int want)
{
	char why[200] = "";
	const int err = iscsi_portal_new(text, ISCSI_PORTAL_GROUP, why, sizeof(why));

	if (err != want)
		fail_msg("%s: %d (%s)", text, err, why);
	if (err)
		assert_int_equal(why[strlen(why) - 1], '.');
}

static void newest_is_shown_first_with_its_port(void **state)
{
	const struct iscsi_portal_list *list;
	struct shown s;
	char want[200];
	unsigned int first, second;

	(void)state;
	assert_int_equal(shown().n, 0);
	assert_new("127.0.0.1:0", 0);
	s = shown();
	first = net_addr_port(&s.newest);
	assert_int_not_equal(first, 0);
	assert_new("127.0.0.2:0", 0);
	s = shown();
	second = net_addr_port(&s.newest);
	snprintf(want, sizeof(want), "127.0.0.2:%u,1 127.0.0.1:%u,1 ", second, first);
	assert_string_equal(s.text, want);
	/* Initiators are told them in the order of their making. */
	list = iscsi_portal_list();
	assert_int_equal(list->n, 2);
	assert_int_equal(net_addr_port(&list->e[0].addr), first);
	assert_int_equal(list->e[1].tpgt, 1);
}

static void what_cannot_be_is_refused(void **state)
{
	struct shown s;
	char text[100];

	(void)state;
	assert_new("nonsense", -EINVAL);
	assert_new("127.0.0.1:70000", -EINVAL);
	assert_new("192.0.2.1:0", -EADDRNOTAVAIL);
	assert_new("127.0.0.1:0", 0);
	s = shown();
	snprintf(text, sizeof(text), "127.0.0.1:%u", net_addr_port(&s.newest));
	assert_new(text, -EEXIST);
	snprintf(text, sizeof(text), "0.0.0.0:%u", net_addr_port(&s.newest));
	assert_new(text, -EADDRINUSE);
	assert_int_equal(shown().n, 1);
}

static void no_address_is_every_address(void **state)
{
	struct shown s;
	char text[100];
	uint16_t port;

	(void)state;
	assert_new(":0", 0);
	s = shown();
	port = net_addr_port(&s.newest);
	assert_true(s.n == 1 || s.n == 2);	/* without or with IPv6 */
	snprintf(text, sizeof(text), "0.0.0.0:%u,1 ", port);
	assert_non_null(strstr(s.text, text));
	if (s.n == 2) {
		snprintf(text, sizeof(text), "[::]:%u,1 ", port);
		assert_non_null(strstr(s.text, text));
	}
	snprintf(text, sizeof(text), ":%u", port);
	assert_int_equal(iscsi_portal_delete(text, NULL, 0), 0);
	assert_int_equal(shown().n, 0);
	assert_int_equal(iscsi_portal_list()->n, 0);
}

static void deleted_ones_are_gone(void **state)
{
	struct shown s;
	char text[100], why[200] = "";

	(void)state;
	assert_new("127.0.0.1:0", 0);
	assert_new("127.0.0.1:0", 0);
	s = shown();
	snprintf(text, sizeof(text), "127.0.0.1:%u", net_addr_port(&s.newest));
	assert_int_equal(iscsi_portal_delete(text, why, sizeof(why)), 0);
	assert_int_equal(iscsi_portal_delete(text, why, sizeof(why)), -ENOENT);
	assert_int_equal(why[strlen(why) - 1], '.');
	assert_int_equal(iscsi_portal_delete("x", why, sizeof(why)), -EINVAL);
	assert_int_equal(shown().n, 1);
	assert_new(text, 0);			/* the port is free again */
}

static void lost_patience(struct timer *t)
{
	(void)t;
	timed_out = true;
	reactor_stop(control);
}

static void arm(struct mail *m)
{
	(void)m;
	patience.expired = lost_patience;
	reactor_timer_arm(control, &patience, PATIENCE_MS);
}

static int connect_to(const struct sockaddr_storage *addr)
{
	const int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, (const struct sockaddr *)addr,
				 net_addr_bytes(addr)), 0);
	return fd;
}

static void connections_are_handed_on(void **state)
{
	struct shown s;
	int fd;

	(void)state;
	assert_new("127.0.0.1:0", 0);
	s = shown();
	fd = connect_to(&s.newest);
	rcu_unregister_thread();		/* reactor_run() does that itself */
	reactor_mailbox_send(control, &start, arm);
	reactor_run(control);
	rcu_register_thread();
	assert_false(timed_out);
	assert_int_equal(nr_accepted, 1);
	reactor_timer_cancel(control, &patience);
	close(fd);
}

/* System state "offline": who connects waits. */
static void open_some_turns_later(struct mail *m)
{
	static unsigned int turns;

	assert_int_equal(nr_accepted, 0);
	if (++turns < 10)
		reactor_mailbox_send(control, m, open_some_turns_later);
	else
		iscsi_portal_set_open(true);
}

static void while_closed_nobody_gets_in(void **state)
{
	static struct mail later;
	struct sockaddr_storage before, since;
	int fds[2];

	(void)state;
	assert_new("127.0.0.1:0", 0);
	before = shown().newest;
	iscsi_portal_set_open(false);
	assert_new("127.0.0.1:0", 0);
	since = shown().newest;
	fds[0] = connect_to(&before);
	fds[1] = connect_to(&since);
	rcu_unregister_thread();
	reactor_mailbox_send(control, &start, arm);
	reactor_mailbox_send(control, &later, open_some_turns_later);
	reactor_run(control);
	rcu_register_thread();
	assert_false(timed_out);
	assert_true(nr_accepted >= 1);
	reactor_timer_cancel(control, &patience);
	close(fds[0]);
	close(fds[1]);
}

static void initiators_are_told_what_they_can_reach(void **state)
{
	static const struct {
		const char *portal, *local, *want;	/* NULL: not to be told */
	} cases[] = {
		{ "192.0.2.10:3260", "192.0.2.10:3260", "192.0.2.10:3260" },
		{ "192.0.2.11:860", "192.0.2.10:3260", "192.0.2.11:860" },
		{ "0.0.0.0:3261", "192.0.2.10:3260", "192.0.2.10:3261" },
		{ "[::]:3261", "[2001:db8::1]:3260", "[2001:db8::1]:3261" },
		{ "[::]:3261", "192.0.2.10:3260", NULL },
		{ "0.0.0.0:3261", "[2001:db8::1]:3260", NULL },
		{ "[2001:db8::2]:1", "[2001:db8::1]:3260", "[2001:db8::2]:1" },
		{ "127.0.0.1:3260", "192.0.2.10:3260", NULL },
		{ "127.0.0.1:3260", "127.0.0.2:3260", "127.0.0.1:3260" },
		{ "192.0.2.10:3260", "127.0.0.1:3260", "192.0.2.10:3260" },
		{ "[::1]:3260", "[2001:db8::1]:3260", NULL },
		{ "[fe80::1]:3260", "[2001:db8::1]:3260", NULL },
		{ "[fe80::1]:3260", "[fe80::1]:3260", "[fe80::1]:3260" },
		{ "169.254.1.1:3260", "192.0.2.10:3260", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iscsi_portal_addr portal = { .tpgt = 1 };
		struct sockaddr_storage local, got;
		char text[NET_ADDR_TEXT_MAX];

		net_addr_parse(cases[i].portal, 0, &portal.addr, NULL, 0);
		net_addr_parse(cases[i].local, 0, &local, NULL, 0);
		if (iscsi_portal_reachable(&portal, &local, &got) != !!cases[i].want)
			fail_msg("%s by %s", cases[i].portal, cases[i].local);
		if (cases[i].want)
			assert_string_equal(net_addr_format_endpoint(&got, text,
								     sizeof(text)),
					    cases[i].want);
	}
}

int main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(newest_is_shown_first_with_its_port),
		TEST(what_cannot_be_is_refused),
		TEST(no_address_is_every_address),
		TEST(deleted_ones_are_gone),
		TEST(connections_are_handed_on),
		TEST(while_closed_nobody_gets_in),
		cmocka_unit_test(initiators_are_told_what_they_can_reach),
	};

	return cmocka_run_group_tests_name("iscsi/portal", tests, NULL, NULL);
}
