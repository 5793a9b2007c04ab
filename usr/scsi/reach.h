/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/reach.h - which targets an initiator reaches by its sessions, for a command to
 * one of them that names a logical unit of another (EXTENDED COPY).
 *
 * A name alone proves nothing: one target may ask for CHAP where another lets in
 * whoever says it.  So a session counts for another one only if that one has shown as
 * much: the same name, and the same CHAP user; where there was none, the same
 * address.
 *
 * The register is under a mutex; sessions come and go, and such commands are rare.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "base/refcount.h"
#include "scsi/nexus.h"

struct scsi_device;

struct scsi_reach {			/* of a session, counted */
	/* Constant.  Of the nexus only what is constant after scsi_nexus_open(): all that
	 * rules of access look at. */
	struct scsi_nexus as;
	char *user, *address;
	refcount refs;

	atomic_bool gone;		/* any thread: the session is over */

	struct list_head node;		/* of the register, under its mutex */
};

/* @n was let in: @user by CHAP, NULL if it was not asked, from @address.  Without
 * memory it only reaches less.  Threads: the reactor of @n; once. */
void scsi_reach_enter(struct scsi_nexus *n, const char *user, const char *address);
/* The session is over.  Threads: idem; also if it has never entered. */
void scsi_reach_leave(struct scsi_nexus *n);

/*
 * The device that @is says yes to, of another target that @n's initiator has a session
 * with: *ret_dev and *ret_lun there.  One through which it may be written now is taken
 * first.  NULL: none, or more than one logical unit.  Both come with a reference.
 * Threads: RCU readers.
 */
struct scsi_reach *scsi_reach_find(const struct scsi_nexus *n,
				   bool (*is)(const struct scsi_device *dev, const void *arg),
				   const void *arg, struct scsi_device **ret_dev,
				   uint64_t *ret_lun);
void scsi_reach_put(struct scsi_reach *r);	/* accepts NULL */
