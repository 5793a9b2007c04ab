/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/target.h - the targets by their numbers: for each the SCSI target
 * device, its iSCSI face, and its logical units.
 *
 * Threads: control.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"

struct iscsi_target;
struct iscsi_target_config;
struct mgmt_call;
struct scsi_target;

struct mgmt_target {
	int tid;
	struct scsi_target *scsi;	/* holds a reference */
	struct iscsi_target *iscsi;	/* holds a reference */
	struct list_head luns;		/* struct mgmt_lun, by number */
	bool leaving;

	/* leaving. */
	unsigned int waits;		/* for these LUNs */
	unsigned int stuck;		/* stores that did not close in time */
	void (*left)(void *arg, unsigned int stuck);
	void *left_arg;
};

/* NULL: none, or on its way out. */
struct mgmt_target *mgmt_target_find(int tid);
/* Also one that is on its way out: its number is taken. */
struct mgmt_target *mgmt_target_lookup(int tid);
/* Make one, with a controller and a default config.  -EEXIST (tid or name), -EINVAL (no
 * iSCSI name), -ENOMEM. */
int mgmt_target_new(const char *name, int tid, struct mgmt_target **ret_t);
/* The target of field "tid", or NULL after the call was failed. */
struct mgmt_target *mgmt_target_of(struct mgmt_call *call);

unsigned int mgmt_target_count(void);
/* In order of tid. */
void mgmt_target_each(void (*visit)(struct mgmt_target *t, void *arg), void *arg);

/*
 * Close its sessions, remove its LUNs and forget it.  @left runs once, with the
 * number of stores that did not close in time.  A LUN that is OPENING or LEAVING
 * is waited for.
 */
void mgmt_target_remove(struct mgmt_target *t, void (*left)(void *arg, unsigned int stuck),
			void *arg);
/* mgmt/lun.c: an awaited LUN is off the list. */
void mgmt_target_wait_over(struct mgmt_target *t);

/* A copy of the iSCSI config to change, or NULL after the call was failed. */
struct iscsi_target_config *mgmt_target_edit(struct mgmt_call *call,
					     const struct mgmt_target *t);

void mgmt_target_create(struct mgmt_call *call);
void mgmt_target_delete(struct mgmt_call *call);
