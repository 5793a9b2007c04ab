/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of CHAP accounts, and what is bound to a target or to discovery. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "fake_scsi_target.h"
#include "iscsi/account.h"
#include "iscsi/target.h"

static int setup(void **state)
{
	(void)state;
	rcu_register_thread();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rcu_quiescent_state();
	rcu_barrier();
	assert_int_equal(nr_scsi, 0);
	rcu_unregister_thread();
	return 0;
}

struct list {
	char text[200];
};

static void list_user(const char *user, void *arg)
{
	struct list *l = arg;
	const size_t at = strlen(l->text);

	snprintf(l->text + at, sizeof(l->text) - at, "%s ", user);
}

static void list_bound(const char *user, bool outgoing, void *arg)
{
	list_user(user, arg);
	if (outgoing)
		list_user("(outgoing)", arg);
}

static void assert_bound(struct iscsi_target *t, const char *want)
{
	struct list l = { "" };

	iscsi_account_each_bound(t ? iscsi_target_config(t)->accounts :
				     iscsi_account_discovery(), list_bound, &l);
	assert_string_equal(l.text, want);
}

static void accounts_have_names(void **state)
{
	char longest[300];
	struct list l = { "" };

	(void)state;
	assert_int_equal(iscsi_account_new("a", "secret"), 0);
	assert_int_equal(iscsi_account_new("b", "secret"), 0);
	assert_int_equal(iscsi_account_new("a", "other"), -EEXIST);
	assert_int_equal(iscsi_account_new("", "x"), -EINVAL);
	assert_int_equal(iscsi_account_new("c", ""), -EINVAL);
	assert_int_equal(iscsi_account_new("a\nb", "x"), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	assert_int_equal(iscsi_account_new(longest, "x"), -EINVAL);
	assert_int_equal(iscsi_account_new("c", longest), -EINVAL);
	iscsi_account_each(list_user, &l);
	assert_string_equal(l.text, "b a ");	/* newest first */
	assert_int_equal(iscsi_account_delete("c"), -ENOENT);
	assert_int_equal(iscsi_account_delete("a"), 0);
	assert_int_equal(iscsi_account_delete("a"), -ENOENT);
	assert_int_equal(iscsi_account_delete("b"), 0);
}

static void accounts_are_bound(struct iscsi_target *t)
{
	const struct iscsi_accounts *a;
	const char *user, *secret;

	assert_int_equal(iscsi_account_bind(t, "nobody", false), -ENOENT);
	assert_int_equal(iscsi_account_bind(t, "in1", false), 0);
	assert_int_equal(iscsi_account_bind(t, "in1", false), -EEXIST);
	assert_int_equal(iscsi_account_bind(t, "out", true), 0);
	assert_int_equal(iscsi_account_bind(t, "out", true), -EEXIST);
	assert_int_equal(iscsi_account_bind(t, "in1", true), -EBUSY);
	assert_int_equal(iscsi_account_bind(t, "in2", false), 0);
	assert_bound(t, "in1 in2 out (outgoing) ");
	a = t ? iscsi_target_config(t)->accounts : iscsi_account_discovery();
	assert_true(iscsi_account_required(a));
	assert_string_equal(iscsi_account_secret(a, "in2"), "secret2");
	assert_null(iscsi_account_secret(a, "out"));	/* of the other direction */
	assert_null(iscsi_account_secret(a, "in"));
	assert_true(iscsi_account_outgoing(a, &user, &secret));
	assert_string_equal(user, "out");
	assert_string_equal(secret, "secret3");

	assert_int_equal(iscsi_account_unbind(t, "in1", true), -ENOENT);
	assert_int_equal(iscsi_account_unbind(t, "in1", false), 0);
	assert_int_equal(iscsi_account_unbind(t, "in1", false), -ENOENT);
	assert_bound(t, "in2 out (outgoing) ");
	assert_int_equal(iscsi_account_unbind(t, "in2", false), 0);
	a = t ? iscsi_target_config(t)->accounts : iscsi_account_discovery();
	assert_false(iscsi_account_required(a));
	assert_int_equal(iscsi_account_bind(t, "in2", false), 0);
}

static void accounts_are_bound_to_targets_and_to_discovery(void **state)
{
	struct scsi_target *scsi = scsi_new("iqn.x:a", 1);
	struct iscsi_target *t;

	(void)state;
	assert_false(iscsi_account_required(NULL));
	assert_null(iscsi_account_secret(NULL, "x"));
	iscsi_account_new("in1", "secret1");
	iscsi_account_new("in2", "secret2");
	iscsi_account_new("out", "secret3");
	assert_int_equal(iscsi_target_new(scsi, &t), 0);
	scsi_target_put(scsi);
	accounts_are_bound(t);
	accounts_are_bound(NULL);

	/* A deleted account is bound nowhere. */
	assert_int_equal(iscsi_account_delete("in2"), 0);
	assert_bound(t, "out (outgoing) ");
	assert_bound(NULL, "out (outgoing) ");
	assert_int_equal(iscsi_account_delete("out"), 0);
	assert_bound(t, "");
	assert_bound(NULL, "");
	assert_int_equal(iscsi_account_delete("in1"), 0);
	iscsi_target_delete(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(accounts_have_names, setup, teardown),
		cmocka_unit_test_setup_teardown(
			accounts_are_bound_to_targets_and_to_discovery, setup, teardown),
	};

	return cmocka_run_group_tests_name("iscsi/account", tests, NULL, NULL);
}
