/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random_test.c - commands that no initiator would send: each is answered, and
 * nothing is written outside its buffers (the sanitizers watch).
 */
#include "rig.h"

#define ROUNDS	20000U
#define OUT_MAX	65536U

static struct rig rig;
static uint8_t out[OUT_MAX], in[OUT_MAX];
static uint64_t seed;

/* xorshift64* */
static uint64_t rnd(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 2685821657736338717ULL;
}

static const struct scsi_command *any_row(void)
{
	const size_t n[] = { spc_nr_commands, spc_nr_medium_commands, sbc_nr_commands };
	size_t i = rnd() % (n[0] + n[1] + n[2]);

	if (i < n[0])
		return &spc_commands[i];
	i -= n[0];
	return i < n[1] ? &spc_medium_commands[i] : &sbc_commands[i - n[1]];
}

/* Mostly a known opcode, often no reserved bit, sometimes small fields. */
static void make_cdb(uint8_t *cdb)
{
	const struct scsi_command *row = any_row();
	const uint64_t how = rnd();

	for (unsigned int i = 0; i < SCSI_CDB_MAX; i++)
		cdb[i] = (uint8_t)(rnd() >> 32);
	if (how % 16 == 0)
		return;
	cdb[0] = row->opcode;
	if (row->has_sa && how % 8)
		cdb[1] = (uint8_t)((cdb[1] & 0xe0) | row->sa);
	if (how & 0x100)
		for (unsigned int i = 1; i < SCSI_CDB_MAX; i++)
			cdb[i] &= row->usage[i];
	if (how & 0x200)
		for (unsigned int i = 0; i + 2U < row->lba.bytes; i++)
			cdb[row->lba.at + i] = 0;
	if (how & 0x400)
		for (unsigned int i = 0; i + 1U < row->len.bytes; i++)
			cdb[row->len.at + i] = 0;
}

/* Sometimes what a parameter list would look like. */
static void make_data(void)
{
	for (size_t i = 0; i < 4096; i += 8) {
		const uint64_t v = rnd() & (rnd() % 4 ? 0x0000ff00000000ffULL : UINT64_MAX);

		be_store(out + i, 8, v);
	}
}

static void one(struct session *s)
{
	static const uint32_t lengths[] = { 0, 1, 8, 24, 511, 512, 1024, 4096, OUT_MAX };
	struct command c = { .lun = rnd() % 32 ? DISK_LUN : rnd() % 3,
			     .out = out, .in = in };

	make_cdb(c.cdb);
	make_data();
	c.out_bytes = rnd() % 2 ? lengths[rnd() % ARRAY_SIZE(lengths)] : 0;
	c.in_max = rnd() % 2 ? lengths[rnd() % ARRAY_SIZE(lengths)] : 0;
	c.immediate = c.out_bytes && rnd() % 2;
	command_run(s, &c);
	assert_true(c.answered);
	assert_true(c.status == SCSI_CHECK_CONDITION ? c.sense_bytes >= 8 : !c.sense_bytes);
}

static void every_command_is_answered(void **state)
{
	struct scsi_device_config config = scsi_device_default;

	(void)state;
	config.thin_provisioning = true;
	for (unsigned int removable = 0; removable < 2; removable++) {
		config.removable = removable;
		seed = 88172645463325252ULL + removable;
		rig_stand(&rig, "ram", "", "size=32M", &config);
		for (unsigned int i = 0; i < ROUNDS / 2; i++) {
			one(i & 1 ? rig.a : rig.b);
			/* Do not stay behind a reservation or a stop for long. */
			if (i % 50 == 0)
				assert_int_equal(manage(rig.a, SCSI_TMF_LUN_RESET,
							DISK_LUN, NULL),
						 SCSI_TMF_COMPLETE);
			if (i % 50 == 0)
				atomic_store(&rig.disk->ejected, false);
		}
		rig_fall(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_answered),
	};

	return cmocka_run_group_tests_name("sbc/random", tests, rig_start_daemon,
					   modules_down);
}
