/* SPDX-License-Identifier: BSD-3-Clause */
/* Mail between threads, and asking all reactors. */
#include <stdatomic.h>
#include "daemon.h"

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
		cmocka_unit_test(spread_ends_when_the_last_has_answered),
	};

	return cmocka_run_group_tests_name("reactor/mailbox", tests, setup, teardown);
}
