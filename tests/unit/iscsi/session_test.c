/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The register of sessions, between a control thread and a reactor that really
 * run.  Connections and SCSI nexuses are fakes: a nexus gives itself up when it
 * is closed, or, while `hang` is set, when the test lets it.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/macros.h"
#include "fake_scsi_target.h"
#include "scsi/reach.h"
#include "iscsi/async.h"
#include "iscsi/conn.h"
#include "iscsi/login.h"
#include "iscsi/register.h"
#include "iscsi/session.h"
#include "iscsi/target.h"
#include "reactor/group.h"

#define PATIENCE_S	20

static struct reactor *control, *worker;
static pthread_t control_thread;
static struct iscsi_target *targets[2];
static atomic_int nr_nexus, nr_logouts;
static bool hang;			/* the reactor's */
static struct scsi_nexus *hung[4];
static unsigned int nr_hung;

/* --- fakes, on the reactor --- */

void iscsi_conn_close(struct iscsi_conn *conn, const char *why)
{
	struct iscsi_session *s = conn->session;

	(void)why;
	conn->state = ISCSI_CONN_CLOSED;
	conn->session = NULL;
	if (s)
		iscsi_session_close(s);
}

/* Closed by its initiator; nothing has told the reactor yet. */
static struct iscsi_conn *dead;

bool iscsi_conn_peer_closed(const struct iscsi_conn *conn)
{
	return conn == dead;
}

void iscsi_conn_each(void (*visit)(struct iscsi_conn *conn, void *arg), void *arg)
{
	if (dead)
		visit(dead, arg);
}

void iscsi_async_logout(struct iscsi_conn *conn, unsigned int seconds)
{
	assert_int_equal(conn->state, ISCSI_CONN_FULL_FEATURE);
	assert_true(seconds > 0);
	atomic_fetch_add(&nr_logouts, 1);
}

void iscsi_text_req_exchange_free(struct iscsi_text_exchange *x)
{
	assert_null(x);
}

int scsi_nexus_open(struct scsi_nexus *n, struct scsi_target *target,
		    const char *initiator_port, uint16_t target_port)
{
	assert_int_equal(strncmp(initiator_port, "iqn.x:me,i,0x80000000000", 24), 0);
	assert_int_equal(target_port, 1);
	n->target = target;
	atomic_fetch_add(&nr_nexus, 1);
	return 0;
}

void scsi_reach_enter(struct scsi_nexus *n, const char *user, const char *address)
{
	(void)n, (void)user, (void)address;
}

void scsi_nexus_close(struct scsi_nexus *n, void (*closed)(struct scsi_nexus *n))
{
	n->closed = closed;
	if (hang) {
		hung[nr_hung++] = n;
		return;
	}
	atomic_fetch_sub(&nr_nexus, 1);
	closed(n);
}

/* --- running things where they belong --- */

struct call {
	struct mail mail;
	void (*fn)(void *arg);
	void *arg;
	sem_t done;
};

static void await(sem_t *s)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (sem_timedwait(s, &until) == -1)
		if (errno != EINTR)
			fail_msg("it never happens");
}

static void called(struct mail *m)
{
	struct call *c = container_of(m, struct call, mail);

	c->fn(c->arg);
	sem_post(&c->done);
}

static void run_on(struct reactor *r, void (*fn)(void *arg), void *arg)
{
	struct call c = { .fn = fn, .arg = arg };

	sem_init(&c.done, 0, 0);
	reactor_mailbox_send(r, &c.mail, called);
	await(&c.done);
	sem_destroy(&c.done);
}

/* An initiator's login, its connection, and how it ended. */
struct client {
	struct iscsi_conn conn;
	struct iscsi_session_request req;
	sem_t done;
	bool answered;			/* the reactor's */
};

static void opened(struct iscsi_session_request *req)
{
	struct client *c = container_of(req, struct client, req);

	assert_ptr_equal(reactor_current(), worker);
	if (req->status == ISCSI_LOGIN_OK) {
		c->conn.session = req->session;
		c->conn.state = ISCSI_CONN_FULL_FEATURE;
	}
	c->answered = true;
	sem_post(&c->done);
}

static void open_on_reactor(void *arg)
{
	struct client *c = arg;

	iscsi_session_open(&c->req);
}

static void ask(struct client *c, struct iscsi_target *t)
{
	*c = (struct client){
		.conn = { .reactor = worker, .tpgt = 1, .peer_text = "192.0.2.1" },
		.req = { .conn = &c->conn, .target = t, .isid = { 0x80, 0, 0, 0, 0, 1 },
			 .cid = 3, .initiator_name = "iqn.x:me", .done = opened },
	};
	sem_init(&c->done, 0, 0);
}

static void begin(struct client *c)
{
	run_on(worker, open_on_reactor, c);
}

static unsigned int login(struct client *c, struct iscsi_target *t)
{
	ask(c, t);
	begin(c);
	await(&c->done);
	return c->req.status;
}

static void close_on_reactor(void *arg)
{
	struct client *c = arg;

	iscsi_conn_close(&c->conn, "test");
}

static void nothing(void *arg)
{
	(void)arg;
}

/* What was sent from here to there and back before has arrived. */
static void settle(void)
{
	for (int i = 0; i < 3; i++) {
		run_on(worker, nothing, NULL);
		run_on(control, nothing, NULL);
	}
}

static void leave(struct client *c)
{
	run_on(worker, close_on_reactor, c);
	settle();
	sem_destroy(&c->done);
}

static void set_hang(void *arg)
{
	hang = arg;
}

static void let_go(void *arg)
{
	(void)arg;
	hang = false;
	while (nr_hung) {
		struct scsi_nexus *n = hung[--nr_hung];

		atomic_fetch_sub(&nr_nexus, 1);
		n->closed(n);
	}
}

struct count {
	int tid;
	unsigned int n, listed;
	uint64_t sids[8];
};

static void list(const struct iscsi_session_info *info, void *arg)
{
	struct count *c = arg;

	assert_string_equal(info->initiator_name, "iqn.x:me");
	assert_string_equal(info->address, "192.0.2.1");
	assert_int_equal(info->cid, 3);
	if (c->listed < ARRAY_SIZE(c->sids))
		c->sids[c->listed] = info->sid;
	c->listed++;
}

static void count_on_control(void *arg)
{
	struct count *c = arg;

	c->n = iscsi_register_count(c->tid);
	iscsi_register_each(c->tid, list, c);
}

static struct count sessions(int tid)
{
	struct count c = { .tid = tid };

	run_on(control, count_on_control, &c);
	assert_int_equal(c.n, c.listed);
	for (unsigned int i = 1; i < MIN(c.n, 8U); i++)
		assert_true(c.sids[i - 1] < c.sids[i]);
	return c;
}

/* A iscsi_register_close_all(). */
struct closing {
	int tid;
	uint64_t sid;
	unsigned int polite_ms;
	sem_t done;
};

static void all_closed(void *arg)
{
	struct closing *c = arg;

	sem_post(&c->done);
}

static void close_on_control(void *arg)
{
	struct closing *c = arg;

	iscsi_register_close_all(c->tid, c->sid, c->polite_ms, all_closed, c);
}

static void close_all(int tid, uint64_t sid, unsigned int polite_ms)
{
	struct closing c = { tid, sid, polite_ms };

	sem_init(&c.done, 0, 0);
	run_on(control, close_on_control, &c);
	await(&c.done);
	sem_destroy(&c.done);
}

/* --- set-up --- */

static void *control_main(void *arg)
{
	(void)arg;
	reactor_run(control);
	return NULL;
}

static void make_targets(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++) {
		struct scsi_target *scsi = scsi_new(i ? "iqn.x:b" : "iqn.x:a", i + 1);

		assert_int_equal(iscsi_target_new(scsi, &targets[i]), 0);
		scsi_target_put(scsi);
	}
}

static int setup(void **state)
{
	(void)state;
	control = reactor_new(REACTOR_CONTROL);
	assert_non_null(control);
	assert_int_equal(reactor_group_start(control, 1), 0);
	worker = reactor_group_get(0);
	assert_int_equal(pthread_create(&control_thread, NULL, control_main, NULL), 0);
	run_on(control, make_targets, NULL);
	return 0;
}

static void drop_targets(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++)
		if (targets[i])
			iscsi_target_delete(targets[i]);
}

/* Nothing of a session is left. */
static int teardown(void **state)
{
	(void)state;
	close_all(-1, 0, 0);
	settle();
	assert_int_equal(atomic_load(&nr_nexus), 0);
	run_on(control, drop_targets, NULL);
	reactor_stop(control);
	pthread_join(control_thread, NULL);
	reactor_group_stop();
	reactor_free(control);
	rcu_register_thread();
	rcu_barrier();
	rcu_unregister_thread();
	assert_int_equal(nr_scsi, 0);
	return 0;
}

/* --- tests --- */

static void sessions_are_registered(void **state)
{
	struct client a, b, d;
	struct count c;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	assert_int_equal(login(&b, targets[1]), ISCSI_LOGIN_OK);
	assert_int_equal(login(&d, NULL), ISCSI_LOGIN_OK);
	assert_int_not_equal(a.conn.session->tsih, 0);
	assert_int_not_equal(a.conn.session->tsih, b.conn.session->tsih);
	assert_int_not_equal(d.conn.session->tsih, b.conn.session->tsih);
	assert_true(a.conn.session->sid < b.conn.session->sid);
	assert_int_equal(atomic_load(&nr_nexus), 2);	/* discovery has none */
	c = sessions(1);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.sids[0], a.conn.session->sid);
	assert_int_equal(sessions(2).n, 1);
	assert_int_equal(sessions(0).n, 1);
	leave(&a);
	assert_int_equal(sessions(1).n, 0);
	leave(&b);
	leave(&d);
	assert_int_equal(sessions(0).n, 0);
}

static void the_same_port_is_reinstated(void **state)
{
	struct client a, b;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	assert_int_equal(login(&b, targets[0]), ISCSI_LOGIN_OK);
	/* 6.3.5: the old one was gone before the new one began. */
	assert_int_equal(a.conn.state, ISCSI_CONN_CLOSED);
	assert_int_equal(atomic_load(&nr_nexus), 1);
	assert_int_equal(sessions(1).n, 1);
	leave(&b);
}

static void another_port_is_another_session(void **state)
{
	struct client a, b, d1, d2;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	/* Same ISID, other target; and discovery knows no nexus. */
	assert_int_equal(login(&b, targets[1]), ISCSI_LOGIN_OK);
	assert_int_equal(login(&d1, NULL), ISCSI_LOGIN_OK);
	assert_int_equal(login(&d2, NULL), ISCSI_LOGIN_OK);
	assert_int_equal(a.conn.state, ISCSI_CONN_FULL_FEATURE);
	assert_int_equal(d1.conn.state, ISCSI_CONN_FULL_FEATURE);
	leave(&a);
	leave(&b);
	leave(&d1);
	leave(&d2);
}

/* The successor waits for the nexus, but not for ever. */
static void a_store_that_hangs_does_not_hold_the_next_login(void **state)
{
	struct client a, b, c;
	uint64_t begun;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	run_on(worker, set_hang, &a);
	begun = clock_now_ns();
	assert_int_equal(login(&b, targets[0]), ISCSI_LOGIN_OK);
	assert_in_range((clock_now_ns() - begun) / NS_PER_MS, 1900, 10000);
	assert_int_equal(sessions(1).n, 1);
	/* The one that hangs is not waited for again, only the second. */
	run_on(worker, set_hang, NULL);
	begun = clock_now_ns();
	assert_int_equal(login(&c, targets[0]), ISCSI_LOGIN_OK);
	assert_in_range((clock_now_ns() - begun) / NS_PER_MS, 0, 1500);
	run_on(worker, let_go, NULL);
	settle();
	assert_int_equal(atomic_load(&nr_nexus), 1);
	leave(&c);
}

static void a_waiting_login_is_overtaken_by_the_next(void **state)
{
	struct client a, b, c;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	run_on(worker, set_hang, &a);
	ask(&b, targets[0]);
	begin(&b);
	ask(&c, targets[0]);
	begin(&c);
	await(&b.done);
	assert_int_equal(b.req.status, ISCSI_LOGIN_TARGET_ERROR);
	run_on(worker, let_go, NULL);
	await(&c.done);
	assert_int_equal(c.req.status, ISCSI_LOGIN_OK);
	leave(&c);
}

static void set_dead(void *arg)
{
	dead = arg;
}

/* The next session of an initiator finds nothing of one that it has closed. */
static void a_session_that_was_left_is_over_before_the_next(void **state)
{
	struct client a, b;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	run_on(worker, set_dead, &a.conn);
	run_on(worker, set_hang, &a);
	ask(&b, targets[0]);
	b.req.isid[5] = 2;
	begin(&b);
	settle();
	assert_int_equal(a.conn.state, ISCSI_CONN_CLOSED);
	assert_false(b.answered);
	run_on(worker, let_go, NULL);
	await(&b.done);
	assert_int_equal(b.req.status, ISCSI_LOGIN_OK);
	run_on(worker, set_dead, NULL);
	leave(&b);
}

static void a_session_that_lives_does_not_hold_the_next(void **state)
{
	struct client a, b;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	ask(&b, targets[0]);
	b.req.isid[5] = 2;
	begin(&b);
	await(&b.done);
	assert_int_equal(b.req.status, ISCSI_LOGIN_OK);
	assert_int_equal(a.conn.state, ISCSI_CONN_FULL_FEATURE);
	leave(&a);
	leave(&b);
}

static void set_offline(void *arg)
{
	struct iscsi_target_config *c = iscsi_target_config_copy(targets[0]);

	c->offline = arg;
	iscsi_target_publish(targets[0], c);
}

static void delete_first(void *arg)
{
	iscsi_target_get(arg);		/* the test's */
	iscsi_target_delete(arg);
	targets[0] = NULL;
}

static void put(void *arg)
{
	iscsi_target_put(arg);
}

static void refusals_have_their_status(void **state)
{
	struct iscsi_target *first = targets[0];
	struct client a, b;

	(void)state;
	run_on(control, set_offline, first);
	assert_int_equal(login(&a, first), ISCSI_LOGIN_UNAVAILABLE);
	run_on(control, set_offline, NULL);
	assert_int_equal(login(&a, first), ISCSI_LOGIN_OK);

	/* A further connection of a session, or of none. */
	ask(&b, first);
	b.req.tsih = a.conn.session->tsih;
	begin(&b);
	await(&b.done);
	assert_int_equal(b.req.status, ISCSI_LOGIN_TOO_MANY_CONNS);
	ask(&b, first);
	b.req.tsih = (uint16_t)(a.conn.session->tsih + 1);
	begin(&b);
	await(&b.done);
	assert_int_equal(b.req.status, ISCSI_LOGIN_NO_SESSION);
	/* Somebody else's session is none of his. */
	ask(&b, targets[1]);
	b.req.tsih = a.conn.session->tsih;
	begin(&b);
	await(&b.done);
	assert_int_equal(b.req.status, ISCSI_LOGIN_NO_SESSION);
	leave(&a);

	run_on(control, delete_first, first);
	assert_int_equal(login(&a, first), ISCSI_LOGIN_NOT_FOUND);
	run_on(control, put, first);
}

static void sessions_are_bounded(void **state)
{
	struct client *c = calloc(ISCSI_SESSIONS_MAX + 1, sizeof(*c));

	(void)state;
	for (unsigned int i = 0; i < ISCSI_SESSIONS_MAX; i++)
		assert_int_equal(login(&c[i], NULL), ISCSI_LOGIN_OK);
	assert_int_equal(login(&c[ISCSI_SESSIONS_MAX], NULL), ISCSI_LOGIN_OUT_OF_RESOURCES);
	for (unsigned int i = 1; i < ISCSI_SESSIONS_MAX; i++)
		assert_int_not_equal(c[i].conn.session->tsih, c[i - 1].conn.session->tsih);
	run_on(worker, close_on_reactor, &c[0]);
	settle();
	assert_int_equal(login(&c[ISCSI_SESSIONS_MAX], NULL), ISCSI_LOGIN_OK);
	close_all(-1, 0, 0);
	settle();
	assert_int_equal(sessions(0).n, 0);
	free(c);
}

static void the_right_ones_are_closed(void **state)
{
	struct client a, b, d;

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	assert_int_equal(login(&b, targets[1]), ISCSI_LOGIN_OK);
	assert_int_equal(login(&d, NULL), ISCSI_LOGIN_OK);
	close_all(2, 0, 0);
	assert_int_equal(b.conn.state, ISCSI_CONN_CLOSED);
	assert_int_equal(a.conn.state, ISCSI_CONN_FULL_FEATURE);
	close_all(1, a.req.session->sid + 100, 0);	/* no such session */
	assert_int_equal(a.conn.state, ISCSI_CONN_FULL_FEATURE);
	close_all(1, a.conn.session->sid, 0);
	assert_int_equal(a.conn.state, ISCSI_CONN_CLOSED);
	close_all(1, 0, 0);				/* none is left */
	assert_int_equal(d.conn.state, ISCSI_CONN_FULL_FEATURE);
	close_all(-1, 0, 0);
	assert_int_equal(d.conn.state, ISCSI_CONN_CLOSED);
}

static void initiators_are_asked_first(void **state)
{
	struct client a, b;
	struct closing c = { -1, 0, 300 };

	(void)state;
	atomic_store(&nr_logouts, 0);
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	assert_int_equal(login(&b, targets[1]), ISCSI_LOGIN_OK);
	sem_init(&c.done, 0, 0);
	run_on(control, close_on_control, &c);
	settle();
	assert_int_equal(atomic_load(&nr_logouts), 2);
	leave(&a);		/* one follows, the other is closed in the end */
	await(&c.done);
	settle();
	assert_int_equal(b.conn.state, ISCSI_CONN_CLOSED);
	sem_destroy(&c.done);
}

static void when_all_log_out_nobody_waits(void **state)
{
	struct client a;
	struct closing c = { -1, 0, 1000U * PATIENCE_S * 10 };

	(void)state;
	assert_int_equal(login(&a, targets[0]), ISCSI_LOGIN_OK);
	sem_init(&c.done, 0, 0);
	run_on(control, close_on_control, &c);
	leave(&a);
	await(&c.done);
	sem_destroy(&c.done);
}

/* The connection was lost while control made up its mind. */
static void close_and_open(void *arg)
{
	struct client *c = arg;

	iscsi_session_open(&c->req);
	c->conn.state = ISCSI_CONN_CLOSED;
}

static void a_lost_connection_gets_no_session(void **state)
{
	struct client a;

	(void)state;
	ask(&a, targets[0]);
	run_on(worker, close_and_open, &a);
	await(&a.done);
	assert_int_not_equal(a.req.status, ISCSI_LOGIN_OK);
	settle();
	assert_int_equal(sessions(1).n, 0);
	assert_int_equal(atomic_load(&nr_nexus), 0);
}

int main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sessions_are_registered),
		TEST(the_same_port_is_reinstated),
		TEST(another_port_is_another_session),
		TEST(a_store_that_hangs_does_not_hold_the_next_login),
		TEST(a_waiting_login_is_overtaken_by_the_next),
		TEST(a_session_that_was_left_is_over_before_the_next),
		TEST(a_session_that_lives_does_not_hold_the_next),
		TEST(refusals_have_their_status),
		TEST(sessions_are_bounded),
		TEST(the_right_ones_are_closed),
		TEST(initiators_are_asked_first),
		TEST(when_all_log_out_nobody_waits),
		TEST(a_lost_connection_gets_no_session),
	};

	return cmocka_run_group_tests_name("iscsi/session", tests, NULL, NULL);
}
