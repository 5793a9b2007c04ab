/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_cache.h - switching the write cache of a logical unit off. */
#pragma once

struct lu;
struct mgmt_call;

/*
 * Flush the store of @lu, whose write cache is off now, then reply to @call,
 * with a warning if that failed.  The LUN may be deleted meanwhile: its store
 * closes after the flush.
 */
void mgmt_lun_cache_flush(struct lu *lu, struct mgmt_call *call);
