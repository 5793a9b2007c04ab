/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include "disk.h"
#include "lu/reserve.h"

/* --- a store in memory --- */

static struct {
	struct lu_reserve_state *kept;
	int err;
	unsigned int nr_saves;
} memory;

static int memory_save(const char *unit, const struct lu_reserve_state *s)
{
	(void)unit;
	memory.nr_saves++;
	if (memory.err)
		return memory.err;
	free(memory.kept);
	memory.kept = NULL;
	if (s) {
		memory.kept = lu_reserve_state_new(s->n);
		memcpy(memory.kept, s, sizeof(*s) + s->n * sizeof(s->reg[0]));
	}
	return 0;
}

static int memory_load(const char *unit, struct lu_reserve_state **ret_s, char *why,
		       size_t why_bytes)
{
	(void)unit;
	*ret_s = NULL;
	if (memory.err) {
		snprintf(why, why_bytes, "no way");
		return memory.err;
	}
	if (memory.kept) {
		*ret_s = lu_reserve_state_new(memory.kept->n);
		memcpy(*ret_s, memory.kept, sizeof(*memory.kept) +
		       memory.kept->n * sizeof(memory.kept->reg[0]));
	}
	return 0;
}

static const struct lu_reserve_store memory_store = { memory_save, memory_load };

/* --- calls --- */

struct unit_call {
	struct lu_reserve *r;
	int err;
	char why[64];
	sem_t over;
};

static void opened(void *arg, struct lu_reserve *r, int err, const char *why)
{
	struct unit_call *c = arg;

	c->r = r;
	c->err = err;
	snprintf(c->why, sizeof(c->why), "%s", why ? why : "");
	sem_post(&c->over);
}

static void open_call(void *arg)
{
	assert_int_equal(lu_reserve_open("unit", opened, arg), 0);
}

static struct unit_call unit_open(void)
{
	struct unit_call c = { 0 };

	sem_init(&c.over, 0, 0);
	call_on(test_daemon.control, open_call, &c);
	wait_for(&c.over, "a unit");
	sem_destroy(&c.over);
	return c;
}

static void put_call(void *arg)
{
	lu_reserve_put(arg);
}

static void unit_close(struct lu_reserve *r)
{
	call_on(test_daemon.control, put_call, r);
}

struct change_call {
	struct lu_reserve_change c;
	struct lu_reserve *r;
	enum lu_reserve_result result;
	sem_t over;
};

static void changed(struct lu_reserve_change *c)
{
	struct change_call *call = container_of(c, struct change_call, c);

	call->result = c->result;
	lu_reserve_change_fini(c);
	sem_post(&call->over);
}

static void submit_call(void *arg)
{
	struct change_call *call = arg;

	assert_ptr_equal(lu_reserve_get(call->r), call->r);
	lu_reserve_submit(call->r, &call->c);
}

static struct lu_reserve_who path(const char *initiator, uint16_t port)
{
	struct lu_reserve_who w = { .target = "target", .port = port };

	snprintf(w.initiator, sizeof(w.initiator), "%s", initiator);
	return w;
}

static enum lu_reserve_result change(struct lu_reserve *r, unsigned int reactor,
				     const struct lu_reserve_request *q)
{
	struct change_call call = { .c = { .q = *q, .done = changed }, .r = r };

	sem_init(&call.over, 0, 0);
	call_on(reactor_group_get(reactor), submit_call, &call);
	wait_for(&call.over, "a change");
	sem_destroy(&call.over);
	return call.result;
}

static enum lu_reserve_result enrol(struct lu_reserve *r, const char *initiator,
				    uint64_t key, bool durable)
{
	return change(r, 0, &(struct lu_reserve_request){
		.verb = LU_RESERVE_REGISTER_ANYWAY, .who = path(initiator, 1),
		.new_key = key, .durable = durable });
}

static enum lu_reserve_result reserve(struct lu_reserve *r, const char *initiator,
				      uint64_t key, enum lu_reserve_type type)
{
	return change(r, 1, &(struct lu_reserve_request){
		.verb = LU_RESERVE_RESERVE, .who = path(initiator, 1), .key = key,
		.type = type });
}

/* --- tests --- */

static void only_who_took_it_is_let_through(void **state)
{
	const struct lu_reserve_who w = path("a", 1);
	struct lu_reserve *r = unit_open().r;

	(void)state;
	assert_int_equal(lu_reserve_active(r), 0);
	assert_int_equal(lu_reserve_take(r, &w, 1), 0);
	assert_int_equal(lu_reserve_take(r, &w, 1), 0);	/* again, by the same */
	assert_int_equal(lu_reserve_take(r, &w, 2), -EPERM);
	assert_int_not_equal(lu_reserve_active(r), 0);
	assert_int_not_equal(lu_reserve_denied(r, &w, 2), 0);
	assert_int_equal(lu_reserve_denied(r, &w, 1), 0);
	assert_int_equal(lu_reserve_release(r, &w, 2), 0);	/* no effect */
	assert_int_equal(lu_reserve_take(r, &w, 2), -EPERM);
	assert_int_equal(lu_reserve_release(r, &w, 1), 0);
	assert_int_equal(lu_reserve_active(r), 0);
	assert_int_equal(lu_reserve_take(r, &w, 2), 0);
	lu_reserve_lose(r, 1);
	assert_int_equal(lu_reserve_take(r, &w, 1), -EPERM);
	lu_reserve_lose(r, 2);
	assert_int_equal(lu_reserve_take(r, &w, 1), 0);
	lu_reserve_clear(r);
	assert_int_equal(lu_reserve_active(r), 0);
	unit_close(r);
}

static void the_two_kinds_exclude_each_other(void **state)
{
	const struct lu_reserve_who a = path("a", 1), b = path("b", 1);
	struct lu_reserve *r = unit_open().r;

	(void)state;
	assert_int_equal(lu_reserve_take(r, &a, 1), 0);
	assert_int_equal(enrol(r, "a", 1, false), LU_RESERVE_CONFLICT);
	assert_int_equal(lu_reserve_release(r, &a, 1), 0);
	assert_int_equal(enrol(r, "a", 1, false), LU_RESERVE_OK);
	/* Registered alone is not enough, SPC-4 5.12.3. */
	assert_int_equal(lu_reserve_take(r, &a, 1), -EPERM);
	assert_int_equal(lu_reserve_release(r, &a, 1), -EPERM);
	assert_int_equal(reserve(r, "a", 1, LU_RESERVE_WRITE_EXCLUSIVE), LU_RESERVE_OK);
	assert_int_equal(lu_reserve_take(r, &a, 1), 0);
	assert_int_equal(lu_reserve_release(r, &a, 1), 0);
	assert_false(lu_reserve_is_taken(r));
	assert_int_equal(enrol(r, "b", 2, false), LU_RESERVE_OK);
	assert_int_equal(lu_reserve_take(r, &b, 2), -EPERM);
	unit_close(r);
}

static void each_change_has_a_number_of_its_own(void **state)
{
	struct lu_reserve *r = unit_open().r;
	uint64_t first, second;

	(void)state;
	assert_int_equal(enrol(r, "a", 1, false), LU_RESERVE_OK);
	assert_int_equal(lu_reserve_active(r), 0);	/* nothing is denied to anybody */
	assert_int_equal(reserve(r, "a", 1, LU_RESERVE_EXCLUSIVE_ACCESS), LU_RESERVE_OK);
	first = lu_reserve_active(r);
	assert_int_equal(enrol(r, "b", 2, false), LU_RESERVE_OK);
	second = lu_reserve_active(r);
	assert_true(first && second && first != second);
	unit_close(r);
}

static void names_of_one_unit_are_one_unit(void **state)
{
	struct lu_reserve *r = unit_open().r, *same = unit_open().r;

	(void)state;
	assert_ptr_equal(r, same);
	assert_int_equal(enrol(r, "a", 1, false), LU_RESERVE_OK);
	unit_close(r);
	assert_int_equal(lu_reserve_state(same)->n, 1);
	unit_close(same);
	r = unit_open().r;			/* nobody had it meanwhile */
	assert_int_equal(lu_reserve_state(r)->n, 0);
	unit_close(r);
}

static void what_is_durable_is_kept_before_it_is_seen(void **state)
{
	struct lu_reserve *r = unit_open().r;
	unsigned int saves;

	(void)state;
	assert_true(lu_reserve_can_keep());
	saves = memory.nr_saves;
	assert_int_equal(enrol(r, "a", 1, false), LU_RESERVE_OK);
	assert_int_equal(memory.nr_saves, saves);
	assert_int_equal(enrol(r, "a", 2, true), LU_RESERVE_OK);
	assert_int_equal(reserve(r, "a", 2, LU_RESERVE_WRITE_EXCLUSIVE_ALL), LU_RESERVE_OK);
	assert_int_equal(memory.kept->n, 1);
	assert_int_equal(memory.kept->type, LU_RESERVE_WRITE_EXCLUSIVE_ALL);
	memory.err = -ENOSPC;
	assert_int_equal(enrol(r, "b", 3, true), LU_RESERVE_NOT_KEPT);
	assert_int_equal(lu_reserve_state(r)->n, 1);
	unit_close(r);
	assert_int_equal(unit_open().err, -ENOSPC);
	memory.err = 0;
	r = unit_open().r;
	assert_int_equal(lu_reserve_state(r)->reg[0].key, 2);
	assert_int_not_equal(lu_reserve_active(r), 0);
	/* No longer durable: forgotten at once. */
	assert_int_equal(enrol(r, "a", 2, false), LU_RESERVE_OK);
	assert_null(memory.kept);
	unit_close(r);
}

#define SWARM	64

static struct change_call swarm[SWARM];

/* On both reactors at once: each has its turn, none is lost. */
static void changes_of_many_reactors_add_up(void **state)
{
	struct lu_reserve *r = unit_open().r;
	char name[16];

	(void)state;
	for (unsigned int i = 0; i < SWARM; i++) {
		snprintf(name, sizeof(name), "i%u", i);
		swarm[i] = (struct change_call){ .r = r, .c = { .done = changed,
			.q = { .verb = LU_RESERVE_REGISTER, .who = path(name, 1),
			       .new_key = i + 1, .durable = i % 3 == 0 } } };
		sem_init(&swarm[i].over, 0, 0);
		call_on(reactor_group_get(i % 2), submit_call, &swarm[i]);
	}
	for (unsigned int i = 0; i < SWARM; i++) {
		wait_for(&swarm[i].over, "a change");
		assert_int_equal(swarm[i].result, LU_RESERVE_OK);
		sem_destroy(&swarm[i].over);
	}
	assert_int_equal(lu_reserve_state(r)->n, SWARM);
	assert_int_equal(lu_reserve_state(r)->generation, SWARM);
	assert_int_equal(change(r, 0, &(struct lu_reserve_request){
		.verb = LU_RESERVE_FORGET }), LU_RESERVE_OK);
	assert_null(memory.kept);
	unit_close(r);
}

static int start(void **state)
{
	(void)state;
	daemon_start(2, 2);
	return lu_reserve_start(&memory_store);
}

static int stop(void **state)
{
	(void)state;
	rcu_barrier();
	lu_reserve_stop();
	daemon_stop();
	rcu_barrier();
	free(memory.kept);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_took_it_is_let_through),
		cmocka_unit_test(the_two_kinds_exclude_each_other),
		cmocka_unit_test(each_change_has_a_number_of_its_own),
		cmocka_unit_test(names_of_one_unit_are_one_unit),
		cmocka_unit_test(what_is_durable_is_kept_before_it_is_seen),
		cmocka_unit_test(changes_of_many_reactors_add_up),
	};

	return cmocka_run_group_tests_name("lu/reserve", tests, start, stop);
}
