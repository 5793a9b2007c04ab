/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mgmt/lun_update.h - changes of a logical unit take effect.
 *
 * Threads: control.
 */
#pragma once

struct lu;
struct lu_reserve;
struct mgmt_call;
struct mgmt_lun;
struct mgmt_lun_change;

/* The method lun.update. */
void mgmt_lun_update_run(struct mgmt_call *call);

/* The LUN as it is, for a change to begin with.  It is READY and no controller. */
void mgmt_lun_update_present(const struct mgmt_lun *l, struct mgmt_lun_change *ret_c);
/* 0, or -ENOMEM and nothing has changed.  write_cache -1 stays as it is. */
int mgmt_lun_update_now(struct mgmt_lun *l, const struct mgmt_lun_change *c);
/* Of a cache that was switched off: tell the caller. */
void mgmt_lun_update_flush_failed(struct mgmt_call *call, int err);

/* What an initiator has saved of a unit's mode pages (lu/keep.h) is to be, unless the
 * user has set it: that counts.  And the reverse: without what is so for that reason
 * only.  Callers are RCU readers, or have a reference on @r. */
void mgmt_lun_update_restore(struct mgmt_lun_change *c, struct lu_reserve *r);
void mgmt_lun_update_unrestore(struct mgmt_lun_change *c, struct lu_reserve *r);
/* The parts of a change that are atomics of the LU. */
void mgmt_lun_update_apply(struct lu *lu, const struct mgmt_lun_change *c);
/* Tell the caller what of a change has no effect. */
void mgmt_lun_update_warn(struct mgmt_call *call, const struct lu *lu,
			  const struct mgmt_lun_change *c);
/* Unit attentions for @news, BIT() of enum mgmt_lun_news. */
void mgmt_lun_update_tell(struct mgmt_lun *l, unsigned int news);
