/* SPDX-License-Identifier: BSD-3-Clause */
/* rig.h - a target with a disk at LUN 1, and two nexuses on two reactors. */
#pragma once
#include "../scsi/initiator.h"
#include "sbc/sbc.h"
#include "spc/spc.h"

#define DISK_LUN	1

struct rig {
	struct lu *lu;
	struct scsi_device *controller, *disk;
	struct scsi_target *target;
	struct session *a, *b;
};

static inline void rig_stand(struct rig *r, const char *bstype, const char *path,
			     const char *bsopts, const struct scsi_device_config *config)
{
	r->lu = disk_open(bstype, path, bsopts);
	r->controller = scsi_device_new(spc_controller_type(), NULL, &scsi_device_default);
	r->disk = scsi_device_new(sbc_disk_type(), r->lu, config);
	assert_non_null(r->controller);
	assert_non_null(r->disk);
	r->target = scsi_target_new("iqn.2001-04.com.example:disk", 1, r->controller);
	assert_non_null(r->target);
	assert_int_equal(add_lun(r->target, DISK_LUN, r->disk), 0);
	r->a = session_open(r->target, 0);
	r->b = session_open(r->target, 1);
	clear_attention(r->a, DISK_LUN);
	clear_attention(r->b, DISK_LUN);
}

static inline void rig_fall(struct rig *r)
{
	session_close(r->a);
	session_close(r->b);
	assert_int_equal(remove_lun(r->target, DISK_LUN), 0);
	scsi_target_put(r->target);
	scsi_device_put(r->disk);
	scsi_device_put(r->controller);
	disk_close(r->lu);
}

static inline int rig_start_daemon(void **state)
{
	assert_int_equal(spc_register(), 0);
	assert_int_equal(sbc_register(), 0);
	return modules_up(state);
}

/* --- commands on LUN 1 of a session, with buffers --- */

static inline enum scsi_status run_in(struct session *s, struct command *c, void *in,
				      size_t bytes)
{
	c->lun = DISK_LUN;
	c->in = in;
	c->in_max = bytes;
	return command_run(s, c);
}

static inline enum scsi_status run_out(struct session *s, struct command *c,
				       const void *out, size_t bytes)
{
	c->lun = DISK_LUN;
	c->out = out;
	c->out_bytes = bytes;
	return command_run(s, c);
}

static inline enum scsi_status run_plain(struct session *s, struct command *c)
{
	c->lun = DISK_LUN;
	return command_run(s, c);
}

/* READ(10) and friends: LBA in bytes 2-5, length in 7-8. */
#define CDB_10(op, flags, lba, n) { (op), (flags), (uint8_t)((lba) >> 24), \
	(uint8_t)((lba) >> 16), (uint8_t)((lba) >> 8), (uint8_t)(lba), 0, \
	(uint8_t)((n) >> 8), (uint8_t)(n) }
