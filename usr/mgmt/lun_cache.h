/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_cache.h - switching the write cache of a logical unit off. */
#pragma once

struct lu;

/*
 * Flush the store of @lu, whose write cache is off now; then @done, with 0 or
 * -errno.  The LUN may be deleted meanwhile: its store closes after the flush.
 */
void mgmt_lun_cache_flush(struct lu *lu, void (*done)(void *arg, int err), void *arg);
