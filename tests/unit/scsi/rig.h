/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rig.h - a command set of a few commands, and a target that has it at LUN 1,
 * over a store that may be made to hang, with nexuses on two reactors.
 */
#pragma once
#include "gate.h"
#include "initiator.h"
#include "scsi/alua.h"
#include "scsi/reservation.h"

#define BLOCK		512U
#define BLOCKS		2048U
#define DISK_LUN	1

static inline enum scsi_status rig_good(struct scsi_task *t)
{
	(void)t;
	return SCSI_GOOD;
}

static inline enum scsi_status rig_hello(struct scsi_task *t)
{
	return scsi_task_reply(t, "hello", 5);
}

static inline enum scsi_status rig_io(struct scsi_task *t)
{
	const bool write = t->cmd->data == SCSI_DATA_OUT;

	t->io.op = write ? LU_WRITE : LU_READ;
	t->io.off_bytes = t->lba * BLOCK;
	t->io.len_bytes = write ? t->out_bytes : t->want_bytes;
	return scsi_task_submit(t);
}

static inline enum scsi_status rig_reserve(struct scsi_task *t)
{
	struct lu_reserve_who who;

	scsi_reservation_who(t->nexus, &who);
	return lu_reserve_take(lu_reserve(t->dev->lu), &who, t->nexus->id) ?
		       SCSI_RESERVATION_CONFLICT : SCSI_GOOD;
}

/* Group 1 shall be in standby. */
static inline enum scsi_status rig_ask(struct scsi_task *t)
{
	const struct scsi_alua_wish w = { .group = 1, .state = SCSI_ALUA_STANDBY };

	return scsi_alua_ask(t, &w, 1);
}

enum { READY = 0x00, HELLO = 0x03, RESERVE = 0x16, READ = 0x28, WRITE = 0x2a,
       THIN = 0x42, MANY = 0x9e, ASK = 0xa4 };

static const struct scsi_command rig_commands[] = {
	{ .name = "READY", .opcode = READY, .cdb_bytes = 6, .run = rig_good,
	  .usage = { READY } },
	{ .name = "HELLO", .opcode = HELLO, .cdb_bytes = 6, .run = rig_hello,
	  .data = SCSI_DATA_IN, .unit = SCSI_UNIT_BYTES, .len = { 4, 1 },
	  .flags = SCSI_CMD_NO_UA | SCSI_CMD_ANY_LUN | SCSI_CMD_NO_MEDIUM,
	  .usage = { HELLO, 0x01, 0x00, 0x00, 0xff } },
	{ .name = "RESERVE", .opcode = RESERVE, .cdb_bytes = 6, .run = rig_reserve,
	  .usage = { RESERVE } },
	{ .name = "READ", .opcode = READ, .cdb_bytes = 10, .run = rig_io,
	  .data = SCSI_DATA_IN, .unit = SCSI_UNIT_BLOCKS, .flags = SCSI_CMD_RANGE,
	  .lba = { 2, 4 }, .len = { 7, 2 },
	  .usage = { READ, 0x08, 0xff, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff } },
	{ .name = "WRITE", .opcode = WRITE, .cdb_bytes = 10, .run = rig_io,
	  .data = SCSI_DATA_OUT, .unit = SCSI_UNIT_BLOCKS,
	  .flags = SCSI_CMD_RANGE | SCSI_CMD_WRITES,
	  .lba = { 2, 4 }, .len = { 7, 2 },
	  .usage = { WRITE, 0x08, 0xff, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff } },
	{ .name = "THIN", .opcode = THIN, .cdb_bytes = 10, .run = rig_good,
	  .flags = SCSI_CMD_THIN, .usage = { THIN } },
	{ .name = "MANY/10", .opcode = MANY, .has_sa = true, .sa = 0x10, .cdb_bytes = 16,
	  .run = rig_good, .usage = { MANY, 0x10 } },
	{ .name = "MANY/05", .opcode = MANY, .has_sa = true, .sa = 0x05, .cdb_bytes = 16,
	  .run = rig_good, .usage = { MANY, 0x05 } },
	{ .name = "ASK", .opcode = ASK, .cdb_bytes = 12, .run = rig_ask, .usage = { ASK } },
};

static const struct scsi_command *const rig_tables[] = { rig_commands, NULL };
static const size_t rig_rows[] = { ARRAY_SIZE(rig_commands) };
static const struct scsi_device_type rig_type = {
	.name = "test", .option = "test", .commands = rig_tables, .nr_commands = rig_rows,
};

static struct rig {
	struct lu *lu;
	struct scsi_device *disk;
	struct scsi_target *target;
	struct session *a, *b;		/* on reactors 0 and 1 */
} rig;

static inline int rig_stand(void **state)
{
	(void)state;
	rig.lu = disk_open("gate", "", NULL);
	rig.disk = scsi_device_new(&rig_type, rig.lu, &scsi_device_default);
	rig.target = scsi_target_new("iqn.2001-04.com.example:t", 1, NULL);
	assert_non_null(rig.disk);
	assert_non_null(rig.target);
	assert_int_equal(add_lun(rig.target, DISK_LUN, rig.disk), 0);
	rig.a = session_open(rig.target, 0);
	rig.b = session_open(rig.target, 1);
	clear_attention(rig.a, DISK_LUN);
	clear_attention(rig.b, DISK_LUN);
	return 0;
}

static inline int rig_fall(void **state)
{
	int err;

	(void)state;
	gate_open();
	if (rig.a)
		session_close(rig.a);
	if (rig.b)
		session_close(rig.b);
	err = remove_lun(rig.target, DISK_LUN);
	assert_true(!err || err == -ENOENT);
	scsi_target_put(rig.target);
	scsi_device_put(rig.disk);
	disk_close(rig.lu);
	return 0;
}

static inline int rig_start_daemon(void **state)
{
	(void)state;
	assert_int_equal(scsi_device_type_register(&rig_type), 0);
	daemon_start(2, 2);
	load_modules("tests/modules");
	gate_find();
	return 0;
}

static inline int rig_stop_daemon(void **state)
{
	(void)state;
	daemon_stop();
	rcu_barrier();
	bs_loader_unload();
	return 0;
}

/* --- commands that are used a lot --- */

static const uint8_t rig_data[8 * BLOCK];

#define READY_COMMAND	{ .cdb = { READY }, .lun = DISK_LUN }
#define READ_COMMAND	{ .cdb = { READ, [8] = 1 }, .lun = DISK_LUN, .in_max = BLOCK }
#define WRITE_COMMAND	{ .cdb = { WRITE, [8] = 1 }, .lun = DISK_LUN, \
			  .out = rig_data, .out_bytes = BLOCK }

static inline void assert_ready(struct session *s)
{
	struct command c = READY_COMMAND;

	assert_int_equal(command_run(s, &c), SCSI_GOOD);
}

static inline void assert_attention(struct session *s, uint8_t asc, uint8_t ascq)
{
	struct command c = READY_COMMAND;

	command_run(s, &c);
	assert_sense(&c, 0x6, asc, ascq);
}

#define rig_test(f)	cmocka_unit_test_setup_teardown(f, rig_stand, rig_fall)
