/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/alua.h - asymmetric logical unit access, SPC-4 r37 5.15.2: the target port
 * groups of a target, and the access state of its logical units through each.
 *
 * A target without groups has symmetric access.  The groups are immutable and
 * published under RCU; control replaces them as a whole.  Each I_T_L nexus keeps
 * the state that concerns it (itl->access_state), so that a command costs one
 * comparison; scsi_alua_publish() brings it up to date on every reactor.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/rcu.h"
#include "scsi/sense.h"

struct scsi_itl;
struct scsi_target;
struct scsi_task;

enum scsi_alua_state {		/* SPC-4 r37 table 334 */
	SCSI_ALUA_OPTIMIZED = 0x0,
	SCSI_ALUA_NON_OPTIMIZED = 0x1,
	SCSI_ALUA_STANDBY = 0x2,
	SCSI_ALUA_UNAVAILABLE = 0x3,
	SCSI_ALUA_OFFLINE = 0xe,
	SCSI_ALUA_TRANSITIONING = 0xf,
};

enum scsi_alua_status {		/* STATUS CODE, table 336 */
	SCSI_ALUA_NO_CHANGE,
	SCSI_ALUA_BY_INITIATOR,	/* SET TARGET PORT GROUPS */
	SCSI_ALUA_BY_TARGET,	/* implicit: by management */
};

#define SCSI_ALUA_IMPLICIT	0x01	/* the TPGS field of INQUIRY, 6.6.2 */
#define SCSI_ALUA_EXPLICIT	0x02

#define SCSI_ALUA_GROUPS_MAX	32
#define SCSI_ALUA_PORTS_MAX	32	/* of a group */

struct scsi_alua_access {
	uint8_t state;			/* enum scsi_alua_state */
	uint8_t status;			/* enum scsi_alua_status */
};

struct scsi_alua_group {
	uint16_t id;			/* 1 to 65535 */
	uint8_t tpgs;			/* who may change its state */
	bool preferred;
	uint8_t transition_s;		/* IMPLICIT TRANSITION TIME; 0: not told */
	struct scsi_alua_access access;	/* of every LUN without an exception */
	uint8_t nr_ports;
	uint16_t port[SCSI_ALUA_PORTS_MAX];	/* of ours, or of another daemon */
};

/* A logical unit whose access through a group is not that of the others. */
struct scsi_alua_exception {
	uint64_t lun;
	uint16_t group;
	struct scsi_alua_access access;
};

struct scsi_alua {
	struct rcu_head rcu;
	unsigned int nr_groups;
	struct scsi_alua_group group[SCSI_ALUA_GROUPS_MAX];	/* by id */
	unsigned int nr_exceptions, room;
	struct scsi_alua_exception exception[];	/* by LUN and group */
};

/* --- readers under RCU, and control --- */

/* NULL: symmetric access. */
const struct scsi_alua *scsi_alua_of(const struct scsi_target *t);
const struct scsi_alua_group *scsi_alua_find(const struct scsi_alua *a, uint16_t id);
/* NULL: @port is in no group; initiators are shown such ports as group 0, which is
 * always active/optimized. */
const struct scsi_alua_group *scsi_alua_find_port(const struct scsi_alua *a, uint16_t port);
struct scsi_alua_access scsi_alua_access(const struct scsi_alua *a,
					 const struct scsi_alua_group *g, uint64_t lun);
/* A command for that LUN by that port runs, whatever it is. */
bool scsi_alua_is_active(const struct scsi_target *t, uint16_t port, uint64_t lun);
/* TPGS of all groups together; @a may be NULL. */
uint8_t scsi_alua_tpgs(const struct scsi_alua *a);

/* The reactor of @itl: take over its state. */
void scsi_alua_refresh(struct scsi_itl *itl);
/* Its state is not active: GOOD if the command runs all the same. */
enum scsi_status scsi_alua_check(struct scsi_task *t);
/* NO_SENSE: active. */
enum scsi_sense_code scsi_alua_sense(enum scsi_alua_state state);

/* --- control --- */

/* Without groups, with room for exceptions; as the next.  NULL: no memory. */
struct scsi_alua *scsi_alua_new(unsigned int nr_exceptions);
/* To change, and then to publish (taken) or to free().  NULL: no memory. */
struct scsi_alua *scsi_alua_copy(const struct scsi_target *t);
/* -EEXIST, -ENOSPC. */
int scsi_alua_add(struct scsi_alua *a, const struct scsi_alua_group *g);
/* With its exceptions. */
void scsi_alua_remove(struct scsi_alua *a, struct scsi_alua_group *g);
/* For all logical units, and from now on none is an exception. */
void scsi_alua_set(struct scsi_alua *a, struct scsi_alua_group *g, struct scsi_alua_access access);
/* For one of them. */
void scsi_alua_set_lun(struct scsi_alua *a, const struct scsi_alua_group *g, uint64_t lun,
		       struct scsi_alua_access access);

/* What initiators are to learn of a change. */
struct scsi_alua_change {
	enum scsi_sense_code code;	/* NO_SENSE: nothing */
	bool inquiry;			/* INQUIRY or VPD data changed as well */
	bool one_lun;			/* of the next field; else of all */
	uint64_t lun;
	uint64_t except;		/* id of the nexus that asked for it; 0: none did */
};

/*
 * Takes @a.  @done on control when each reactor works by the new
 * states and has the unit attentions queued.  -ENOMEM: nothing happened.
 */
int scsi_alua_publish(struct scsi_target *t, struct scsi_alua *a,
		      const struct scsi_alua_change *change, void (*done)(void *arg),
		      void *arg);

/* A LUN is a new one, or is gone: no exception is left for it.  -ENOMEM: nothing
 * happened.  For scsi/target.c. */
int scsi_alua_forget_lun(struct scsi_target *t, uint64_t lun);

/* --- SET TARGET PORT GROUPS, any reactor --- */

struct scsi_alua_wish {
	uint16_t group;
	uint8_t state;
	uint16_t at;			/* byte of its descriptor in the parameter list */
};

/*
 * Change the states of the addressed logical unit, all of them or none; completes
 * @t when every reactor works by them.  Copies @w.  SCSI_PENDING, or SCSI_BUSY.
 */
enum scsi_status scsi_alua_ask(struct scsi_task *t, const struct scsi_alua_wish *w,
			       unsigned int n);
