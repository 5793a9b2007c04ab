/* SPDX-License-Identifier: BSD-3-Clause */
/* The set of targets and their configuration. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "fake_scsi_target.h"
#include "iscsi/acl.h"
#include "iscsi/target.h"

/* Make and forget: the set keeps it.  Returns the error. */
static int add(const char *name, int tid)
{
	struct scsi_target *scsi = scsi_new(name, tid);
	struct iscsi_target *t;
	const int err = iscsi_target_new(scsi, &t);

	scsi_target_put(scsi);
	if (!err)
		iscsi_target_put(t);
	return err;
}

static void del(int tid)
{
	struct iscsi_target *t = iscsi_target_find_tid(tid);

	assert_non_null(t);
	iscsi_target_delete(t);
}

static int setup(void **state)
{
	(void)state;
	rcu_register_thread();
	return 0;
}

static void delete_it(struct iscsi_target *t, void *arg)
{
	(void)arg;
	iscsi_target_delete(iscsi_target_get(t));
}

/* Every target that a test left is deleted, and nothing of one remains. */
static int teardown(void **state)
{
	(void)state;
	iscsi_target_each(delete_it, NULL);
	rcu_quiescent_state();
	rcu_barrier();
	assert_int_equal(nr_scsi, 0);
	rcu_unregister_thread();
	return 0;
}

static void names_are_iscsi_names(void **state)
{
	static const struct {
		const char *name;
		bool ok, typed;
	} cases[] = {
		{ "iqn.2001-04.com.example:disk.1", true, true },
		{ "iqn.2001-04.com.example:Disk-1", true, true },
		{ "eui.02004567A425678D", true, true },
		{ "naa.52004567BA64678D", true, true },
		{ "iqn.x:y", true, true },
		{ "iqn.", true },
		{ "", false },
		{ "iqn", true },
		{ "IQN.2001-04.com.example:x", true },
		{ "disk.1", true },
		{ "iqn.2001-04.com.example:a_b", false, true },
		{ "iqn.2001-04.com.example:a b", false, true },
		{ "iqn.2001-04.com.example:a/b", false, true },
		{ "iqn.2001-04.com.example:a\n", false, true },
		{ "iqn.2001-04.com.example:\xc3\xa4", false, true },
	};
	char longest[225];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (iscsi_target_valid_name(cases[i].name) != cases[i].ok ||
		    iscsi_target_typed_name(cases[i].name) != cases[i].typed)
			fail_msg("%s", cases[i].name);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "iqn.", 4);
	longest[224] = '\0';
	assert_false(iscsi_target_valid_name(longest));
	longest[223] = '\0';
	assert_true(iscsi_target_valid_name(longest));
}

static void names_and_tids_are_unique(void **state)
{
	(void)state;
	assert_int_equal(add("iqn.x:a", 1), 0);
	assert_int_equal(add("iqn.x:a", 2), -EEXIST);
	assert_int_equal(add("iqn.x:b", 1), -EEXIST);
	assert_int_equal(add("iqn.x:b", 0), -EINVAL);
	assert_int_equal(add("iqn.x:_", 3), -EINVAL);
	/* A refusal leaves nothing behind. */
	assert_null(iscsi_target_find("iqn.x:b"));
	assert_null(iscsi_target_find_tid(2));
	assert_int_equal(add("iqn.x:b", 2), 0);
}

struct order {
	int tids[16];
	unsigned int n;
};

static void note(struct iscsi_target *t, void *arg)
{
	struct order *o = arg;

	o->tids[o->n++] = t->scsi->tid;
}

static void assert_order(const int *want, unsigned int n)
{
	struct order o = { .n = 0 };
	int tid = 0;

	iscsi_target_each(note, &o);
	assert_int_equal(o.n, n);
	for (unsigned int i = 0; i < n; i++) {
		const struct iscsi_target *t = iscsi_target_next(tid);

		assert_int_equal(o.tids[i], want[i]);
		assert_non_null(t);
		assert_int_equal(t->scsi->tid, want[i]);
		tid = want[i];
	}
	assert_null(iscsi_target_next(tid));
}

static void they_are_in_order_of_tid(void **state)
{
	(void)state;
	assert_order(NULL, 0);
	add("iqn.x:5", 5);
	add("iqn.x:9", 9);
	add("iqn.x:1", 1);
	add("iqn.x:7", 7);
	assert_order((const int[]){ 1, 5, 7, 9 }, 4);
	del(5);
	assert_order((const int[]){ 1, 7, 9 }, 3);
	add("iqn.x:again", 5);		/* into the hole */
	assert_order((const int[]){ 1, 5, 7, 9 }, 4);
	del(9);
	add("iqn.x:10", 10);
	del(1);
	add("iqn.x:2", 2);
	assert_order((const int[]){ 2, 5, 7, 10 }, 4);
}

static void ten_thousand_come_and_go(void **state)
{
	char name[40];

	(void)state;
	for (int tid = 1; tid <= 10000; tid++) {
		snprintf(name, sizeof(name), "iqn.x:%d", tid);
		assert_int_equal(add(name, tid), 0);
	}
	for (int tid = 1; tid <= 10000; tid += 7) {
		struct iscsi_target *t;

		snprintf(name, sizeof(name), "iqn.x:%d", tid);
		t = iscsi_target_find(name);
		assert_non_null(t);
		assert_int_equal(t->scsi->tid, tid);
		iscsi_target_put(t);
	}
	for (int tid = 10000; tid >= 1; tid--)
		del(tid);
	assert_order(NULL, 0);
}

static void a_deleted_one_lives_as_long_as_it_is_held(void **state)
{
	struct iscsi_target *t;

	(void)state;
	add("iqn.x:a", 1);
	t = iscsi_target_find("iqn.x:a");
	del(1);
	assert_false(iscsi_target_is_published(t));
	assert_null(iscsi_target_find("iqn.x:a"));
	assert_null(iscsi_target_find_tid(1));
	assert_string_equal(t->scsi->name, "iqn.x:a");
	/* The name and the tid are free again. */
	assert_int_equal(add("iqn.x:a", 1), 0);
	rcu_quiescent_state();
	rcu_barrier();
	assert_int_equal(nr_scsi, 2);
	iscsi_target_put(t);
	rcu_barrier();
	assert_int_equal(nr_scsi, 1);
}

static void a_config_is_replaced_as_a_whole(void **state)
{
	struct iscsi_target *t;
	struct iscsi_target_config *c;

	(void)state;
	iscsi_target_set_nop_default(7, 3);
	add("iqn.x:a", 1);
	iscsi_target_set_nop_default(0, 0);
	t = iscsi_target_find_tid(1);
	assert_int_equal(iscsi_target_config(t)->nop_interval_s, 7);
	assert_int_equal(iscsi_target_config(t)->nop_count, 3);
	assert_int_equal(iscsi_target_config(t)->max_queue_cmd, 128);
	assert_null(iscsi_target_config(t)->acl);

	c = iscsi_target_config_copy(t);
	assert_int_equal(iscsi_acl_add(NULL, ISCSI_ACL_ADDRESS, "ALL", &c->acl, NULL, 0), 0);
	c->offline = true;
	assert_false(iscsi_target_config(t)->offline);
	iscsi_target_publish(t, c);
	assert_true(iscsi_target_config(t)->offline);

	/* A copy that is dropped leaves the published one alone. */
	c = iscsi_target_config_copy(t);
	assert_ptr_not_equal(c->acl, iscsi_target_config(t)->acl);
	iscsi_target_config_free(c);
	assert_non_null(iscsi_target_config(t)->acl);
	iscsi_target_put(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_iscsi_names),
		cmocka_unit_test_setup_teardown(names_and_tids_are_unique, setup, teardown),
		cmocka_unit_test_setup_teardown(they_are_in_order_of_tid, setup, teardown),
		cmocka_unit_test_setup_teardown(ten_thousand_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_one_lives_as_long_as_it_is_held,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_config_is_replaced_as_a_whole, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("iscsi/target", tests, NULL, NULL);
}
