/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spc/spc.h - what SPC-4 gives to every device type: the primary commands, and
 * the frame into which command sets put their VPD and mode pages.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "scsi/command.h"
#include "scsi/device_type.h"

struct scsi_device;

#define SPC_VPD_BODY_MAX	8192	/* bytes of a VPD page after its header */
#define SPC_MODE_PAGE_MAX	40

struct spc_vpd_page {
	uint8_t code;
	/* Write the page from byte 4 on; returns its PAGE LENGTH.  @p is zeroed
	 * and has SPC_VPD_BODY_MAX bytes. */
	size_t (*fill)(const struct scsi_task *t, uint8_t *p);
};

struct spc_mode_page {
	uint8_t code, subcode;
	uint8_t bytes;			/* with the header, which we write: 2 bytes, or
					 * 4 of a subpage (subcode not 0) */
	/* Current (or default) values; @p is zeroed, byte 0 is that of the page.
	 * NULL: all zero. */
	void (*fill)(const struct scsi_device *dev, bool defaults, uint8_t *p);
	/* Bits that MODE SELECT may change; NULL: none. */
	const uint8_t *changeable;
};

/* Every registered type is one of these. */
struct spc_device_type {
	struct scsi_device_type type;
	const struct spc_vpd_page *vpd;		/* besides those in spc/vpd.c; sorted,
						 * all above them */
	size_t nr_vpd;
	const struct spc_mode_page *mode;	/* in any order */
	size_t nr_mode;
	/* DEVICE-SPECIFIC PARAMETER of the mode parameter header; NULL: 0. */
	uint8_t (*mode_parameter)(const struct scsi_device *dev);
	bool has_blocks;			/* gives block descriptors */
};

const struct spc_device_type *spc_device_type(const struct scsi_device *dev);

/* Commands of every device type; of those with a medium. */
extern const struct scsi_command spc_commands[], spc_medium_commands[];
extern const size_t spc_nr_commands, spc_nr_medium_commands;
/* Third-party copies between disks. */
extern const struct scsi_command spc_copy_commands[];
extern const size_t spc_nr_copy_commands;

/* Rows for the mode page tables of types, SPC-4 r37 7.5. */
void spc_mode_fill_control(const struct scsi_device *dev, bool defaults, uint8_t *p);
extern const uint8_t spc_mode_control_changeable[12];
void spc_mode_fill_control_extension(const struct scsi_device *dev, bool defaults,
				     uint8_t *p);
void spc_mode_fill_protocol(const struct scsi_device *dev, bool defaults, uint8_t *p);
void spc_mode_fill_exceptions(const struct scsi_device *dev, bool defaults, uint8_t *p);

#define SPC_MODE_CONTROL	{ .code = 0x0a, .bytes = 12,			\
				  .fill = spc_mode_fill_control,		\
				  .changeable = spc_mode_control_changeable }
#define SPC_MODE_CONTROL_EXTENSION { .code = 0x0a, .subcode = 0x01, .bytes = 32, \
				  .fill = spc_mode_fill_control_extension }
#define SPC_MODE_PROTOCOL_LUN	{ .code = 0x18, .bytes = 8, .fill = spc_mode_fill_protocol }
#define SPC_MODE_PROTOCOL_PORT	{ .code = 0x19, .bytes = 8, .fill = spc_mode_fill_protocol }
/* No timer runs: nothing becomes idle by itself. */
#define SPC_MODE_POWER_CONDITION { .code = 0x1a, .bytes = 40 }
#define SPC_MODE_EXCEPTIONS	{ .code = 0x1c, .bytes = 12,			\
				  .fill = spc_mode_fill_exceptions }

/* Before reactors run.  Registers the controller.  -EINVAL, -ENOMEM. */
int spc_register(void);
/* LUN 0 of each target: no medium, only who and what is here. */
const struct scsi_device_type *spc_controller_type(void);
