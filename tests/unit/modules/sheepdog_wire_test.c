/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers, byte for byte as a real cluster was sent them; what results mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../../usr/modules/bs_sheepdog_wire.c" /* NOLINT(bugprone-suspicious-include) */

#define VID  0x2a0b08U
#define NEXT 0x2a0b09U

static void headers_are_as_captured(void **state)
{
	const struct {
		const char *what;
		uint32_t id;
		struct sheep_header h;
		uint8_t wire[48];
	} cases[] = {
		{ "lock, shared",
		  1,
		  bs_sheepdog_wire_lookup(SHEEP_LOCK_VDI, 0, SHEEP_LOCK_SHARED),
		  { 1, 0x12, 1, [8] = 1, [13] = 2, [36] = 1 } },
		{ "look-up",
		  2,
		  bs_sheepdog_wire_lookup(SHEEP_GET_VDI_INFO, 0, 0),
		  { 1, 0x14, 1, [8] = 2, [13] = 2 } },
		{ "read of an inode's head",
		  3,
		  bs_sheepdog_wire_object(SHEEP_READ, 0, sheep_inode_oid(VID),
					  0, 4664),
		  { 1, 2, [8] = 3, [12] = 0x38, 0x12, [20] = 8, 0x0b, 0x2a,
		    0x80 } },
		{ "create",
		  4,
		  bs_sheepdog_wire_object(SHEEP_CREATE, SHEEP_FLAG_WRITE,
					  sheep_data_oid(VID, 1), 512, 16),
		  { 1, 1, 1, [8] = 4, [12] = 16, [16] = 1, [20] = 8, 0x0b,
		    0x2a, [41] = 2 } },
		{ "slot 1",
		  5,
		  bs_sheepdog_wire_object(SHEEP_WRITE, SHEEP_FLAG_WRITE,
					  sheep_inode_oid(VID),
					  sheep_slot_off(1), 4),
		  { 1, 3, 1, [8] = 5, [12] = 4, [20] = 8, 0x0b, 0x2a,
		    0x80, [40] = 0x3c, 0x12 } },
		{ "flush",
		  8,
		  bs_sheepdog_wire_object(SHEEP_FLUSH_VDI, 0,
					  sheep_inode_oid(VID), 0, 0),
		  { 1, 0x16, [8] = 8, [20] = 8, 0x0b, 0x2a, 0x80 } },
		{ "copy-on-write",
		  12,
		  bs_sheepdog_wire_copy(0, sheep_data_oid(NEXT, 1),
					sheep_data_oid(VID, 1), 0, 16),
		  { 1, 1, 3, [8] = 12, [12] = 16, [16] = 1, [20] = 9, 0x0b,
		    0x2a, [24] = 1, [28] = 8, 0x0b, 0x2a } },
		{ "discard",
		  14,
		  bs_sheepdog_wire_object(SHEEP_DISCARD, 0,
					  sheep_data_oid(NEXT, 1), 0, 0),
		  { 1, 5, [8] = 14, [16] = 1, [20] = 9, 0x0b, 0x2a } },
		{ "release, shared",
		  15,
		  bs_sheepdog_wire_release(VID, SHEEP_LOCK_SHARED),
		  { 1, 0x13, [8] = 15, [24] = 8, 0x0b, 0x2a, [36] = 1 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sheep_header h = cases[i].h;

		h.id = le32_make(cases[i].id);
		if (memcmp(&h, cases[i].wire, sizeof(h)) != 0)
			fail_msg("%s", cases[i].what);
	}
}

static void what_heals_is_tried_again(void **state)
{
	static const uint32_t heals[] = { SHEEP_STARTUP,
					  SHEEP_SHUTDOWN,
					  SHEEP_NO_MEM,
					  SHEEP_WAIT_FOR_FORMAT,
					  SHEEP_WAIT_FOR_JOIN,
					  SHEEP_HALT,
					  0x1c,
					  0x81,
					  0x82,
					  0x86,
					  0x8d,
					  0x8f,
					  0x95 };
	static const uint32_t changed[] = { SHEEP_NO_OBJ, SHEEP_READONLY,
					    SHEEP_INODE_INVALIDATED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heals); i++)
		assert_int_equal(bs_sheepdog_wire_verdict(heals[i]),
				 SHEEP_RETRY);
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		assert_int_equal(bs_sheepdog_wire_verdict(changed[i]),
				 SHEEP_RELOAD);
	assert_int_equal(bs_sheepdog_wire_verdict(SHEEP_SUCCESS), SHEEP_DONE);
	/* What there is not is a failure, and has words. */
	for (uint32_t result = 0; result < 256; result++) {
		char words[128];

		assert_true(strlen(bs_sheepdog_wire_words(result, words,
							  sizeof(words))) > 6);
		if (bs_sheepdog_wire_verdict(result) != SHEEP_DONE)
			assert_true(bs_sheepdog_wire_errno(result) < 0);
	}
	assert_int_equal(bs_sheepdog_wire_errno(SHEEP_NO_SPACE), -ENOSPC);
	assert_int_equal(bs_sheepdog_wire_errno(SHEEP_NO_OBJ), -ENODATA);
}

static void slots_never_wrap(void **state)
{
	static const struct {
		uint64_t size;
		unsigned int exp;
		uint32_t slots;
	} cases[] = {
		{ 1, 22, 1 },
		{ 4U << 20, 22, 1 },
		{ (4U << 20) + 1, 22, 2 },
		{ 1ULL << 42, 22, 1U << 20 },
		{ UINT64_MAX, 31, UINT32_MAX },
		{ UINT64_MAX, 9, UINT32_MAX },
		{ 512, 9, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(bs_sheepdog_wire_slots(cases[i].size,
							cases[i].exp),
				 cases[i].slots);
}

static void inodes_that_cannot_be_served(void **state)
{
	const struct sheep_inode good = { .name = "v",
					  .vid = le32_make(VID),
					  .object_exp = 22,
					  .size_bytes = le64_make(1ULL << 42) };
	struct sheep_inode bad = good;

	(void)state;
	assert_null(bs_sheepdog_wire_check_inode(&good, VID));
	assert_non_null(bs_sheepdog_wire_check_inode(&good, NEXT));
	bad.name[0] = '\0';
	assert_non_null(bs_sheepdog_wire_check_inode(&bad, VID));
	bad = good;
	bad.store_policy = 1;
	assert_non_null(
		strstr(bs_sheepdog_wire_check_inode(&bad, VID), "hypervolume"));
	bad = good;
	bad.size_bytes = le64_make((1ULL << 42) + 1);
	assert_non_null(bs_sheepdog_wire_check_inode(&bad, VID));
	bad = good;
	bad.object_exp = 8;
	assert_non_null(bs_sheepdog_wire_check_inode(&bad, VID));
	bad.object_exp = 255;
	assert_non_null(bs_sheepdog_wire_check_inode(&bad, VID));
	bad = good;
	bad.size_bytes = le64_make(0);
	assert_non_null(bs_sheepdog_wire_check_inode(&bad, VID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_as_captured),
		cmocka_unit_test(what_heals_is_tried_again),
		cmocka_unit_test(slots_never_wrap),
		cmocka_unit_test(inodes_that_cannot_be_served),
	};

	return cmocka_run_group_tests_name("modules/sheepdog_wire", tests, NULL,
					   NULL);
}
