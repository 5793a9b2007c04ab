/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/list.h"

struct item {
	struct list_head node;
	int n;
};

static struct item items[5];
static struct list_head list;

static int setup(void **state)
{
	(void)state;
	list_init(&list);
	for (int i = 0; i < 5; i++) {
		items[i].n = i;
		list_init(&items[i].node);
	}
	return 0;
}

/* The numbers in the list, as decimal digits, and backwards too. */
static int digits(const struct list_head *h)
{
	const struct item *i;
	int n = 0;

	list_for_each(i, h, node)
		n = n * 10 + i->n;
	return n;
}

static int digits_backwards(const struct list_head *h)
{
	int n = 0;

	for (const struct list_head *p = h->prev; p != h; p = p->prev)
		n = n * 10 + list_entry((struct list_head *)(uintptr_t)p, struct item, node)->n;
	return n;
}

static void head_and_tail(void **state)
{
	(void)state;
	assert_true(list_empty(&list));
	assert_int_equal(digits(&list), 0);
	list_add_tail(&list, &items[1].node);
	list_add_tail(&list, &items[2].node);
	list_add(&list, &items[3].node);
	assert_int_equal(digits(&list), 312);
	assert_int_equal(digits_backwards(&list), 213);
	assert_int_equal(list_first(&list, struct item, node)->n, 3);
}

static void deleting_twice_is_harmless(void **state)
{
	(void)state;
	list_add_tail(&list, &items[1].node);
	list_add_tail(&list, &items[2].node);
	assert_true(list_is_linked(&items[1].node));
	list_del(&items[1].node);
	assert_false(list_is_linked(&items[1].node));
	list_del(&items[1].node);
	assert_int_equal(digits(&list), 2);
	list_del(&items[2].node);
	assert_true(list_empty(&list));
}

static void splice_moves_everything(void **state)
{
	struct list_head from;

	(void)state;
	list_init(&from);
	list_add_tail(&list, &items[1].node);
	list_splice_tail(&list, &from);		/* nothing */
	assert_int_equal(digits(&list), 1);
	list_add_tail(&from, &items[2].node);
	list_add_tail(&from, &items[3].node);
	list_splice_tail(&list, &from);
	assert_int_equal(digits(&list), 123);
	assert_int_equal(digits_backwards(&list), 321);
	assert_true(list_empty(&from));
}

static void safe_walk_may_delete(void **state)
{
	struct item *i, *tmp;

	(void)state;
	for (int k = 0; k < 5; k++)
		list_add_tail(&list, &items[k].node);
	list_for_each_safe(i, tmp, &list, node)
		if (i->n % 2 == 0)
			list_del(&i->node);
	assert_int_equal(digits(&list), 13);
}

static void pop_takes_the_first(void **state)
{
	(void)state;
	assert_null(list_pop(&list, struct item, node));
	list_add_tail(&list, &items[4].node);
	list_add_tail(&list, &items[2].node);
	assert_ptr_equal(list_pop(&list, struct item, node), &items[4]);
	assert_false(list_is_linked(&items[4].node));
	assert_ptr_equal(list_pop(&list, struct item, node), &items[2]);
	assert_true(list_empty(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(head_and_tail, setup),
		cmocka_unit_test_setup(deleting_twice_is_harmless, setup),
		cmocka_unit_test_setup(splice_moves_everything, setup),
		cmocka_unit_test_setup(safe_walk_may_delete, setup),
		cmocka_unit_test_setup(pop_takes_the_first, setup),
	};

	return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
