/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/device_type.h - what kinds of logical unit there are.  Command sets
 * register theirs at start; scsi/ does not know which exist.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scsi_command;

struct scsi_device_type {
	const char *name;	/* as tgtadm prints it: "disk", "controller" */
	const char *option;	/* as --device-type takes it; NULL: not by users */
	uint8_t code;		/* PERIPHERAL DEVICE TYPE */
	uint16_t version_descriptors[8];	/* SPC-4 6.4.2 table; unused entries 0 */
	/* Tables of commands, ended by a NULL. */
	const struct scsi_command *const *commands;
	const size_t *nr_commands;	/* rows of each */
	/* What the command set keeps per device (dev->state); any of these 0. */
	size_t state_bytes;
	void (*state_init)(void *state);
	void (*state_fini)(void *state);
};

/* Before reactors run.  Builds the opcode index.  -EINVAL: two rows clash. */
int scsi_device_type_register(const struct scsi_device_type *type);
const struct scsi_device_type *scsi_device_type_find(const char *option);
/* In order of registration; NULL after the last. */
const struct scsi_device_type *scsi_device_type_nth(unsigned int n);

/* Each row in order of opcode and service action. */
void scsi_device_type_each_command(const struct scsi_device_type *type,
				   void (*visit)(const struct scsi_command *cmd, void *arg),
				   void *arg);

/* The row of an opcode and service action.  *ret_opcode_known tells an unknown
 * service action from an unknown opcode. */
const struct scsi_command *scsi_device_type_command(const struct scsi_device_type *type,
						    const uint8_t *cdb,
						    bool *ret_opcode_known);
