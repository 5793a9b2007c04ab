/* SPDX-License-Identifier: BSD-3-Clause */
/* Mail between threads, and asking all reactors. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>
#include "daemon.h"
#include "reactor/internal.h"

#define SENDERS	4
#define LETTERS	2000
#define REACTORS 3

struct letter {
	struct mail mail;
	unsigned int sender, number;
};

static struct letter letters[SENDERS][LETTERS];
static unsigned int next_number[SENDERS], received;
static bool disorder;
static sem_t all_there;

static void arrived(struct mail *m)
{
	const struct letter *l = container_of(m, struct letter, mail);

	disorder |= l->number != next_number[l->sender]++;
	if (++received == SENDERS * LETTERS)
		sem_post(&all_there);
}

static void *sender(void *arg)
{
	struct letter *mine = arg;

	for (unsigned int i = 0; i < LETTERS; i++)
		reactor_mailbox_send(reactor_group_get(0), &mine[i].mail, arrived);
	return NULL;
}

static void each_senders_mail_keeps_its_order(void **state)
{
	pthread_t threads[SENDERS];

	(void)state;
	sem_init(&all_there, 0, 0);
	for (unsigned int s = 0; s < SENDERS; s++) {
		for (unsigned int i = 0; i < LETTERS; i++)
			letters[s][i] = (struct letter){ .sender = s, .number = i };
		assert_int_equal(pthread_create(&threads[s], NULL, sender, letters[s]), 0);
	}
	for (unsigned int s = 0; s < SENDERS; s++)
		pthread_join(threads[s], NULL);
	wait_for(&all_there, "mail");
	assert_false(disorder);
	sem_destroy(&all_there);
}

/* --- sleeping and waking --- */

#define VOLLEYS	20000

static struct ball {
	struct mail mail;
	unsigned int volleys;
	sem_t over;
} ball;

/* Each finds the other about to sleep, asleep, or not yet: no wake-up may be lost. */
static void hit(struct mail *m)
{
	struct ball *b = container_of(m, struct ball, mail);

	if (++b->volleys == VOLLEYS)
		sem_post(&b->over);
	else
		reactor_mailbox_send(reactor_group_get(b->volleys & 1), m, hit);
}

static void no_wake_up_is_lost(void **state)
{
	(void)state;
	ball.volleys = 0;
	sem_init(&ball.over, 0, 0);
	reactor_mailbox_send(reactor_group_get(0), &ball.mail, hit);
	wait_for(&ball.over, "the last volley");
	sem_destroy(&ball.over);
}

static struct {
	struct mail mail;
	bool woken;
	sem_t there;
} note;

static bool eventfd_is_set(struct reactor *r)
{
	struct pollfd p = { .fd = r->mailbox.watch.fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void note_arrived(struct mail *m)
{
	(void)m;
	sem_post(&note.there);
}

static void send_note_to_self(void *arg)
{
	struct reactor *r = reactor_current();
	uint64_t count;

	(void)arg;
	/* Of what has called this. */
	assert_true(read(r->mailbox.watch.fd, &count, sizeof(count)) > 0 || errno == EAGAIN);
	reactor_mailbox_send(r, &note.mail, note_arrived);
	note.woken = eventfd_is_set(r);
}

static void one_that_is_awake_needs_no_wake_up(void **state)
{
	(void)state;
	sem_init(&note.there, 0, 0);
	call_on(reactor_group_get(0), send_note_to_self, NULL);
	wait_for(&note.there, "the note");
	assert_false(note.woken);
	sem_destroy(&note.there);
}

/* --- spread --- */

struct survey {
	atomic_uint asked[REACTORS];
	atomic_uint answered;
	struct reactor_spread *held;	/* reactor 1 answers later */
	unsigned int at_done;
	bool home;
	int err;
	sem_t held_there, over;
};

static void ask(struct reactor_spread *s, void *arg)
{
	struct survey *v = arg;
	const int id = reactor_id(reactor_current());

	atomic_fetch_add(&v->asked[id], 1);
	if (id == 1) {
		v->held = s;
		sem_post(&v->held_there);
		return;
	}
	atomic_fetch_add(&v->answered, 1);
	reactor_group_spread_put(s);
}

static void survey_done(void *arg)
{
	struct survey *v = arg;

	v->at_done = atomic_load(&v->answered);
	v->home = reactor_current() == test_daemon.control;
	sem_post(&v->over);
}

static void survey_start(void *arg)
{
	struct survey *v = arg;

	v->err = reactor_group_spread(ask, survey_done, v);
}

static void answer(void *arg)
{
	struct survey *v = arg;

	atomic_fetch_add(&v->answered, 1);
	reactor_group_spread_put(v->held);
}

static void spread_ends_when_the_last_has_answered(void **state)
{
	struct survey *v = calloc(1, sizeof(*v));
	int n;

	(void)state;
	assert_non_null(v);
	sem_init(&v->over, 0, 0);
	sem_init(&v->held_there, 0, 0);
	call_on(test_daemon.control, survey_start, v);
	assert_int_equal(v->err, 0);
	wait_for(&v->held_there, "the one that answers later");
	sem_getvalue(&v->over, &n);
	assert_int_equal(n, 0);
	call_on(reactor_group_get(1), answer, v);
	wait_for(&v->over, "the end of a spread");
	assert_int_equal(v->at_done, REACTORS);
	assert_true(v->home);
	for (unsigned int i = 0; i < REACTORS; i++)
		assert_int_equal(atomic_load(&v->asked[i]), 1);
	sem_destroy(&v->over);
	sem_destroy(&v->held_there);
	free(v);
}

static int setup(void **state)
{
	(void)state;
	daemon_start(REACTORS, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_senders_mail_keeps_its_order),
		cmocka_unit_test(no_wake_up_is_lost),
		cmocka_unit_test(one_that_is_awake_needs_no_wake_up),
		cmocka_unit_test(spread_ends_when_the_last_has_answered),
	};

	return cmocka_run_group_tests_name("reactor/mailbox", tests, setup, teardown);
}
