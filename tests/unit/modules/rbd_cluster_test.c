/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_rbd_cluster.c over a librados that the test plays: who shares a connection, and
 * what becomes of one that failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#if __has_include(<rados/librados.h>) && __has_include(<rbd/librbd.h>)
#include <errno.h>
#include <rados/librados.h>
#include <rbd/librbd.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

static struct {
	atomic_int created, shut_down, connects;
	int connect_error;
	sem_t entered, leave;
	bool gated;
	char settings[1024];
} fake;

static int fake_create2(rados_t *ret, const char *cluster, const char *name, uint64_t flags)
{
	(void)cluster, (void)name, (void)flags;
	atomic_fetch_add(&fake.created, 1);
	*ret = malloc(1);
	return 0;
}

static void fake_shutdown(rados_t r)
{
	atomic_fetch_add(&fake.shut_down, 1);
	free(r);
}

static int fake_connect(rados_t r)
{
	(void)r;
	atomic_fetch_add(&fake.connects, 1);
	if (fake.gated) {
		sem_post(&fake.entered);
		sem_wait(&fake.leave);
	}
	return fake.connect_error;
}

static int fake_conf_set(rados_t r, const char *name, const char *value)
{
	const size_t used = strlen(fake.settings);

	(void)r;
	if (!strcmp(name, "nosuch"))
		return -ENOENT;
	snprintf(fake.settings + used, sizeof(fake.settings) - used, "%s=%s ", name, value);
	return 0;
}

static int fake_conf_get(rados_t r, const char *name, char *buf, size_t bytes)
{
	(void)r;
	snprintf(buf, bytes, "%s", !strcmp(name, "mon_host") ? "10.0.0.1,10.0.0.2" : "/none/k");
	return 0;
}

static int fake_read_file(rados_t r, const char *path)
{
	(void)r, (void)path;
	return 0;
}

#define rados_create2		fake_create2
#define rados_shutdown		fake_shutdown
#define rados_connect		fake_connect
#define rados_conf_set		fake_conf_set
#define rados_conf_get		fake_conf_get
#define rados_conf_read_file	fake_read_file
#define rados_ioctx_create(r, pool, io)		(-ENOENT)
#define rados_ioctx_destroy(io)			((void)(io))
#define rados_ioctx_set_namespace(io, ns)	((void)(io))
#define rados_set_pool_full_try(io)		((void)(io))
#define rbd_namespace_exists(io, ns, exists)	0
#include "../../../usr/modules/bs_rbd_cluster.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../usr/modules/bs_rbd_spec.c" /* NOLINT(bugprone-suspicious-include) */

static struct bs_rbd_identity me;

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	sem_init(&fake.entered, 0, 0);
	sem_init(&fake.leave, 0, 0);
	me = (struct bs_rbd_identity){ .cluster = "ceph", .id = "tgt", .timeout_s = 7 };
	return 0;
}

static struct bs_rbd_cluster *get(int wanted)
{
	struct bs_rbd_cluster *c = NULL;
	struct bs_rbd_why why;

	assert_int_equal(bs_rbd_cluster_get(&me, &c, &why), wanted);
	return c;
}

static void an_identity_has_one_connection(void **state)
{
	struct bs_rbd_cluster *a = get(0), *b = get(0), *c;

	(void)state;
	assert_ptr_equal(a, b);
	me.id = "other";
	c = get(0);
	assert_ptr_not_equal(a, c);
	assert_int_equal(fake.connects, 2);
	bs_rbd_cluster_put(a);
	assert_int_equal(fake.shut_down, 0);
	bs_rbd_cluster_put(b);
	assert_int_equal(fake.shut_down, 1);
	bs_rbd_cluster_put(c);
	assert_int_equal(fake.shut_down, 2);
}

static void a_handle_that_failed_is_not_used_again(void **state)
{
	struct bs_rbd_cluster *c = NULL;
	struct bs_rbd_why why;

	(void)state;
	me.key = "x";
	fake.connect_error = -ETIMEDOUT;
	assert_int_equal(bs_rbd_cluster_get(&me, &c, &why), -ETIMEDOUT);
	assert_string_equal(why.text, "cannot reach the monitors 10.0.0.1,10.0.0.2 in 7 s");
	assert_int_equal(fake.shut_down, 1);
	fake.connect_error = 0;
	c = get(0);
	assert_int_equal(fake.created, 2);
	bs_rbd_cluster_put(c);
}

static void what_is_spent_is_replaced_but_stays_for_its_users(void **state)
{
	struct bs_rbd_cluster *a = get(0), *b;

	(void)state;
	bs_rbd_cluster_spend(a);
	bs_rbd_cluster_spend(a);
	b = get(0);
	assert_ptr_not_equal(a, b);
	assert_int_equal(fake.shut_down, 0);
	bs_rbd_cluster_put(a);
	assert_int_equal(fake.shut_down, 1);
	bs_rbd_cluster_put(b);
}

static void *getter(void *arg)
{
	struct bs_rbd_cluster *c = NULL;
	struct bs_rbd_why why = { "" };

	(void)arg;
	if (bs_rbd_cluster_get(&me, &c, &why) != -ETIMEDOUT ||
	    !strstr(why.text, "cannot reach the monitors"))
		return "no reason";
	return NULL;
}

static bool have_asked(unsigned int n)
{
	bool yes;

	pthread_mutex_lock(&mutex);
	yes = list_first(&clusters, struct bs_rbd_cluster, node)->refs == n;
	pthread_mutex_unlock(&mutex);
	return yes;
}

static void who_comes_meanwhile_shares_the_outcome(void **state)
{
	pthread_t threads[4];
	void *result;

	(void)state;
	fake.gated = true;
	fake.connect_error = -ETIMEDOUT;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, getter, NULL), 0);
		if (i == 0)
			sem_wait(&fake.entered);
	}
	while (!have_asked(4))
		sched_yield();
	sem_post(&fake.leave);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	assert_int_equal(fake.connects, 1);
	assert_int_equal(fake.shut_down, 1);
	assert_true(list_empty(&clusters));
}

static void a_disk_is_never_told_that_a_write_was_given_up(void **state)
{
	struct bs_rbd_cluster *c = get(0);
	struct bs_rbd_why why;

	(void)state;
	assert_non_null(strstr(fake.settings, "rados_osd_op_timeout=0 "));
	assert_non_null(strstr(fake.settings, "client_mount_timeout=7 "));
	assert_non_null(strstr(fake.settings, "rados_mon_op_timeout=7 "));
	assert_non_null(strstr(fake.settings, "rbd_cache=false "));
	bs_rbd_cluster_put(c);

	me.override = "rbd_cache_size=1,rados_osd_op_timeout=5";
	assert_int_equal(bs_rbd_cluster_get(&me, &c, &why), -EINVAL);
	assert_non_null(strstr(why.text, "rados_osd_op_timeout must stay 0"));
	me.override = NULL;

	fake.settings[0] = '\0';
	me.osd_timeout = me.cache = true;
	c = get(0);
	assert_non_null(strstr(fake.settings, "rados_osd_op_timeout=7 "));
	assert_null(strstr(fake.settings, "rbd_cache"));
	bs_rbd_cluster_put(c);
}

static void overrides_are_checked(void **state)
{
	static const struct {
		const char *list, *why;
	} cases[] = {
		{ "debug_rbd", "takes NAME=VALUE" },
		{ "debug_rbd=1,nosuch=2", "no setting 'nosuch'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bs_rbd_cluster *c;
		struct bs_rbd_why why = { "" };

		me.override = (char *)cases[i].list;
		assert_int_equal(bs_rbd_cluster_get(&me, &c, &why), -EINVAL);
		if (!strstr(why.text, cases[i].why))
			fail_msg("%s: '%s'", cases[i].list, why.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_identity_has_one_connection, setup),
		cmocka_unit_test_setup(a_handle_that_failed_is_not_used_again, setup),
		cmocka_unit_test_setup(what_is_spent_is_replaced_but_stays_for_its_users, setup),
		cmocka_unit_test_setup(who_comes_meanwhile_shares_the_outcome, setup),
		cmocka_unit_test_setup(a_disk_is_never_told_that_a_write_was_given_up, setup),
		cmocka_unit_test_setup(overrides_are_checked, setup),
	};

	return cmocka_run_group_tests_name("modules/rbd_cluster", tests, NULL, NULL);
}
#else
int main(void)
{
	return 0;			/* nor is there a module */
}
#endif
