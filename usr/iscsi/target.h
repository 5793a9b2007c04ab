/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/target.h - an iSCSI target: a SCSI target device with what a login
 * needs: parameters, ACL, accounts.
 *
 * Control owns the set of targets; reactors find one by name under RCU.  What
 * may change is in one immutable config, replaced as a whole.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/rcu.h"
#include "base/refcount.h"
#include "iscsi/keys.h"
#include "iscsi/redirect.h"

struct iscsi_acl;		/* immutable list of rules; iscsi/acl.h */
struct iscsi_accounts;		/* immutable; iscsi/account.h */
struct scsi_target;

struct iscsi_target_config {
	struct rcu_head rcu;
	struct iscsi_params params;	/* our offer */
	uint32_t nop_interval_s;	/* 0: no probes */
	uint32_t nop_count;
	uint32_t max_queue_cmd;		/* command window, 1 to 512, default 128 */
	bool offline;
	struct iscsi_acl *acl;		/* NULL: none bound, nobody may log in */
	struct iscsi_accounts *accounts;	/* NULL: no CHAP */
	struct iscsi_redirect redirect;
};

struct iscsi_target {
	struct scsi_target *scsi;	/* constant, holds a reference; name and tid */
	struct iscsi_target_config *config;	/* RCU */
	refcount refs;

	/* iscsi/target.c only. */
	struct iscsi_target *next;	/* of the same hash; RCU */
	struct rcu_head rcu;
	bool published;			/* control's */
};

/* Letters, digits, '.', '-' and ':', at most ISCSI_NAME_MAX bytes (RFC 7143 4.2.7). */
bool iscsi_target_valid_name(const char *name);
/* It begins with iqn., eui. or naa., as the standard has it, and tgt has not. */
bool iscsi_target_typed_name(const char *name);

/* Publish a target with default config.  -EEXIST (name or tid), -EINVAL (not an
 * iSCSI name), -ENOMEM.  Takes a reference on @scsi.  Threads: control. */
int iscsi_target_new(struct scsi_target *scsi, struct iscsi_target **ret_t);
/* nop_interval and nop_count of targets made from now on (0, 0 at first).
 * Threads: control. */
void iscsi_target_set_nop_default(uint32_t interval_s, uint32_t count);
/* Unpublish; the caller's reference goes.  Sessions are closed before. */
void iscsi_target_delete(struct iscsi_target *t);

/* Any reactor or control; comes with a reference.  NULL: none. */
struct iscsi_target *iscsi_target_find(const char *name);
struct iscsi_target *iscsi_target_get(struct iscsi_target *t);
void iscsi_target_put(struct iscsi_target *t);

/* Callers are RCU readers; valid for this turn. */
const struct iscsi_target_config *iscsi_target_config(const struct iscsi_target *t);

/* Control: that of a new target; NULL: no memory. */
struct iscsi_target_config *iscsi_target_config_new(void);
/* Control: a copy to change (acl, accounts and redirect deep), then to publish (taken)
 * or to drop with iscsi_target_config_free(). */
struct iscsi_target_config *iscsi_target_config_copy(const struct iscsi_target *t);
void iscsi_target_config_free(struct iscsi_target_config *c);
void iscsi_target_publish(struct iscsi_target *t, struct iscsi_target_config *c);

/* In order of tid.  Threads: control, or a reader under RCU.  On control,
 * visit() may publish a config, but not add or delete a target. */
void iscsi_target_each(void (*visit)(struct iscsi_target *t, void *arg), void *arg);
/* The target with the least tid above @tid, without a reference (valid for this
 * turn); NULL: none.  Same threads. */
struct iscsi_target *iscsi_target_next(int tid);
/* Comes with a reference; NULL: none.  Threads: control. */
struct iscsi_target *iscsi_target_find_tid(int tid);
/* Whether @t has not been deleted.  Threads: control. */
bool iscsi_target_is_published(const struct iscsi_target *t);
