/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/macros.h"
#include "scsi/scsi.h"
#include "scsi/sense.h"

static const struct {
	const char *why;
	struct scsi_sense s;
	bool descriptor;
	uint8_t bytes;
	uint8_t data[32];
} formats[] = {
	{ "fixed", { .code = SCSI_SENSE_INVALID_OPCODE }, false, 18,
	  { 0x70, [2] = 0x05, [7] = 10, [12] = 0x20 } },
	{ "fixed, information",
	  { .code = SCSI_SENSE_LBA_OUT_OF_RANGE, .has_info = true, .info = 0x12345678 },
	  false, 18,
	  { 0xf0, [2] = 0x05, 0x12, 0x34, 0x56, 0x78, 10, [12] = 0x21 } },
	{ "fixed, information of more than 4 bytes",
	  { .code = SCSI_SENSE_LBA_OUT_OF_RANGE, .has_info = true, .info = 1ULL << 32 },
	  false, 18, { 0x70, [2] = 0x05, [7] = 10, [12] = 0x21 } },
	{ "fixed, field pointer to a bit of the CDB",
	  { .code = SCSI_SENSE_INVALID_FIELD_IN_CDB, .has_field = true,
	    .field_in_cdb = true, .field_byte = 0x102, .field_bit = 3 }, false, 18,
	  { 0x70, [2] = 0x05, [7] = 10, [12] = 0x24, [15] = 0xcb, 0x01, 0x02 } },
	{ "fixed, field pointer to a byte of the parameter list",
	  { .code = SCSI_SENSE_INVALID_FIELD_IN_PARAMETER_LIST, .has_field = true,
	    .field_byte = 2, .field_bit = 8 }, false, 18,
	  { 0x70, [2] = 0x05, [7] = 10, [12] = 0x26, [15] = 0x80, 0x00, 0x02 } },
	{ "fixed, progress",
	  { .code = SCSI_SENSE_SANITIZE_IN_PROGRESS, .has_progress = true,
	    .progress = 0x8001 }, false, 18,
	  { 0x70, [2] = 0x02, [7] = 10, [12] = 0x04, 0x1b, [15] = 0x80, 0x80, 0x01 } },
	{ "descriptor, progress",
	  { .code = SCSI_SENSE_FORMAT_IN_PROGRESS, .has_progress = true, .progress = 7 },
	  true, 16,
	  { 0x72, 0x02, 0x04, 0x04, [7] = 8, 0x02, 0x06, [12] = 0x80, 0x00, 0x07 } },
	{ "descriptor", { .code = SCSI_SENSE_POWER_ON_OR_RESET }, true, 8,
	  { 0x72, 0x06, 0x29, 0x00 } },
	{ "descriptor, information",
	  { .code = SCSI_SENSE_MISCOMPARE, .has_info = true, .info = 0x123456789aULL },
	  true, 20,
	  { 0x72, 0x0e, 0x1d, 0x00, [7] = 12, 0x00, 0x0a, 0x80, [15] = 0x12, 0x34, 0x56,
	    0x78, 0x9a } },
	{ "descriptor, field pointer",
	  { .code = SCSI_SENSE_INVALID_FIELD_IN_CDB, .has_field = true,
	    .field_in_cdb = true, .field_byte = 1, .field_bit = 7 }, true, 16,
	  { 0x72, 0x05, 0x24, 0x00, [7] = 8, 0x02, 0x06, [12] = 0xcf, 0x00, 0x01 } },
};

static void sense_data_is_what_the_standard_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		uint8_t got[SCSI_SENSE_MAX];
		const size_t n = scsi_sense_format(&formats[i].s, formats[i].descriptor,
						   got, sizeof(got));

		if (n != formats[i].bytes || memcmp(got, formats[i].data, n))
			fail_msg("%s", formats[i].why);
	}
}

static void a_short_buffer_is_not_overrun(void **state)
{
	const struct scsi_sense s = { .code = SCSI_SENSE_INVALID_OPCODE };
	uint8_t got[8];

	(void)state;
	memset(got, 0x5a, sizeof(got));
	assert_int_equal(scsi_sense_format(&s, false, got, 4), 4);
	assert_int_equal(got[3], 0);
	assert_int_equal(got[4], 0x5a);
}

/* No two names for one code, and every key one that exists. */
static void codes_are_unique(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SCSI_SENSE_NR; i++) {
		assert_in_range(scsi_sense_key(i), 0, 0xe);
		for (unsigned int k = 0; k < i; k++)
			assert_false(scsi_sense_key(i) == scsi_sense_key(k) &&
				     scsi_sense_asc(i) == scsi_sense_asc(k) &&
				     scsi_sense_ascq(i) == scsi_sense_ascq(k));
	}
}

static void errors_of_a_store_have_a_sense(void **state)
{
	static const struct { int err; bool writing; uint8_t key, asc; } cases[] = {
		{ -EIO, false, 0x3, 0x11 },	{ -EIO, true, 0x3, 0x0c },
		{ -ENODATA, false, 0x3, 0x11 },	{ -ENOSPC, true, 0x7, 0x27 },
		{ -ERANGE, true, 0x5, 0x21 },	{ -EROFS, true, 0x7, 0x27 },
		{ -EILSEQ, false, 0xe, 0x1d },	{ -EOPNOTSUPP, true, 0x5, 0x20 },
		{ -ETIMEDOUT, false, 0xb, 0x2e }, { -ENXIO, false, 0xb, 0x08 },
		{ -EBADF, false, 0x4, 0x44 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const enum scsi_sense_code code = scsi_sense_of_errno(cases[i].err,
								      cases[i].writing);

		assert_int_equal(scsi_sense_key(code), cases[i].key);
		assert_int_equal(scsi_sense_asc(code), cases[i].asc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sense_data_is_what_the_standard_says),
		cmocka_unit_test(a_short_buffer_is_not_overrun),
		cmocka_unit_test(codes_are_unique),
		cmocka_unit_test(errors_of_a_store_have_a_sense),
	};

	return cmocka_run_group_tests_name("scsi/sense", tests, NULL, NULL);
}
