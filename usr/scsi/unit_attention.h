/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scsi/unit_attention.h - what an initiator must be told before its next
 * command, per I_T_L nexus, SAM-5 5.14.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "scsi/scsi.h"
#include "scsi/sense.h"

struct scsi_device;
struct scsi_itl;
struct scsi_nexus;
struct scsi_target;
struct scsi_task;

#define SCSI_UA_MAX	8	/* a longer queue is cut to "power on, reset ..." */

struct scsi_ua_queue {
	uint8_t n;
	uint8_t code[SCSI_UA_MAX];	/* enum scsi_sense_code, highest priority first */
};

/* The nexus' reactor.  A code that is pending is not queued twice. */
void scsi_unit_attention_add(struct scsi_itl *itl, enum scsi_sense_code code);
/* True and the first code, which is then no longer pending. */
bool scsi_unit_attention_take(struct scsi_itl *itl, enum scsi_sense_code *ret_code);

/* Whether the first is of a reset (29h), which goes before everything else. */
bool scsi_unit_attention_is_reset(const struct scsi_itl *itl);

/* Reported by other means: no longer pending for any LUN of @n. */
void scsi_unit_attention_clear(struct scsi_nexus *n, enum scsi_sense_code code);

/*
 * For handlers: tell every other nexus, then @then(t) on this reactor, unless the task
 * has ended meanwhile.  So that whoever learns that it is done finds them told.  False,
 * and nothing happens: no memory.  scsi_unit_attention_then_good(): the same, as what a
 * handler returns; without memory nobody is told, for it is done.
 */
bool scsi_unit_attention_then(struct scsi_task *t, enum scsi_sense_code code,
			      void (*then)(struct scsi_task *t));
enum scsi_status scsi_unit_attention_then_good(struct scsi_task *t, enum scsi_sense_code code);

/* Tell every nexus that knows @dev (or any LUN of @target), but for the nexus
 * with id @except (0: none).  Any reactor or control.  -ENOMEM. */
int scsi_unit_attention_raise(struct scsi_device *dev, enum scsi_sense_code code,
			      uint64_t except);
/* Then @told(arg), on this reactor. */
int scsi_unit_attention_raise_then(struct scsi_device *dev, enum scsi_sense_code code,
				   uint64_t except, void (*told)(void *arg), void *arg);
/* The same, of any device that the world takes for the same disk (lu/reserve.h).
 * Callers are RCU readers. */
int scsi_unit_attention_raise_unit(struct scsi_device *dev, enum scsi_sense_code code,
				   uint64_t except, void (*told)(void *arg), void *arg);
int scsi_unit_attention_raise_target(struct scsi_target *target,
				     enum scsi_sense_code code);
