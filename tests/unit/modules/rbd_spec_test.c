/* SPDX-License-Identifier: BSD-3-Clause */
/* Image specifiers and identities of bs_rbd.  The file is compiled in: a module
 * exports nothing of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/macros.h"
#include "bs/params.h"
#include "../../../usr/modules/bs_rbd_spec.c" /* NOLINT(bugprone-suspicious-include) */

static const struct bs_option options[] = { BS_RBD_IDENTITY_OPTIONS, { 0 } };

static void assert_text(const char *why, const char *got, const char *wanted)
{
	if (!got || !wanted ? got != wanted : strcmp(got, wanted) != 0)
		fail_msg("%s: '%s', not '%s'", why, got ? got : "NULL",
			 wanted ? wanted : "NULL");
}

static void images_have_pools_namespaces_and_snapshots(void **state)
{
	static const struct {
		const char *text, *pool, *ns, *image, *snap;
	} cases[] = {
		{ "disk", "rbd", "", "disk", NULL },
		{ "disk@monday", "rbd", "", "disk", "monday" },
		{ "vms/disk", "vms", "", "disk", NULL },
		{ "vms/disk@monday", "vms", "", "disk", "monday" },
		{ "vms/team/disk", "vms", "team", "disk", NULL },
		{ "vms/team/disk@monday", "vms", "team", "disk", "monday" },
		{ "a b", "rbd", "", "a b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bs_rbd_why why;
		struct bs_rbd_spec s;

		if (bs_rbd_spec_parse(cases[i].text, &s, &why))
			fail_msg("%s: %s", cases[i].text, why.text);
		assert_text(cases[i].text, s.pool, cases[i].pool);
		assert_text(cases[i].text, s.ns, cases[i].ns);
		assert_text(cases[i].text, s.image, cases[i].image);
		assert_text(cases[i].text, s.snap, cases[i].snap);
		bs_rbd_spec_free(&s);
	}
}

static void other_specifiers_are_refused(void **state)
{
	static const char *const cases[] = { "", "/", "a/", "/a", "a//b", "a/b/c/d", "@s", "a@",
					     "a@b@c", "a@b/c", "a/@s" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bs_rbd_why why = { "" };
		struct bs_rbd_spec s;

		if (bs_rbd_spec_parse(cases[i], &s, &why) != -EINVAL)
			fail_msg("'%s' is taken", cases[i]);
		assert_non_null(strstr(why.text, "image[@snapshot]"));
		bs_rbd_spec_free(&s);
	}
}

static void what_holds_images_is_a_pool_or_a_namespace(void **state)
{
	static const struct {
		const char *text, *pool, *ns;	/* pool NULL: refused */
	} cases[] = {
		{ "", "rbd", "" },	  { "vms", "vms", "" }, { "vms/team", "vms", "team" },
		{ "vms/team/x", NULL, NULL }, { "vms/", NULL, NULL }, { "vms@x", NULL, NULL },
		{ "/", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bs_rbd_why why;
		struct bs_rbd_spec s;
		const int err = bs_rbd_spec_parse_pool(cases[i].text, &s, &why);

		if (err != (cases[i].pool ? 0 : -EINVAL))
			fail_msg("'%s': %d", cases[i].text, err);
		assert_text(cases[i].text, s.pool, cases[i].pool);
		assert_text(cases[i].text, s.ns, cases[i].ns);
		assert_null(s.image);
		bs_rbd_spec_free(&s);
	}
}

static void parse(const char *text, struct bs_rbd_identity *ret, int wanted,
		  struct bs_rbd_why *why)
{
	struct bs_params *p;
	char buf[256];

	if (bs_params_parse("rbd", options, text, buf, sizeof(buf), &p))
		fail_msg("%s: %s", text, buf);
	assert_int_equal(bs_rbd_identity_parse(p, ret, why), wanted);
	bs_params_free(p);
}

static void an_identity_outlives_the_options(void **state)
{
	struct bs_rbd_identity i;
	struct bs_rbd_why why;

	(void)state;
	parse("conf=/x/y.conf;id=tgt;cluster=backup;cephx_key=abc=;timeout=3;"
	      "override=rbd_cache_size=1,debug_rbd=0;cache", &i, 0, &why);
	assert_text("conf", i.conf, "/x/y.conf");
	assert_text("id", i.id, "tgt");
	assert_text("cluster", i.cluster, "backup");
	assert_text("key", i.key, "abc=");
	assert_text("override", i.override, "rbd_cache_size=1,debug_rbd=0");
	assert_int_equal(i.timeout_s, 3);
	assert_true(i.cache);
	assert_false(i.osd_timeout);
	bs_rbd_identity_free(&i);

	parse("", &i, 0, &why);
	assert_text("conf", i.conf, NULL);
	assert_text("id", i.id, "admin");
	assert_text("cluster", i.cluster, "ceph");
	assert_text("key", i.key, NULL);
	assert_int_equal(i.timeout_s, 10);
	assert_false(i.cache);
	bs_rbd_identity_free(&i);
}

static void secrets_of_libvirt_are_named_by_uuid(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "virsecretuuid=../../shadow", "not a UUID" },
		{ "virsecretuuid=00000000-0000-0000-0000-000000000000", ".base64: No such file" },
		{ "virsecretuuid=00000000-0000-0000-0000-000000000000;cephx_key=x", "not both" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct bs_rbd_why why = { "" };
		struct bs_rbd_identity i;

		parse(cases[n].text, &i, -EINVAL, &why);
		if (!strstr(why.text, cases[n].why))
			fail_msg("%s: '%s'", cases[n].text, why.text);
		bs_rbd_identity_free(&i);
	}
}

static void identities_differ_in_any_option(void **state)
{
	static const char *const others[] = { "", "id=a", "id=a;conf=/d", "id=a;conf=/c;cluster=x",
					      "id=a;conf=/c;timeout=4", "id=a;conf=/c;cache",
					      "id=a;conf=/c;override=a=b",
					      "id=a;conf=/c;cephx_key=k", "id=b;conf=/c" };
	struct bs_rbd_identity a, b;
	struct bs_rbd_why why;

	(void)state;
	parse("id=a;conf=/c", &a, 0, &why);
	assert_int_equal(bs_rbd_identity_copy(&a, &b), 0);
	assert_true(bs_rbd_identity_equal(&a, &b));
	b.osd_timeout = true;
	assert_false(bs_rbd_identity_equal(&a, &b));
	bs_rbd_identity_free(&b);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		parse(others[i], &b, 0, &why);
		if (bs_rbd_identity_equal(&a, &b))
			fail_msg("'%s' shares a connection", others[i]);
		bs_rbd_identity_free(&b);
	}
	bs_rbd_identity_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_have_pools_namespaces_and_snapshots),
		cmocka_unit_test(other_specifiers_are_refused),
		cmocka_unit_test(what_holds_images_is_a_pool_or_a_namespace),
		cmocka_unit_test(an_identity_outlives_the_options),
		cmocka_unit_test(secrets_of_libvirt_are_named_by_uuid),
		cmocka_unit_test(identities_differ_in_any_option),
	};

	return cmocka_run_group_tests_name("modules/rbd_spec", tests, NULL, NULL);
}
