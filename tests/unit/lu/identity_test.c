/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/macros.h"
#include "lu/identity.h"

#define IQN "iqn.2001-04.com.example:a"

static void default_is_stable(void **state)
{
	struct lu_identity a, b;

	(void)state;
	lu_identity_default(&a, IQN, 1, 1);
	lu_identity_default(&b, IQN, 7, 1);	/* configured in another order */
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(strlen(a.scsi_id), 24);
	assert_memory_equal(a.scsi_id, "IET     ", 8);
	assert_true(strlen(a.scsi_sn) >= 16 && strlen(a.scsi_sn) <= 20);
	assert_int_equal(a.naa_bytes, 8);
	assert_int_equal(a.naa[0] >> 4, 3);	/* locally assigned */
	assert_false(a.tgt_compat);
}

static int compare_naa(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

static void default_is_unique(void **state)
{
	static uint8_t naa[200 * 100][8];
	size_t n = 0;

	(void)state;
	for (int t = 0; t < 200; t++)
		for (uint64_t lun = 0; lun < 100; lun++) {
			struct lu_identity id;
			char iqn[64];

			snprintf(iqn, sizeof(iqn), "iqn.2001-04.com.example:t%d", t);
			lu_identity_default(&id, iqn, t, lun);
			memcpy(naa[n++], id.naa, 8);
		}
	qsort(naa, n, sizeof(naa[0]), compare_naa);
	for (size_t i = 1; i < n; i++)
		assert_memory_not_equal(naa[i - 1], naa[i], 8);
}

static void tgt_ids_are_those_of_tgt(void **state)
{
	static const uint8_t naa[8] = { 0x30, 0, 0, 1, 0, 0, 0, 1 };
	static const uint8_t naa6[16] = { 0x60, 0, 0, 0, 0, 0, 0, 0,
					  0x0e, 0, 0, 0, 0, 0x01, 0, 0x01 };
	struct lu_identity id;

	(void)state;
	lu_identity_tgt(&id, 1, 1);
	assert_string_equal(id.scsi_id, "IET     00010001");
	assert_string_equal(id.scsi_sn, "beaf11");
	assert_memory_equal(id.naa, naa, 8);
	assert_true(id.tgt_compat);
	assert_memory_equal(id.naa6, naa6, 16);
	lu_identity_tgt(&id, 42, 0);
	assert_string_equal(id.scsi_sn, "beaf420");
}

/* As observed on tgt 1.0.85: the digits end at the right. */
static void tgt_reads_scsi_id_as_hexadecimal(void **state)
{
	static const struct {
		const char *scsi_id, *naa6;
	} cases[] = {
		{ "ID0001", "600000000000000000000000000d0001" },
		{ "abc", "60000000000000000000000000000abc" },
		{ "0123456789abcdef01234567", "600000000123456789abcdef01234567" },
		{ "IET     000200ff", "60000000000000000e000000000200ff" },
		{ "0123456789abcdef0", "6000000000000000123456789abcdef0" },
		{ "0123456789abcdef0123456789abcdef1234", "656789abcdef0123456789abcdef1234" },
		{ "550e8400-e29b-41d4-a716-446655440000", "64000e29b041d40a7160446655440000" },
	};
	struct lu_identity id;
	char hex[33];

	(void)state;
	lu_identity_tgt(&id, 1, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(lu_identity_set_id(&id, cases[i].scsi_id), 0);
		for (size_t k = 0; k < sizeof(id.naa6); k++)
			snprintf(hex + 2 * k, 3, "%02x", id.naa6[k]);
		assert_string_equal(hex, cases[i].naa6);
	}
}

static void what_the_user_sets_stands(void **state)
{
	struct lu_identity a, b, tgt;

	(void)state;
	lu_identity_default(&a, IQN, 1, 1);
	lu_identity_default(&b, IQN "2", 2, 5);
	assert_int_equal(lu_identity_set_id(&a, "my disk"), 0);
	assert_int_equal(lu_identity_set_id(&b, "my disk"), 0);
	assert_string_equal(a.scsi_id, "my disk");
	assert_memory_equal(a.naa, b.naa, 8);	/* two paths, one disk */
	assert_int_equal(lu_identity_set_id(&b, "other"), 0);
	assert_memory_not_equal(a.naa, b.naa, 8);
	assert_int_equal(lu_identity_set_sn(&a, "SN 1"), 0);
	assert_string_equal(a.scsi_sn, "SN 1");

	lu_identity_tgt(&tgt, 1, 1);
	assert_int_equal(lu_identity_set_id(&tgt, "IET     000200ff"), 0);
	assert_int_equal(tgt.naa[3], 1);	/* tgt's NAA-3 follows no parameter */
	assert_int_equal(tgt.naa6[15], 0xff);
}

static void names_are_checked(void **state)
{
	static const char *const bad[] = { "", "0123456789012345678901234567890123456", "tab\t", "h\xc3\xa9" };
	struct lu_identity id, before;
	char sn[LU_SN_MAX + 2];

	(void)state;
	lu_identity_default(&id, IQN, 1, 1);
	before = id;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(lu_identity_set_id(&id, bad[i]), -ERANGE);
	memset(sn, 'x', sizeof(sn));
	sn[LU_SN_MAX + 1] = '\0';
	assert_int_equal(lu_identity_set_sn(&id, sn), -ERANGE);
	assert_memory_equal(&id, &before, sizeof(id));
	sn[LU_SN_MAX] = '\0';
	assert_int_equal(lu_identity_set_sn(&id, sn), 0);
	assert_int_equal(lu_identity_set_id(&id, "012345678901234567890123456789012345"), 0);
}

static void the_host_has_one_id(void **state)
{
	char dir[] = "/tmp/tgt-test-XXXXXX", file[64];
	struct lu_identity before, after;
	const char *source;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/host-id", dir);
	lu_identity_default(&before, IQN, 1, 1);	/* no host id yet */
	source = lu_identity_init(dir);
	assert_non_null(source);
	lu_identity_default(&after, IQN, 1, 1);
	assert_memory_not_equal(before.naa, after.naa, 8);
	before = after;
	assert_non_null(lu_identity_init(dir));		/* restarted */
	lu_identity_default(&after, IQN, 1, 1);
	assert_memory_equal(&before, &after, sizeof(before));
	unlink(file);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_is_stable),
		cmocka_unit_test(default_is_unique),
		cmocka_unit_test(tgt_ids_are_those_of_tgt),
		cmocka_unit_test(tgt_reads_scsi_id_as_hexadecimal),
		cmocka_unit_test(what_the_user_sets_stands),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(the_host_has_one_id),
	};

	return cmocka_run_group_tests_name("lu/identity", tests, NULL, NULL);
}
