/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random requests, and a model that keeps a key and a mark for each of a few paths
 * and follows the standard's sentences one by one, instead of a list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "lu/reserve_state.h"

#define PATHS	5
#define KEYS	4			/* few, so that they collide */
#define STEPS	200000

struct model {
	uint64_t key[PATHS];		/* 0: not registered */
	int holder;			/* -1: none, or all */
	enum lu_reserve_type type;
	uint32_t generation;
	bool durable;
	uint8_t told[PATHS];		/* by the latest step */
};

static uint32_t seed = 1;

static unsigned int below(unsigned int n)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % n;
}

static struct lu_reserve_who path(unsigned int i)
{
	struct lu_reserve_who w = { .target = "t", .port = (uint16_t)(i % 2 + 1) };

	/* Two ports of one initiator, and upper case every now and then. */
	snprintf(w.initiator, sizeof(w.initiator), below(2) ? "iqn.a%u,i,0xab" : "IQN.A%u,i,0xAB",
		 i / 2);
	return w;
}

static bool shared(enum lu_reserve_type t)
{
	return t == LU_RESERVE_WRITE_EXCLUSIVE_REGISTRANTS ||
	       t == LU_RESERVE_EXCLUSIVE_ACCESS_REGISTRANTS ||
	       t == LU_RESERVE_WRITE_EXCLUSIVE_ALL || t == LU_RESERVE_EXCLUSIVE_ACCESS_ALL;
}

static bool all_hold(enum lu_reserve_type t)
{
	return t == LU_RESERVE_WRITE_EXCLUSIVE_ALL || t == LU_RESERVE_EXCLUSIVE_ACCESS_ALL;
}

static void tell(struct model *m, unsigned int own, uint8_t event)
{
	for (unsigned int i = 0; i < PATHS; i++)
		if (m->key[i] && i != own && !m->told[i])
			m->told[i] = event;
}

static void model_leave(struct model *m, unsigned int i)
{
	bool any = false;

	m->key[i] = 0;
	for (unsigned int k = 0; k < PATHS; k++)
		any |= m->key[k] != 0;
	if (m->holder == (int)i) {
		if (shared(m->type))
			tell(m, i, LU_RESERVE_RELEASED);
		m->type = LU_RESERVE_NONE;
		m->holder = -1;
	}
	if (!any)
		m->type = LU_RESERVE_NONE;
}

static void model_hold(struct model *m, enum lu_reserve_type type, int who)
{
	m->type = type;
	m->holder = all_hold(type) ? -1 : who;
}

static enum lu_reserve_result model_preempt(struct model *m, unsigned int own, uint64_t key,
					    enum lu_reserve_type type)
{
	const bool takes = all_hold(m->type) ? !key :
			   m->type != LU_RESERVE_NONE && m->key[m->holder] == key;
	const enum lu_reserve_type before = m->type;
	bool found = false;

	if (!key && !takes)
		return LU_RESERVE_BAD_KEY;
	if (takes && type == LU_RESERVE_NONE)
		return LU_RESERVE_BAD_TYPE;
	for (unsigned int i = 0; i < PATHS; i++)
		found |= m->key[i] && (!key || m->key[i] == key);
	if (!found)
		return LU_RESERVE_CONFLICT;
	for (unsigned int i = 0; i < PATHS; i++) {
		if (!m->key[i] || (key && m->key[i] != key) || (takes && i == own))
			continue;
		m->key[i] = 0;
		if (i != own)
			m->told[i] = LU_RESERVE_UNREGISTERED;
	}
	if (takes) {
		model_hold(m, type, (int)own);
		if (before != type)
			tell(m, own, LU_RESERVE_RELEASED);
	} else if (all_hold(m->type)) {
		found = false;
		for (unsigned int i = 0; i < PATHS; i++)
			found |= m->key[i] != 0;
		if (!found)
			m->type = LU_RESERVE_NONE;
	}
	m->generation++;
	return LU_RESERVE_OK;
}

static enum lu_reserve_result model_move(struct model *m, unsigned int own, unsigned int to,
					 const struct lu_reserve_request *q)
{
	if (all_hold(m->type))
		return LU_RESERVE_CONFLICT;
	if (m->type == LU_RESERVE_NONE || m->holder != (int)own)
		return LU_RESERVE_NOT_HOLDER;
	if (!q->new_key)
		return LU_RESERVE_BAD_KEY;
	if (to == own)
		return LU_RESERVE_BAD_OTHERS;
	m->key[to] = q->new_key;
	m->holder = (int)to;
	m->durable = q->durable;
	if (q->leave)
		m->key[own] = 0;
	m->generation++;
	return LU_RESERVE_OK;
}

static enum lu_reserve_result model_step(struct model *m, unsigned int own, unsigned int to,
					 const struct lu_reserve_request *q)
{
	const bool holds = m->key[own] && (m->holder == (int)own || all_hold(m->type));

	memset(m->told, 0, sizeof(m->told));
	if (q->verb == LU_RESERVE_REGISTER || q->verb == LU_RESERVE_REGISTER_ANYWAY) {
		if (q->verb == LU_RESERVE_REGISTER && m->key[own] != q->key)
			return LU_RESERVE_CONFLICT;
		if (!m->key[own] && !q->new_key)
			return LU_RESERVE_OK;
		if (q->new_key)
			m->key[own] = q->new_key;
		else
			model_leave(m, own);
		m->durable = q->durable;
		m->generation++;
		return LU_RESERVE_OK;
	}
	if (q->verb == LU_RESERVE_RESERVE && q->type == LU_RESERVE_NONE)
		return LU_RESERVE_BAD_TYPE;
	if (!m->key[own] || m->key[own] != q->key)
		return LU_RESERVE_CONFLICT;
	switch (q->verb) {
	case LU_RESERVE_RESERVE:
		if (m->type != LU_RESERVE_NONE)
			return holds && m->type == q->type ? LU_RESERVE_OK :
							     LU_RESERVE_CONFLICT;
		model_hold(m, q->type, (int)own);
		return LU_RESERVE_OK;
	case LU_RESERVE_RELEASE:
		if (m->type == LU_RESERVE_NONE || !holds)
			return LU_RESERVE_OK;
		if (m->type != q->type)
			return LU_RESERVE_WRONG_TYPE;
		if (shared(m->type))
			tell(m, own, LU_RESERVE_RELEASED);
		model_hold(m, LU_RESERVE_NONE, -1);
		return LU_RESERVE_OK;
	case LU_RESERVE_CLEAR:
		tell(m, own, LU_RESERVE_PREEMPTED);
		memset(m->key, 0, sizeof(m->key));
		model_hold(m, LU_RESERVE_NONE, -1);
		m->generation++;
		return LU_RESERVE_OK;
	case LU_RESERVE_PREEMPT:
		return model_preempt(m, own, q->new_key, q->type);
	default:
		return model_move(m, own, to, q);
	}
}

static unsigned int number_of(const struct lu_reserve_who *w)
{
	for (unsigned int i = 0; i < PATHS; i++) {
		const struct lu_reserve_who p = path(i);

		if (lu_reserve_same(w, &p))
			return i;
	}
	fail_msg("unknown path %s", w->initiator);
	return 0;
}

static void compare(const struct model *m, const struct lu_reserve_state *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PATHS; i++) {
		const struct lu_reserve_who w = path(i);
		const int at = lu_reserve_state_find(s, &w);
		const bool holds = m->key[i] && m->type != LU_RESERVE_NONE &&
				   (m->holder == (int)i || all_hold(m->type));

		n += m->key[i] != 0;
		assert_int_equal(at >= 0 ? s->reg[at].key : 0, m->key[i]);
		assert_int_equal(lu_reserve_state_holds(s, at), holds);
		assert_int_equal(lu_reserve_state_may(s, at),
				 m->type == LU_RESERVE_NONE || holds ||
				 (m->key[i] && shared(m->type)));
	}
	assert_int_equal(s->n, n);
	assert_int_equal(s->type, m->type);
	assert_int_equal(s->generation, m->generation);
	assert_int_equal(s->durable, m->durable);
}

static void requests_do_what_the_standard_says(void **state)
{
	struct lu_reserve_state *s = lu_reserve_state_new(0), *next;
	struct model m = { .holder = -1 };
	unsigned int happened[LU_RESERVE_FORGET] = { 0 };

	(void)state;
	for (unsigned int step = 0; step < STEPS; step++) {
		const unsigned int own = below(PATHS), to = below(PATHS);
		const struct lu_reserve_who other = path(to);
		uint8_t event[PATHS] = { 0 }, told[PATHS] = { 0 };
		struct lu_reserve_request q = {
			.verb = (enum lu_reserve_verb)below(LU_RESERVE_FORGET), .who = path(own),
			.key = below(3) ? m.key[own] : below(KEYS),
			.new_key = below(KEYS),
			.type = (enum lu_reserve_type)below(LU_RESERVE_NR_TYPES),
			.durable = below(2), .leave = below(2),
			.nr_others = 1, .others = &other,
		};
		const enum lu_reserve_result want = model_step(&m, own, to, &q);

		if (q.verb != LU_RESERVE_MOVE)
			q.nr_others = 0;
		assert_int_equal(lu_reserve_state_next(s, &q, &next, event), want);
		for (unsigned int i = 0; i < s->n; i++)
			told[number_of(&s->reg[i].who)] = event[i];
		if (want == LU_RESERVE_OK)
			assert_memory_equal(told, m.told, sizeof(told));
		happened[q.verb] += next != NULL;
		if (next) {
			free(s);
			s = next;
		}
		compare(&m, s);
	}
	free(s);
	for (size_t i = 0; i < ARRAY_SIZE(happened); i++)
		assert_true(happened[i] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_do_what_the_standard_says),
	};

	return cmocka_run_group_tests_name("lu/reserve_state", tests, NULL, NULL);
}
