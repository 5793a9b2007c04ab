/* SPDX-License-Identifier: BSD-3-Clause */
/* erase.h - for tests of SANITIZE and FORMAT UNIT. */
#pragma once
#include "../scsi/gate.h"
#include "ram.h"

#define BLOCK	512U

static struct rig rig;
static char *rules_on;			/* the file that makes bs_error err */

/* A disk of @size; @rules of bs_error, which apply while rules_on exists. */
static inline void stand_with_rules(const char *size, const char *rules, bool thin)
{
	struct scsi_device_config config = scsi_device_default;
	char opts[256];

	config.thin_provisioning = thin;
	rules_on = temp_file("/dev/shm", 0);
	unlink(rules_on);
	snprintf(opts, sizeof(opts), "opts=size=%s;control=%s;%s", size, rules_on, rules);
	rig_stand(&rig, "error", "ram:", opts, &config);
}

static inline void rules_apply(bool on)
{
	if (on)
		close(open(rules_on, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	else
		unlink(rules_on);
}

static inline void fall_with_rules(void)
{
	rules_apply(false);
	rig_fall(&rig);
	free(rules_on);
}

static inline void write_all(uint32_t blocks, uint8_t byte)
{
	struct command w = { .cdb = CDB_10(0x41, 0, 0, blocks) };
	uint8_t block[BLOCK];

	memset(block, byte, sizeof(block));
	assert_int_equal(run_out(rig.a, &w, block, BLOCK), SCSI_GOOD);
}

/* Block @lba has @want, repeated and cut off. */
static inline void assert_block(uint32_t lba, const uint8_t *want, size_t bytes)
{
	struct command r = { .cdb = CDB_10(0x28, 0, lba, 1) };
	uint8_t d[BLOCK];

	assert_int_equal(run_in(rig.b, &r, d, BLOCK), SCSI_GOOD);
	for (unsigned int i = 0; i < BLOCK; i++)
		assert_int_equal(d[i], want[i % bytes]);
}

/* REQUEST SENSE of @s: ASC and ASCQ as one number, and the progress. */
static inline unsigned int sense_now(struct session *s, unsigned int *ret_progress)
{
	struct command c = { .cdb = { 0x03, [4] = 18 } };
	uint8_t d[18];

	assert_int_equal(run_in(s, &c, d, sizeof(d)), SCSI_GOOD);
	if (ret_progress) {
		assert_int_equal(d[15], 0x80);
		*ret_progress = (unsigned int)be_load(d + 16, 2);
	}
	return (unsigned int)be_load(d + 12, 2);
}

static inline bool is_ready(struct session *s)
{
	struct command c = { .cdb = { 0x00 } };

	return run_plain(s, &c) == SCSI_GOOD;
}

static inline void wait_until_ready(struct session *s)
{
	for (unsigned int ms = 0; !is_ready(s); ms++) {
		const struct timespec pause = { .tv_nsec = 1000000 };

		if (ms > WAIT_SECONDS * 1000)
			fail_msg("never ready");
		nanosleep(&pause, NULL);
	}
}
