/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/target.h - a SCSI target device: a name and a map from LUNs to devices.
 *
 * The map is immutable and published under RCU; control replaces it.  Reactors
 * look a LUN up once per nexus and keep the reference in the I_T_L nexus.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/rcu.h"
#include "base/refcount.h"

struct scsi_alua;
struct scsi_device;

struct scsi_lun_entry {
	uint64_t lun;
	struct scsi_device *dev;	/* the map holds a reference */
};

struct scsi_lun_map {			/* sorted by lun */
	struct rcu_head rcu;
	unsigned int n;
	struct scsi_lun_entry e[];
};

struct scsi_target {
	/* Constant. */
	char *name;			/* iqn */
	int tid;

	struct scsi_lun_map *map;	/* RCU */
	struct scsi_alua *alua;		/* RCU; NULL: no target port groups */
	refcount refs;
	atomic_bool offline;		/* tgtadm: state=offline; commands get NOT READY */
};

/* Comes with LUN 0, @controller (may be NULL in tests).  One reference. */
struct scsi_target *scsi_target_new(const char *name, int tid,
				    struct scsi_device *controller);
struct scsi_target *scsi_target_get(struct scsi_target *t);
void scsi_target_put(struct scsi_target *t);

/* Commands get NOT READY, and tokens for its data end.  Threads: control. */
void scsi_target_set_offline(struct scsi_target *t, bool offline);

/*
 * Publish one LUN more; every nexus learns REPORTED LUNS DATA HAS CHANGED.
 * Takes a reference on @dev.  -EEXIST, -ENOMEM.  Threads: control.
 */
int scsi_target_add_lun(struct scsi_target *t, uint64_t lun, struct scsi_device *dev);

/*
 * Take a LUN out of the map, end its tasks on every reactor (their initiators
 * get LOGICAL UNIT NOT SUPPORTED), drop the I_T_L nexuses, tell the rest
 * REPORTED LUNS DATA HAS CHANGED, then @removed on the control thread.
 * -ENOENT, -ENOMEM: nothing happened.  Threads: control.
 */
int scsi_target_remove_lun(struct scsi_target *t, uint64_t lun,
			   void (*removed)(void *arg), void *arg);

/* Threads: RCU readers; takes a reference.  NULL: no such LUN. */
struct scsi_device *scsi_target_find_lun(struct scsi_target *t, uint64_t lun);

/*
 * The device, of a LUN of @t, that @is says yes to; takes a reference.  NULL: none,
 * or more than one logical unit (which is meant?).  Threads: RCU readers.
 */
struct scsi_device *scsi_target_find_device(struct scsi_target *t,
		bool (*is)(const struct scsi_device *dev, const void *arg),
		const void *arg, uint64_t *ret_lun);
/* Whether @dev is still at @lun.  Threads: RCU readers. */
bool scsi_target_has(struct scsi_target *t, uint64_t lun, const struct scsi_device *dev);

/* LUN number of an 8-byte LUN field, SAM-5 4.7.  False: a form we do not have. */
bool scsi_target_decode_lun(uint64_t field, uint64_t *ret_lun);
uint64_t scsi_target_encode_lun(uint64_t lun);
