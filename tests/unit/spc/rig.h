/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rig.h - a target with its controller at LUN 0 and, at LUN 1, a device that has
 * nothing but the primary commands; nexuses on two reactors.
 */
#pragma once
#include "../scsi/initiator.h"
#include "lu/state_dir.h"
#include "spc/spc.h"
#include "spc/state.h"

#define DEVICE_LUN	1
#define TARGET_NAME	"iqn.2001-04.com.example:spc"

static size_t rig_fill_page(const struct scsi_task *t, uint8_t *p)
{
	(void)t;
	static const uint8_t page[] = { 'p', 'a', 'g', 'e' };

	memcpy(p, page, sizeof(page));
	return sizeof(page);
}

static const struct spc_vpd_page rig_vpd[] = { { 0xb5, rig_fill_page } };

static const struct spc_mode_page rig_mode[] = {
	{ .code = 0x02, .bytes = 16 },
	SPC_MODE_CONTROL,
	SPC_MODE_CONTROL_EXTENSION,
	SPC_MODE_EXCEPTIONS,
};

static uint8_t rig_mode_parameter(const struct scsi_device *dev)
{
	return scsi_device_writable(dev) ? 0x10 : 0x90;
}

static const struct scsi_command *const rig_tables[] = { spc_commands,
							 spc_medium_commands, NULL };
static size_t rig_rows[2];
static const struct spc_device_type rig_type = {
	.type = { .name = "test", .option = "test", .code = 0x0e,
		  .version_descriptors = { 0x0460, 0x1234 },
		  .commands = rig_tables, .nr_commands = rig_rows, SPC_STATE },
	.vpd = rig_vpd, .nr_vpd = ARRAY_SIZE(rig_vpd),
	.mode = rig_mode, .nr_mode = ARRAY_SIZE(rig_mode),
	.mode_parameter = rig_mode_parameter,
	.has_blocks = true,
};

static struct {
	struct lu *lu;
	struct scsi_device *controller, *dev;
	struct scsi_target *target;
	struct session *a, *b;
} rig;

static inline int rig_stand(void **state)
{
	(void)state;
	rig.lu = disk_open("null", "", "size=1G");
	rig.controller = scsi_device_new(spc_controller_type(), NULL, &scsi_device_default);
	rig.dev = scsi_device_new(&rig_type.type, rig.lu, &scsi_device_default);
	assert_non_null(rig.controller);
	assert_non_null(rig.dev);
	rig.target = scsi_target_new(TARGET_NAME, 1, rig.controller);
	assert_non_null(rig.target);
	assert_int_equal(add_lun(rig.target, DEVICE_LUN, rig.dev), 0);
	rig.a = session_open(rig.target, 0);
	rig.b = session_open(rig.target, 1);
	clear_attention(rig.a, DEVICE_LUN);
	clear_attention(rig.b, DEVICE_LUN);
	return 0;
}

static inline int rig_fall(void **state)
{
	(void)state;
	session_close(rig.a);
	session_close(rig.b);
	assert_int_equal(remove_lun(rig.target, DEVICE_LUN), 0);
	scsi_target_put(rig.target);
	scsi_device_put(rig.dev);
	scsi_device_put(rig.controller);
	disk_close(rig.lu);
	assert_int_equal(lu_state_dir_set(NULL), 0);
	return 0;
}

static inline int rig_start_daemon(void **state)
{
	rig_rows[0] = spc_nr_commands;
	rig_rows[1] = spc_nr_medium_commands;
	assert_int_equal(spc_register(), 0);
	assert_int_equal(scsi_device_type_register(&rig_type.type), 0);
	return modules_up(state);
}

static inline enum scsi_status run_in(struct session *s, struct command *c, uint64_t lun,
				      void *in, size_t bytes)
{
	c->lun = lun;
	c->in = in;
	c->in_max = bytes;
	return command_run(s, c);
}

static inline enum scsi_status run_out(struct session *s, struct command *c,
				       const void *out, size_t bytes)
{
	c->lun = DEVICE_LUN;
	c->out = out;
	c->out_bytes = bytes;
	return command_run(s, c);
}

#define rig_test(f)	cmocka_unit_test_setup_teardown(f, rig_stand, rig_fall)

#define rig_main(name, tests) \
	cmocka_run_group_tests_name(name, tests, rig_start_daemon, modules_down)
