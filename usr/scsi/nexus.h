/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/nexus.h - I_T nexus (a session) and I_T_L nexus (a session and a LUN).
 *
 * A nexus lives on one reactor, which alone touches it and its I_T_L nexuses.
 * An I_T_L nexus is made when the initiator first addresses the LUN; it holds
 * references on the device and on this reactor's channel to its LU.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "lu/stats.h"
#include "reactor/reactor.h"
#include "scsi/unit_attention.h"

struct lu_channel;
struct scsi_device;
struct scsi_memory_account;
struct scsi_reach;
struct scsi_target;

struct scsi_itl {
	struct list_head node;		/* in a bucket of the nexus */
	struct scsi_nexus *nexus;
	uint64_t lun;			/* number, 0 to SCSI_LUN_MAX */
	struct scsi_device *dev;	/* holds a reference */
	struct lu_channel *ch;		/* NULL: a device without a LU */
	struct list_head tasks;		/* in order of arrival */
	struct list_head starved;	/* of them, those that wait for memory of others */
	uint64_t memory_bytes;		/* of buffers of its tasks */
	struct scsi_memory_account *account; /* of the device on this reactor */
	unsigned int nr_ordered;	/* of them, not finished */
	struct scsi_ua_queue ua;
	uint8_t access_state;		/* enum scsi_alua_state, by alua.c */
	struct list_head copies;	/* struct scsi_copy, latest last */
	bool removed;			/* the LUN is gone: freed with its last task */
	bool prevents;			/* counted in dev->prevent_removal */
	uint8_t denied;			/* LU_RESERVE_*, as of the next field */
	uint64_t reserve_version;	/* lu_reserve_active() */
	struct reactor_hook unblock;	/* looks for tasks that may run now */
	struct lu_stats stats;
};

#define SCSI_NEXUS_BUCKETS	16

struct scsi_nexus {
	/* Constant after scsi_nexus_open(). */
	uint64_t id;			/* unique for the life of the daemon */
	struct scsi_target *target;	/* holds a reference */
	char *initiator_port;		/* "iqn...,i,0x<ISID>" (SPC-4 7.6.4.5) */
	uint16_t target_port;		/* relative target port identifier */
	struct scsi_reach *reach;	/* NULL: not told by the transport */

	/* The reactor's only. */
	struct list_head node;		/* of all nexuses of this reactor */
	struct list_head itls[SCSI_NEXUS_BUCKETS];
	struct list_head strays;	/* tasks for a LUN that does not exist */
	uint64_t memory_bytes;		/* of buffers of its tasks */
	bool starves;			/* tasks may wait for some of it */
	unsigned int nr_tasks;		/* started and not released */
	unsigned int nr_copies;		/* third-party copy operations that run */
	bool closing;
	void (*closed)(struct scsi_nexus *n);
};

/* On the reactor that will own it.  @n is the transport's memory.  -ENOMEM. */
int scsi_nexus_open(struct scsi_nexus *n, struct scsi_target *target,
		    const char *initiator_port, uint16_t target_port);

/*
 * I_T nexus loss: aborts every task, gives up reservations.  @closed runs when
 * the last task was released (at once, from within, if there is none); a store
 * that hangs delays it, so the transport must not wait for it to end the
 * connection.
 */
void scsi_nexus_close(struct scsi_nexus *n, void (*closed)(struct scsi_nexus *n));

/* Abort every task of the nexus, to whatever LUN. */
void scsi_nexus_abort_all(struct scsi_nexus *n);

/* Find or make.  NULL: no such LUN in the target's map, or no memory (then
 * scsi_target_find_lun() finds it). */
struct scsi_itl *scsi_nexus_itl(struct scsi_nexus *n, uint64_t lun);

/* PREVENT ALLOW MEDIUM REMOVAL of this nexus, SPC-4 6.14. */
void scsi_nexus_prevent_removal(struct scsi_itl *itl, bool prevent);

/* How much of initiator_port is the name of the initiator. */
size_t scsi_nexus_name_bytes(const struct scsi_nexus *n);
/* A number for the initiator, whichever its ports and sessions. */
uint64_t scsi_nexus_initiator(const struct scsi_nexus *n);

/* Walk this reactor's nexuses, or those of one target. */
void scsi_nexus_each(const struct scsi_target *target,
		     void (*visit)(struct scsi_nexus *n, void *arg), void *arg);
void scsi_nexus_each_itl(struct scsi_nexus *n,
			 void (*visit)(struct scsi_itl *itl, void *arg), void *arg);
