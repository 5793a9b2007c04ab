/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun.h - a logical unit of a target as management sees it: the SCSI
 * device in the target's map, and the store beneath it.
 *
 * Threads: control.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "reactor/timer.h"

struct lu;
struct mgmt_call;
struct mgmt_target;
struct scsi_device;

/* How long an answer waits for a store to close. */
#define MGMT_LUN_CLOSE_MS	5000

enum mgmt_lun_state {
	MGMT_LUN_OPENING,	/* the number is taken, nothing is there yet */
	MGMT_LUN_READY,
	MGMT_LUN_LEAVING,	/* on its way out of the map */
};

struct mgmt_lun {
	struct list_head node;		/* of the target, by number */
	struct mgmt_target *target;
	uint64_t lun;
	enum mgmt_lun_state state;
	struct scsi_device *dev;	/* holds a reference; NULL: OPENING */
	struct lu *lu;			/* NULL: the controller */
	bool awaited;			/* by its target, which is leaving */

	/* LEAVING. */
	struct timer timer;
	void (*left)(void *arg, bool closed);
	void *left_arg;
};

/* OPENING; linked.  NULL: no memory. */
struct mgmt_lun *mgmt_lun_new(struct mgmt_target *t, uint64_t lun);
/* Off the target's list: the number is free.  The memory stays the caller's. */
void mgmt_lun_unlink(struct mgmt_lun *l);
/* NULL: the target has none with that number. */
struct mgmt_lun *mgmt_lun_find(const struct mgmt_target *t, uint64_t lun);

/* LUN 0 of a new target.  -ENOMEM. */
int mgmt_lun_add_controller(struct mgmt_target *t, struct scsi_device *controller);

/*
 * Take a READY one out of its target's map and close its store.  @left runs
 * once: @closed false when the store does not answer within MGMT_LUN_CLOSE_MS
 * (it is closed when it does).  The number is free again before @left runs.
 * -ENOMEM: nothing happened.
 */
int mgmt_lun_remove(struct mgmt_lun *l, void (*left)(void *arg, bool closed), void *arg);

/* Forget LUN 0 (its target goes). */
void mgmt_lun_drop_controller(struct mgmt_target *t);

/* Stores that are open, opening or closing: 0 when all is given back. */
unsigned int mgmt_lun_nr_stores(void);
void mgmt_lun_store_new(void);
void mgmt_lun_store_gone(void);

/* The one that @call names, READY and not the controller; or NULL after the call
 * was failed. */
struct mgmt_lun *mgmt_lun_of(struct mgmt_call *call);

/* The method lun.delete. */
void mgmt_lun_delete(struct mgmt_call *call);
